// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/usage.hpp"

#include "checks/growth/growth.hpp"
#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::windows {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using Command = test::FakeWindows::Command;
using namespace std::chrono_literals;  // NOLINT: for literals

class WindowsUsageTest : public WindowsTest {
 protected:
  Usage usage() {
    auto found = adapter->usage();
    EXPECT_TRUE(found) << found.error().message;
    return found ? found->value_or(Usage{}) : Usage{};
  }
  // A quarter of an hour, a look every fifteen seconds.
  checks::growth::Watched watched() {
    checks::growth::Watched seen;
    seen.planned = 61;
    const auto begin = clock.now();
    for (int i = 0; i < 61; ++i) {
      seen.looks.push_back({clock.now() - begin, usage()});
      clock.advance(15s);
    }
    return seen;
  }
  // What is told of a machine that so much leaks of, against one that leaks nothing.
  std::set<std::string> told_when(const std::function<void(test::FakeWindows&)>& leaks) {
    const auto control = watched();
    leaks(windows);
    const auto growth = checks::growth::judged(watched(), &control);
    EXPECT_EQ(growth.why_not, "");
    std::set<std::string> told;
    for (const auto& slope : growth.told) told.insert(checks::growth::name_of(slope.used));
    return told;
  }
};

TEST_F(WindowsUsageTest, IsReadOfMachinePoolsProcessesAndDisks) {
  const auto found = usage();
  EXPECT_EQ(found.amounts.at({Resource::memory, ""}), 4194304 - 2097152);
  EXPECT_EQ(found.room.at({Resource::memory, ""}), 2097152);
  EXPECT_EQ(found.amounts.at({Resource::memory, "nonpaged pool"}), 65536);
  EXPECT_EQ(found.amounts.at({Resource::memory, "paged pool"}), 131072);
  EXPECT_EQ(found.amounts.at({Resource::memory, "lsass.exe"}), 40960);
  EXPECT_EQ(found.amounts.at({Resource::memory, "svchost.exe"}), 2 * 10240) << "those of one name are one";
  EXPECT_EQ(found.amounts.at({Resource::open_files, "lsass.exe"}), 1200);
  EXPECT_EQ(found.amounts.at({Resource::tasks, "dns.exe"}), 12);
  EXPECT_EQ(found.amounts.at({Resource::disk, "C:"}), (42946523136.0 - 21473261568.0) / 1024);
  EXPECT_FALSE(found.amounts.contains({Resource::memory, "WMIC.exe"}));
  EXPECT_FALSE(found.amounts.contains({Resource::memory, "System Idle Process"}));
}

TEST_F(WindowsUsageTest, AQuestionThatEndsBadlyIsAnError) {
  for (const auto command : {Command::memory, Command::memory_pools, Command::process_usage, Command::disk_usage}) {
    windows.exit_codes[command] = 0x80041010;  // WBEM_E_INVALID_CLASS: counters that are broken
    EXPECT_FALSE(adapter->usage());
    windows.exit_codes.erase(command);
  }
}

TEST_F(WindowsUsageTest, ThatIsNotUnderstoodIsAnError) {
  for (const auto command : {Command::memory, Command::memory_pools, Command::process_usage, Command::disk_usage}) {
    windows.replies[command] = "garbage\r\n";
    EXPECT_FALSE(adapter->usage());
    windows.replies.erase(command);
  }
  windows.replies[Command::memory] =
      "FreePhysicalMemory  TotalVisibleMemorySize  \r\r\nmany                4194304                 \r\r\n";
  EXPECT_FALSE(adapter->usage());
}

TEST_F(WindowsUsageTest, WithoutALeakTellsNothing) {
  EXPECT_THAT(told_when([](auto&) {}), IsEmpty());
}

// As updates did with the process that answers Kerberos and NTLM.
TEST_F(WindowsUsageTest, AProcessThatLeaksIsTold) {
  EXPECT_THAT(told_when([](auto& machine) { machine.leaks["lsass.exe"] = 256 << 10; }),
              Contains("memory of lsass.exe"));
}

// As one did in the SMB server, which is no process.
TEST_F(WindowsUsageTest, APoolOfTheSystemThatLeaksIsTold) {
  EXPECT_THAT(told_when([](auto& machine) { machine.leaks["nonpaged pool"] = 256 << 10; }),
              Contains("memory of nonpaged pool"));
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
