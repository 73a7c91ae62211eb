// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/run_exit_code.hpp"

#include <gmock/gmock.h>

#include <set>

#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {

TEST(ExitCodes, AreTheDocumentedNumbersOnceEach) {
  std::set<int> numbers;
  for (const auto& entry : exit_codes) EXPECT_TRUE(numbers.insert(number(entry.code)).second) << entry.word;
  EXPECT_EQ(numbers, (std::set<int>{0, 1, 2, 3, 4, 5, 6, 7, 64, 65, 73, 78}));
}

TEST(RunExitCode, IsZeroWhenEverythingPassedAndWasPromoted) {
  EXPECT_EQ(exit_code_for(tests::good_record(), tests::sample_decisions(tests::good_record())), ExitCode::ok);
}

TEST(RunExitCode, IsZeroWhenPromotionWasNotAskedFor) { EXPECT_EQ(exit_code_for(tests::good_record()), ExitCode::ok); }

TEST(RunExitCode, IsOneWhenACandidateFailsAlthoughTheRestWasPromoted) {
  EXPECT_EQ(exit_code_for(tests::rich_record()), ExitCode::candidate_fails);
}

TEST(RunExitCode, IsTwoForEveryKindOfLabTrouble) {
  auto trouble = tests::rich_record();
  trouble.departments[1].error = infrastructure_error("the cell died");
  EXPECT_EQ(exit_code_for(trouble), ExitCode::error);

  auto breach = tests::good_record();
  breach.departments[0].fence.attempts[3].answered = true;
  EXPECT_EQ(exit_code_for(breach), ExitCode::fence_breach) << "with a code of its own";

  auto baseline = tests::good_record();
  baseline.departments[0].trials[0].outcome = Outcome::fail;
  EXPECT_EQ(exit_code_for(baseline), ExitCode::error);

  auto undecided = tests::good_record();
  undecided.departments[0].verdicts[0].outcome = Outcome::error;
  EXPECT_EQ(exit_code_for(undecided), ExitCode::error);

  auto cancelled = tests::good_record();
  cancelled.error = Error{ErrorClass::cancelled, "interrupted", ""};
  EXPECT_EQ(exit_code_for(cancelled), ExitCode::error);
}

TEST(RunExitCode, IsThreeWhenNothingOrNotEverythingWasTested) {
  RunRecord nothing;
  nothing.complete = true;
  EXPECT_EQ(exit_code_for(nothing), ExitCode::not_tested);

  auto interrupted = tests::good_record();
  interrupted.complete = false;
  EXPECT_EQ(exit_code_for(interrupted), ExitCode::not_tested);

  auto unjudged = tests::good_record();
  unjudged.departments[0].verdicts.pop_back();
  EXPECT_EQ(exit_code_for(unjudged), ExitCode::not_tested);

  auto uncovered = tests::good_record();
  uncovered.departments[0].trials[2].phases.pop_back();
  EXPECT_EQ(exit_code_for(uncovered), ExitCode::not_tested);
}

TEST(RunExitCode, IsFourWhenNothingApplies) {
  auto record = tests::good_record();
  for (auto& verdict : record.departments[0].verdicts) verdict.outcome = Outcome::skipped;
  EXPECT_EQ(exit_code_for(record), ExitCode::only_skips);
}

TEST(RunExitCode, IsFiveWhenThePromotionWasRefused) {
  auto record = tests::good_record();
  auto decisions = tests::sample_decisions(record);
  decisions[0].state = DecisionState::refused;
  EXPECT_EQ(exit_code_for(record, decisions), ExitCode::policy);
  decisions[0].state = DecisionState::replaced;
  EXPECT_EQ(exit_code_for(record, decisions), ExitCode::ok);
}

TEST(RunExitCode, IsSixWhenTheSetFailedAndWasNotReproduced) {
  auto record = tests::good_record();
  record.departments[0].flaky = {{FlakeKind::not_reproduced, "dns/a-record", {"tidy"}, {"finance/t3"}, {"finance/t4"}}};
  EXPECT_EQ(exit_code_for(record), ExitCode::inconclusive);
  record.departments[0].flaky[0].kind = FlakeKind::in_search;
  EXPECT_EQ(exit_code_for(record), ExitCode::ok);
}

TEST(RunExitCode, IsSixWhenASetFailsAndNobodyKnowsWhy) {
  auto record = tests::rich_record();
  for (auto& verdict : record.departments[0].verdicts) {
    if (verdict.outcome == Outcome::fail) verdict.outcome = Outcome::error;
  }
  record.departments[0].outcome = Outcome::error;
  EXPECT_EQ(exit_code_for(record), ExitCode::inconclusive);
}

TEST(RunExitCode, Is78WhenTheScenarioWasWrong) {
  auto record = tests::good_record();
  record.error = configuration_error("no such image");
  EXPECT_EQ(exit_code_for(record), ExitCode::bad_configuration);
}

}  // namespace
}  // namespace patchlab::reports
