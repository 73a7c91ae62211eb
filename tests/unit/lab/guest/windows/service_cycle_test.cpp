// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/service_cycle.hpp"

#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using namespace std::chrono_literals;
using test::FakeWindows;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WindowsServiceTest : public WindowsTest {
 protected:
  // NTDS is needed by Kdc and DNS, and Kdc by Mail.
  WindowsServiceTest() {
    for (const char* name : {"NTDS", "Kdc", "DNS", "Mail"}) windows.services[name] = {};
    needs("Kdc", "RpcSs\\0NTDS");
    needs("DNS", "Tcpip\\0ntds\\0Afd");
    needs("Mail", "Kdc");
    needs("NTDS\\Parameters", "Spooler");  // no service's own
  }
  void needs(const std::string& service, const std::string& others) {
    windows.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\" + service, "DependOnService", "REG_MULTI_SZ",
                         others);
  }
  ServiceChange change(const std::string& service, ServiceAction action, Milliseconds deadline = 120s) {
    auto changed = adapter->change_service(service, action, deadline, {});
    EXPECT_TRUE(changed) << changed.error().message;
    return changed.value_or(ServiceChange{});
  }
};

TEST_F(WindowsServiceTest, IsStoppedBehindThoseThatNeedItAndRun) {
  const auto cycle = adapter->before_cycling("ntds");
  ASSERT_TRUE(cycle) << cycle.error().message;
  EXPECT_EQ(cycle->why_not, "");
  EXPECT_THAT(cycle->with, ElementsAre("DNS", "Mail", "Kdc"));
  windows.services["Mail"].state = 1;
  EXPECT_THAT(adapter->before_cycling("NTDS")->with, ElementsAre("DNS", "Kdc"));
  EXPECT_THAT(adapter->before_cycling("Spooler")->with, IsEmpty());
}

TEST_F(WindowsServiceTest, StopsAndStarts) {
  windows.services["Spooler"].stop_takes = 7s;
  windows.services["Spooler"].start_takes = 3s;
  const auto stopped = change("Spooler", ServiceAction::stop);
  EXPECT_TRUE(stopped.reached);
  EXPECT_EQ(stopped.state, "stopped");
  EXPECT_GE(stopped.took, 7s);
  EXPECT_LT(stopped.took, 12s);
  EXPECT_TRUE(change("Spooler", ServiceAction::stop).reached) << "it does not run";
  const auto started = change("Spooler", ServiceAction::start);
  EXPECT_TRUE(started.reached);
  EXPECT_GE(started.took, 3s);
  EXPECT_TRUE(change("Spooler", ServiceAction::start).reached) << "it runs already";
}

TEST_F(WindowsServiceTest, ThatIsLateIsSeenToBe) {
  windows.services["Spooler"].stop_takes = 10min;
  const auto stopped = change("Spooler", ServiceAction::stop, 60s);
  EXPECT_FALSE(stopped.reached);
  EXPECT_EQ(stopped.state, "stopping");
  EXPECT_GE(stopped.took, 60s);
  EXPECT_LT(clock.now(), 70s);
}

TEST_F(WindowsServiceTest, ThatRefusesSaysByWhichCode) {
  for (const bool german : {false, true}) {
    windows.german = german;
    windows.services["Spooler"].refuses_stop = 1052;
    const auto stopped = change("Spooler", ServiceAction::stop);
    EXPECT_FALSE(stopped.reached);
    EXPECT_EQ(stopped.state, "running");
    EXPECT_THAT(stopped.said, HasSubstr("exit code 1052: [SC] ControlService"));
    EXPECT_LT(stopped.took, 5s) << "it would not change";
  }
  EXPECT_THAT(change("NTDS", ServiceAction::stop).said, HasSubstr("exit code 1051")) << "others need it";
}

TEST_F(WindowsServiceTest, ThatEndsAtItsStartDoesNotRun) {
  windows.services["Spooler"].good_starts = 1;
  (void)change("Spooler", ServiceAction::stop);
  EXPECT_TRUE(change("Spooler", ServiceAction::start).reached);
  (void)change("Spooler", ServiceAction::stop);
  const auto started = change("Spooler", ServiceAction::start);
  EXPECT_FALSE(started.reached);
  EXPECT_EQ(started.state, "failed");
  EXPECT_LT(started.took, 5s);
}

TEST_F(WindowsServiceTest, ThatIsNotToBeHadIsNotAsked) {
  EXPECT_EQ(adapter->before_cycling("Exchange")->why_not, "there is no such service");
  EXPECT_EQ(adapter->before_cycling("QEMU-GA")->why_not, "the laboratory speaks to the guest through it");
  for (const char* name : {"", "a\"b", "\\\\other", "a/b", "a\nb"}) {
    EXPECT_FALSE(is_service_name(name)) << name;
    EXPECT_FALSE(adapter->before_cycling(name)) << name;
    EXPECT_FALSE(adapter->change_service(name, ServiceAction::stop, 1s, {})) << name;
  }
  EXPECT_TRUE(is_service_name("MSSQL$FINANCE"));
}

TEST_F(WindowsServiceTest, WhatNobodySawIsAnError) {
  windows.replies[FakeWindows::Command::service_states] = "garbage\r\n";
  EXPECT_FALSE(adapter->change_service("Spooler", ServiceAction::stop, 60s, {}));
  EXPECT_FALSE(adapter->before_cycling("Spooler"));
  windows.replies.clear();
  windows.restart();
  EXPECT_FALSE(adapter->change_service("Spooler", ServiceAction::start, 60s, {}));
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
