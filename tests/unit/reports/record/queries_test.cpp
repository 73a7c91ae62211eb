// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/queries.hpp"

#include <gmock/gmock.h>

#include "reports/record/severity.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Severities, HaveOneOrderAndWhatNobodyKnowsIsTheWorst) {
  EXPECT_LT(severity_rank("critical"), severity_rank("important"));
  EXPECT_LT(severity_rank("important"), severity_rank("moderate"));
  EXPECT_LT(severity_rank("moderate"), severity_rank("low"));
  for (const char* word : {"", "unknown", "Critical", "emergency", "low "}) {
    EXPECT_FALSE(is_known_severity(word)) << word;
    EXPECT_LT(severity_rank(word), severity_rank("critical")) << word;
  }
  auto record = tests::good_record();
  const std::vector<std::string> both{record.candidates[0].id, record.candidates[1].id};
  record.candidates[0].severity = "low";
  record.candidates[1].severity = "moderate";
  EXPECT_EQ(worst_severity(record, both), "moderate");
  EXPECT_EQ(worst_severity(record, {both[0]}), "low");
  record.candidates[0].severity = "critical";
  EXPECT_EQ(worst_severity(record, both), "critical");
  record.candidates[1].severity = "urgent";
  EXPECT_EQ(worst_severity(record, both), "unknown");
  EXPECT_EQ(worst_severity(record, {"nobody"}), "unknown");
  EXPECT_EQ(worst_severity(record, {}), "unknown");
}

TEST(MissingChecks, AreNoneInACompleteTrial) {
  const auto record = tests::rich_record();
  for (const auto& department : record.departments) {
    for (const auto& trial : department.trials) EXPECT_THAT(missing_checks(department, trial), IsEmpty()) << trial.id;
  }
}

TEST(MissingChecks, NameAPlannedCheckWithoutAResult) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  auto& trial = department.trials[2];
  std::erase_if(trial.phases[0].checks, [](const auto& check) { return check.id == "mx-record"; });
  EXPECT_THAT(missing_checks(department, trial), ElementsAre(MissingCheck{"after-install", "dns", "mx-record"}));
}

TEST(MissingChecks, CountANotReachedResultAsMissing) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  department.trials[2].phases[3].checks[0].outcome = Outcome::not_reached;
  EXPECT_THAT(missing_checks(department, department.trials[2]),
              ElementsAre(MissingCheck{"after-reboot-1", "mail", "deliver"}));
}

TEST(MissingChecks, AMachineWithoutPlannedChecksIsNotCovered) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  department.machines[1].checks.clear();
  EXPECT_THAT(missing_checks(department, department.trials[0]), ElementsAre(MissingCheck{"baseline", "mail", "*"}));
}

TEST(MissingChecks, DoNotAskForAfterInstallWhereNothingIsInstalled) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  auto& control = department.trials[1];
  std::erase_if(control.phases, [](const auto& phase) { return phase.phase == "after-install"; });
  EXPECT_THAT(missing_checks(department, control), IsEmpty());
  std::erase_if(control.phases, [](const auto& phase) { return phase.machine == "mail"; });
  EXPECT_THAT(missing_checks(department, control),
              ElementsAre(MissingCheck{"after-reboot-1", "mail", "deliver"},
                          MissingCheck{"after-reboot-1", "mail", "relay-refused"}));
}

TEST(MissingChecks, AskTheControlForTheOnlyPhaseThereIs) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  department.phases = {"after-install"};
  auto& control = department.trials[1];
  std::erase_if(control.phases, [](const auto& phase) { return phase.phase == "after-install"; });
  EXPECT_FALSE(missing_checks(department, control).empty());
}

// Whoever says of another phase, or alone, that a check fails without a patch as well is asked for it.
TEST(MissingChecks, ExcuseAfterAMoveOfTheClockOnlyWhatFailsInTheControlThen) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  auto& control = department.trials[1];
  auto& batch = department.trials[2];
  ASSERT_EQ(control.purpose, Purpose::control);
  const auto move = [](TrialRecord& trial, const std::string& name) {
    auto phase = *find_phase(trial, "after-reboot-1", "mail");
    phase.phase = name;
    std::erase_if(phase.checks, [](const auto& check) { return check.id == "deliver"; });
    phase.fails_without_patch = {{"deliver", "the certificate has ended"}};
    trial.phases.push_back(phase);
    std::erase(trial.machines, "dns");
    std::erase(trial.machines, "print");
  };
  department.phases = {"clock+1d"};
  move(batch, "clock+1d");
  EXPECT_THAT(missing_checks(department, batch), ElementsAre(MissingCheck{"clock+1d", "mail", "deliver"}));
  move(control, "clock+1d");
  EXPECT_THAT(missing_checks(department, batch), IsEmpty());
  EXPECT_THAT(missing_checks(department, control), IsEmpty());
  department.phases = {"stability"};
  move(batch, "stability");
  move(control, "stability");
  EXPECT_THAT(missing_checks(department, batch), ElementsAre(MissingCheck{"stability", "mail", "deliver"}));
}

TEST(FailureSignature, HoldsChecksStateAndInstallationsOnce) {
  TrialRecord trial;
  trial.installs.push_back({"mail", "kb-1", Outcome::fail, 1, "", 0});
  for (const char* name : {"after-install", "after-reboot-1"}) {
    PhaseRecord phase;
    phase.phase = name;
    phase.machine = "mail";
    phase.differences.push_back({"service", "postfix", "running", "failed"});
    checks::CheckResult check;
    check.id = "deliver";
    check.outcome = Outcome::fail;
    phase.checks.push_back(check);
    check.id = "relay-refused";
    check.outcome = Outcome::error;
    phase.checks.push_back(check);
    trial.phases.push_back(phase);
  }
  EXPECT_THAT(failure_signature(trial), ElementsAre("mail/deliver", "mail/install:kb-1", "mail/state:service:postfix"));
}

TEST(FailureSignature, HoldsNoFindingThatAPersonHasToLookAt) {
  TrialRecord trial;
  PhaseRecord phase;
  phase.machine = "mail";
  for (const auto finding : {checks::state::FindingClass::review, checks::state::FindingClass::notice})
    phase.differences.push_back({"file", "/etc/postfix/main.cf", "a", "b", finding});
  trial.phases.push_back(phase);
  EXPECT_THAT(failure_signature(trial), ElementsAre());
}

TEST(FactsOf, FollowsAReuseOfTheSameSetOnly) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  auto final_trial = department.trials[2];
  final_trial.id = "finance/t3";
  final_trial.purpose = reports::Purpose::final;
  final_trial.reused_from = "finance/t2";
  final_trial.phases.clear();
  department.trials.push_back(final_trial);
  EXPECT_EQ(facts_of(department, department.trials[3]), &department.trials[2]);
  department.trials[3].machines.pop_back();
  EXPECT_EQ(facts_of(department, department.trials[3]), nullptr);
}

TEST(StateCost, IsWhatLookingAtWholeGuestsTakesOfTheMachinesTime) {
  RunRecord record;
  record.timings = {{"finance", "dns", "", "boot", 0, 30'000}, {"finance", "", "", "clone", 0, 99'000}};
  EXPECT_FALSE(cost_of_state(record)) << "a run of an older version does not tell";
  record.timings.push_back({"finance", "dns", "", state_step, 30'000, 2'600});
  record.timings.push_back({"finance", "mail", "finance/t1", state_step, 40'000, 1'000});
  record.timings.push_back({"finance", "mail", "finance/t1", "checks", 41'000, 38'400});
  const auto cost = cost_of_state(record);
  ASSERT_TRUE(cost);
  EXPECT_EQ(to_string(*cost), "changes: 4 s of 72 s machine time (5.0 %)");
}

}  // namespace
}  // namespace patchlab::reports
