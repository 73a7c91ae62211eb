// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "program.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

namespace fs = std::filesystem;

// The main job with Windows packages, as shipped: made in their real format, taken in, and installed by the commands
// that drive Windows.
class WindowsStandIn : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_not_ = why_no_lab();
    if (!why_not_.empty()) return;
    folder_ = std::make_unique<TemporaryFolder>();
    cache_ = std::make_unique<OwnCache>();
    const auto scenario = windows_scenario(folder_->path());
    if (!scenario) {
      trouble_ = scenario.error();
      return;
    }
    folder_->write("scenario.json", scenario->dump());
    outcome_ = patchlab({"run", "scenario.json", "--runs", "runs"}, folder_->path(), std::chrono::minutes(38));
    std::error_code code;
    for (const auto& run : fs::directory_iterator(folder_->path() / "runs", code)) {
      if (run.is_directory()) run_ = run.path();
    }
    if (auto record = reports::read_run_record(run_ / reports::run_file_name)) record_ = std::move(record).value();
  }
  static void TearDownTestSuite() {
    folder_.reset();
    cache_.reset();
  }

  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_;
    ASSERT_TRUE(trouble_) << trouble_.error().message;
    ASSERT_TRUE(record_) << outcome_.describe() << "\n"
                         << outcome_.errors.substr(outcome_.errors.size() > 6000 ? outcome_.errors.size() - 6000 : 0);
  }

  static const reports::DepartmentRecord& finance() { return record_->departments.at(0); }
  static const reports::VerdictRecord& verdict(const std::string& candidate) {
    return *std::ranges::find(finance().verdicts, candidate, &reports::VerdictRecord::candidate);
  }
  static const reports::TrialRecord& final_trial() { return *reports::find_trial(finance(), finance().final_trial); }
  static std::string end_of(const reports::TrialRecord& trial, const std::string& candidate) {
    const auto found = std::ranges::find(trial.installs, candidate, &reports::InstallRecord::candidate);
    return found == trial.installs.end() ? "not in this trial" : found->end;
  }

  static constexpr const char* good = "KB9900001-6.2.1.0";
  static constexpr const char* good_cab = "KB9900002-6.2.1.0";
  static constexpr const char* good_reboot = "KB9900003-6.2.1.0";
  static constexpr const char* good_msi = "Fabrikam-Agent-1.2.3";
  static constexpr const char* good_exe = "fabrikam-tool-4.5";
  static constexpr const char* breaks_dns = "KB9900004-6.2.1.0";
  static constexpr const char* not_applicable = "KB9900006-6.2.1.0";
  static constexpr const char* fails_to_install = "KB9900007-6.2.1.0";
  static constexpr const char* already_installed = "KB2769165-6.2.1.0";

  static inline std::string why_not_;
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<OwnCache> cache_;
  static inline Result<void> trouble_;
  static inline ProcessOutcome outcome_;
  static inline fs::path run_;
  static inline std::optional<reports::RunRecord> record_;
};

TEST_F(WindowsStandIn, EndsWithTheRightVerdicts) {
  EXPECT_EQ(exit_code(outcome_), 1);
  EXPECT_FALSE(finance().error) << finance().error->message;
  for (const auto* candidate : {good, good_cab, good_reboot, good_msi, good_exe})
    EXPECT_EQ(verdict(candidate).outcome, Outcome::pass) << verdict(candidate).reason;
  EXPECT_EQ(verdict(breaks_dns).outcome, Outcome::fail) << verdict(breaks_dns).reason;
  EXPECT_THAT(verdict(breaks_dns).failed, UnorderedElementsAre("dns/cname-chain", "dns/cname-chain-tcp"));
  EXPECT_THAT(verdict(breaks_dns).group, IsEmpty());
  EXPECT_EQ(verdict(fails_to_install).outcome, Outcome::fail) << verdict(fails_to_install).reason;
  EXPECT_THAT(verdict(fails_to_install).failed, ElementsAre("dns/install:KB9900007-6.2.1.0"));
}

TEST_F(WindowsStandIn, LeavesOutWhatTheGuestDoesNotTake) {
  EXPECT_EQ(verdict(not_applicable).outcome, Outcome::skipped);
  EXPECT_THAT(verdict(not_applicable).reason, HasSubstr("'dns' did not take it: not applicable, 0x80240017"));
  EXPECT_EQ(verdict(already_installed).outcome, Outcome::skipped);
  EXPECT_THAT(verdict(already_installed).reason, HasSubstr("already installed, 0x00240006"));
}

TEST_F(WindowsStandIn, CountsAnUpdateThatWaitsForTheRestart) {
  EXPECT_EQ(end_of(final_trial(), good), "installed");
  for (const auto* candidate : {good_reboot, good_exe})
    EXPECT_EQ(end_of(final_trial(), candidate), "installed, reboot needed");
  for (const auto* phase : {"after-install", "after-reboot-1"})
    EXPECT_EQ(reports::find_phase(final_trial(), phase, "dns")->outcome, Outcome::pass) << phase;
}

TEST_F(WindowsStandIn, RehearsesTheRemovalOfWhatPassed) {
  for (const auto* candidate : {good, good_cab, good_reboot, good_msi})
    EXPECT_EQ(verdict(candidate).removal, "Was removed again, and every check passed") << candidate;
  EXPECT_THAT(verdict(good_exe).removal, HasSubstr("there is no common command"));
}

TEST_F(WindowsStandIn, PublishesExactlyWhatPassed) {
  const auto decision = decision_in(run_, "finance");
  ASSERT_TRUE(decision.is_object());
  EXPECT_EQ(decision.at("outcome"), "promoted") << decision.dump();
  EXPECT_THAT(decision.at("candidates").get<std::vector<std::string>>(),
              UnorderedElementsAre(good, good_cab, good_reboot, good_msi, good_exe));
  EXPECT_EQ(exit_code(patchlab({"verify", "production"}, folder_->path())), 0);
}

TEST_F(WindowsStandIn, ProvesTheFenceAndTheImage) {
  EXPECT_EQ(finance().fence.answers(), 0U);
  EXPECT_THAT(finance().fence.troubles, IsEmpty());
  EXPECT_EQ(finance().machines.at(0).golden_digest, finance().machines.at(0).golden_digest_after);
  EXPECT_THAT(lab_processes(), IsEmpty());
  EXPECT_THAT(scratch_folders(), IsEmpty());
}

}  // namespace
}  // namespace patchlab::e2e
