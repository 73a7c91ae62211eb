// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "program.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::IsSupersetOf;

namespace fs = std::filesystem;

// A guest of its own, whose image no other test needs.
TEST(WindowsAccounts, ANewAdministratorIsABreach) {
  if (const auto why = why_no_lab(); !why.empty()) GTEST_SKIP() << why;
  if (std::getenv("PATCHLAB_WINDOWS_ACCOUNTS") == nullptr)
    GTEST_SKIP() << "makes another image: PATCHLAB_WINDOWS_ACCOUNTS=1 asks for it";
  const TemporaryFolder folder;
  const OwnCache cache;
  auto scenario = windows_scenario(folder.path(), {"adds-administrator"});
  ASSERT_TRUE(scenario) << scenario.error().message;
  const auto package = folder.path() / "made" / "adds-administrator";
  ASSERT_EQ(exit_code(patchlab({"patch", "add", package.string(), "--allow-unsigned"}, folder.path())), 0);
  (*scenario)["candidates"] = Json::array({{{"path", package.string()}}});
  auto& recipe = (*scenario)["roles"]["dns"]["golden"]["recipe"];
  recipe = recipe.get<std::string>() + "-accounts";
  folder.write("scenario.json", scenario->dump());
  const auto outcome = patchlab({"run", "scenario.json", "--runs", "runs"}, folder.path(), std::chrono::minutes(30));
  EXPECT_EQ(exit_code(outcome), 1) << outcome.errors;
  for (const auto& run : fs::directory_iterator(folder.path() / "runs")) {
    const auto record = reports::read_run_record(run.path() / reports::run_file_name);
    if (!run.is_directory() || !record) continue;
    const auto& verdict = record->departments.at(0).verdicts.at(0);
    EXPECT_EQ(verdict.outcome, Outcome::fail) << verdict.reason;
    EXPECT_THAT(verdict.failed, IsSupersetOf({"dns/state:local-account:RID 1001",
                                              "dns/state:group-member:S-1-5-32-544: "
                                              "S-1-5-21-305419896-1144201745-2289526357-1001"}));
    return;
  }
  ADD_FAILURE() << "no record: " << outcome.errors;
}

}  // namespace
}  // namespace patchlab::e2e
