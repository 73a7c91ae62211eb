// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <fstream>

#include "program.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

// The main job in small: one real name server, one harmless package and one that breaks it after a restart.
TEST(SmallRun, HoldsBackTheBadPackageAndPublishesTheOther) {
  const TemporaryFolder folder;
  folder.write("small.json", small_scenario().dump());
  const auto outcome = patchlab({"run", "small.json"}, folder.path(), std::chrono::minutes(14));
  ASSERT_EQ(exit_code(outcome), 1) << outcome.output << outcome.errors;

  fs::path run;
  for (const auto& entry : fs::directory_iterator(folder.path() / "runs")) {
    if (entry.is_directory()) run = entry.path();
  }
  const auto record = reports::read_run_record(run / reports::run_file_name);
  ASSERT_TRUE(record) << record.error().message;
  const auto& finance = record->departments.at(0);
  EXPECT_EQ(reports::find_verdict(finance, "harmless-hostname")->outcome, Outcome::pass);
  EXPECT_EQ(reports::find_verdict(finance, "bad-dns-reboot")->outcome, Outcome::fail);
  EXPECT_THAT(reports::find_verdict(finance, "bad-dns-reboot")->group, IsEmpty());

  const auto* batch = reports::trial_with_purpose(finance, "batch");
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(reports::find_phase(*batch, "after-install", "dns")->outcome, Outcome::pass) << "the running server does not notice";
  EXPECT_EQ(reports::find_phase(*batch, "after-reboot-1", "dns")->outcome, Outcome::fail);

  EXPECT_EQ(finance.promotion.outcome, "promoted") << Json(finance.promotion.reasons).dump(1);
  EXPECT_THAT(finance.promotion.candidates, ::testing::ElementsAre("harmless-hostname"));
  const auto stage = folder.path() / "production";
  EXPECT_TRUE(fs::exists(stage / "finance" / "harmless-hostname"));
  EXPECT_FALSE(fs::exists(stage / "finance" / "bad-dns-reboot"));
  const auto verified = patchlab({"verify", stage.string()}, folder.path());
  EXPECT_EQ(exit_code(verified), 0) << verified.output << verified.errors;

  EXPECT_GT(finance.fence.attempts.size(), 0U);
  EXPECT_EQ(finance.fence.answers(), 0U);
  EXPECT_THAT(lab_processes(), IsEmpty());
  EXPECT_THAT(scratch_folders(), IsEmpty());

  const auto explained = patchlab({"explain", "bad-dns-reboot"}, folder.path());
  EXPECT_EQ(exit_code(explained), 5);
  EXPECT_THAT(explained.output, HasSubstr("finance: fail"));

  // A stage that somebody changed is no longer what was tested.
  for (const auto& file : fs::recursive_directory_iterator(stage / "finance" / "harmless-hostname")) {
    if (file.path().extension() != ".deb") continue;
    fs::permissions(file.path(), fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(file.path(), std::ios::app) << "x";
  }
  EXPECT_EQ(exit_code(patchlab({"verify", stage.string()}, folder.path())), 65);
}

}  // namespace
}  // namespace patchlab::e2e
