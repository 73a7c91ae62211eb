// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The main job on a golden machine that is a domain of a system libvirt, which the test starts itself, in namespaces of
// its own. Needs root, for that is who runs a system libvirt, and the golden image of the name server.
#include <gmock/gmock.h>

#include <cstdlib>
#include <iostream>

#include "lab/core/files.hpp"
#include "program.hpp"
#include "tests/support/efi_boot.hpp"
#include "tests/support/programs.hpp"

namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;

std::string why_not_here() {
  const auto why = testing::why_no_system_libvirt();
  return why.empty() ? why_no_lab() : why;
}

// `program` beside a libvirt of its own, with the scenario's images and candidates in the cache; `more` are arguments
// behind its folder.
void run_inside(const std::string& program, const std::vector<std::string>& more = {},
                const Json& scenario = small_scenario(), std::chrono::seconds limit = std::chrono::seconds(1140)) {
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  // They are made here, where there is a network: beside that libvirt there is none.
  const auto file = folder.write("images.json", scenario.dump());
  const auto validated = patchlab({"validate", file.string()}, folder.path(), std::chrono::minutes(5));
  ASSERT_EQ(exit_code(validated), 0) << validated.errors;
  fs::create_directory(folder.path() / "lab");
  fs::permissions(folder.path() / "lab", fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  const auto devices = read_file("/proc/net/dev").value_or("");
  ProcessSpec spec;
  spec.program = std::string(PATCHLAB_SOURCE_DIR) + "/tests/integration/libvirt/with-system-libvirt";
  spec.arguments = {folder.path() / "lab", program, folder.path() / "lab"};
  spec.arguments.insert(spec.arguments.end(), more.begin(), more.end());
  spec.time_limit = limit;
  const auto outcome = host_processes().run(spec);
  std::cout << outcome.output << std::flush;
  EXPECT_TRUE(outcome.succeeded()) << outcome.describe() << "\n"
                                   << outcome.errors << read_file(folder.path() / "lab/libvirtd.log").value_or("");
  // The host's own network has the devices that it had.
  const auto lines = [](const std::string& text) { return std::ranges::count(text, '\n'); };
  EXPECT_EQ(lines(read_file("/proc/net/dev").value_or("")), lines(devices));
}

TEST(GoldenDomain, IsTestedAsAnImageIsAndLeavesNoTrace) {
  if (const auto why = why_not_here(); !why.empty()) GTEST_SKIP() << why;
  const TemporaryFolder efi;
  ASSERT_NO_FATAL_FAILURE(testing::make_efi_boot(efi.path()));
  run_inside(PATCHLAB_INSIDE, {efi.path()});
}

TEST(GoldenDomain, OnAnotherHostIsTestedBySsh) {
  if (const auto why = why_not_here(); !why.empty()) GTEST_SKIP() << why;
  for (const char* program : {"/usr/sbin/sshd", "/usr/bin/ssh"}) {
    if (!fs::exists(program)) GTEST_SKIP() << program << " is not installed";
  }
  run_inside(PATCHLAB_INSIDE_REMOTE);
}

TEST(GoldenDomain, OfWindowsIsTestedWithWindowsPackages) {
  if (const auto why = why_not_here(); !why.empty()) GTEST_SKIP() << why;
  if (testing::is_missing("gcab")) GTEST_SKIP() << "gcab is not installed";
  const TemporaryFolder packages;
  const auto scenario = windows_scenario(packages.path(), {"good"});
  ASSERT_TRUE(scenario) << scenario.error().message;
  // Its recording has a test of its own: what is skipped in there would be read as this test's word.
  run_inside(PATCHLAB_INSIDE_WINDOWS, {"--gtest_filter=-*IsRecorded*"}, *scenario);
}

// Some hundred commands, one after another: under emulation that is too long for every day.
TEST(GoldenDomain, OfWindowsIsRecorded) {
  if (const char* wanted = std::getenv("PATCHLAB_RECORD"); wanted == nullptr || *wanted != '1')
    GTEST_SKIP() << "PATCHLAB_RECORD=1 records the stand-in";
  if (const auto why = why_not_here(); !why.empty()) GTEST_SKIP() << why;
  if (testing::is_missing("gcab")) GTEST_SKIP() << "gcab is not installed";
  const TemporaryFolder packages;
  const auto scenario = windows_scenario(packages.path(), {"good"});
  ASSERT_TRUE(scenario) << scenario.error().message;
  run_inside(PATCHLAB_INSIDE_WINDOWS, {"--gtest_filter=*IsRecorded*"}, *scenario, std::chrono::minutes(60));
}

}  // namespace
}  // namespace patchlab::e2e
