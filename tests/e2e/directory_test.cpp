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
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

namespace fs = std::filesystem;

// The night of a directory with two controllers, as shipped: Samba, whose database one machine alone cannot show sound.
class Directory : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    why_not_ = why_no_lab();
    if (!why_not_.empty()) return;
    folder_ = std::make_unique<TemporaryFolder>();
    cache_ = std::make_unique<OwnCache>();
    const auto scenario = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "directory-night.json";
    outcome_ = patchlab({"run", scenario.string(), "--runs", "runs"}, folder_->path(), std::chrono::minutes(28));
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
    ASSERT_TRUE(record_) << outcome_.describe() << "\n"
                         << outcome_.errors.substr(outcome_.errors.size() > 6000 ? outcome_.errors.size() - 6000 : 0);
  }

  static const reports::DepartmentRecord& office() { return record_->departments.at(0); }
  static const reports::VerdictRecord& verdict(const std::string& candidate) {
    return *std::ranges::find(office().verdicts, candidate, &reports::VerdictRecord::candidate);
  }
  // Of one controller in a trial of this candidate alone; null when there was no such trial.
  static const reports::PhaseRecord* alone(const std::string& candidate, const std::string& phase,
                                           const std::string& machine) {
    for (const auto& trial : office().trials) {
      if (reports::is_trial_of_a_set(trial) && trial.candidates == std::vector{candidate})
        return reports::find_phase(trial, phase, machine);
    }
    return nullptr;
  }
  static std::vector<std::string> failed_checks(const reports::PhaseRecord& phase) {
    std::vector<std::string> failed;
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::fail) failed.push_back(check.id);
    }
    return failed;
  }

  static constexpr const char* harmless = "harmless-directory";
  static constexpr const char* replication = "bad-directory-replication";
  static constexpr const char* rc4 = "bad-directory-rc4";

  static inline std::string why_not_;
  static inline std::unique_ptr<TemporaryFolder> folder_;
  static inline std::unique_ptr<OwnCache> cache_;
  static inline ProcessOutcome outcome_;
  static inline fs::path run_;
  static inline std::optional<reports::RunRecord> record_;
};

TEST_F(Directory, HoldsBackExactlyTheBadCandidates) {
  EXPECT_EQ(exit_code(outcome_), 1);
  EXPECT_FALSE(office().error) << office().error->message;
  EXPECT_EQ(verdict(harmless).outcome, Outcome::pass) << verdict(harmless).reason;
  for (const auto* candidate : {replication, rc4}) {
    EXPECT_EQ(verdict(candidate).outcome, Outcome::fail) << candidate << ": " << verdict(candidate).reason;
    EXPECT_THAT(verdict(candidate).group, IsEmpty()) << candidate;
  }
  EXPECT_THAT(verdict(replication).failed, UnorderedElementsAre("dc1/to-dc2", "dc2/to-dc1"));
  EXPECT_THAT(verdict(rc4).failed, UnorderedElementsAre("dc1/ticket-rc4", "dc2/ticket-rc4"));
}

TEST_F(Directory, SeesReplicationBreakOnlyWhenBothWereRestarted) {
  for (const auto* machine : {"dc1", "dc2"}) {
    SCOPED_TRACE(machine);
    const auto* before = alone(replication, "after-install", machine);
    const auto* after = alone(replication, "after-reboot-1", machine);
    ASSERT_TRUE(before != nullptr && after != nullptr) << "no trial of it alone";
    EXPECT_EQ(before->outcome, Outcome::pass);
    EXPECT_THAT(failed_checks(*after), ElementsAre(machine == std::string("dc1") ? "to-dc2" : "to-dc1"));
  }
}

TEST_F(Directory, SeesAtOnceThatRc4IsGone) {
  for (const auto* machine : {"dc1", "dc2"}) {
    SCOPED_TRACE(machine);
    const auto* phase = alone(rc4, "after-install", machine);
    ASSERT_NE(phase, nullptr) << "no trial of it alone";
    EXPECT_THAT(failed_checks(*phase), ElementsAre("ticket-rc4"));
  }
}

// Each trial writes at both controllers and ends with both taken back to one moment. A controller that had gone back
// alone would give out numbers of changes (USNs) again that the other one has seen already, and what it writes would
// never arrive.
TEST_F(Directory, ReplicatesBothWaysAfterBothWereTakenBackTogether) {
  const auto* last = reports::find_trial(office(), office().final_trial);
  ASSERT_NE(last, nullptr);
  EXPECT_GT(std::ranges::count_if(office().trials, [&](const auto& trial) { return trial.started < last->started; }), 2)
      << "nothing had been taken back before it";
  for (const auto* phase : {"after-install", "after-reboot-1"}) {
    for (const auto* machine : {"dc1", "dc2"}) {
      const auto* found = reports::find_phase(*last, phase, machine);
      ASSERT_NE(found, nullptr) << phase << ", " << machine;
      const auto* check = reports::find_check(*found, machine == std::string("dc1") ? "to-dc2" : "to-dc1");
      ASSERT_NE(check, nullptr);
      EXPECT_EQ(check->outcome, Outcome::pass) << phase << ", " << machine;
    }
  }
}

TEST_F(Directory, PublishesExactlyWhatPassed) {
  const auto decision = decision_in(run_, "office");
  ASSERT_TRUE(decision.is_object());
  EXPECT_EQ(decision.at("outcome"), "promoted") << decision.dump();
  EXPECT_THAT(decision.at("candidates").get<std::vector<std::string>>(), ElementsAre(harmless));
  EXPECT_EQ(office().fence.answers(), 0U);
  EXPECT_THAT(office().fence.troubles, IsEmpty());
  EXPECT_THAT(lab_processes(), IsEmpty());
  EXPECT_THAT(scratch_folders(), IsEmpty());
}

}  // namespace
}  // namespace patchlab::e2e
