// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/noise_figures.hpp"

#include <gmock/gmock.h>

#include "tests/support/sample_record.hpp"

namespace patchlab::test {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Baseline and control of two machines pass; the batch of good_record is no control and counts for nothing but its
// executions.
TEST(NoiseFigures, CountTheControls) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  department.trials.resize(2);
  department.trials.push_back(department.trials[1]);
  department.trials.push_back(department.trials[1]);
  NoiseFigures figures;
  add(figures, record);
  EXPECT_EQ(figures.departments, 1U);
  EXPECT_EQ(figures.controls, 3U);
  EXPECT_TRUE(figures.clean());
  EXPECT_EQ(figures.failed_executions, 0U);
  EXPECT_GT(figures.executions, 0U);
  EXPECT_THAT(figures.remarks, IsEmpty());

  department.trials[2].outcome = Outcome::fail;
  department.trials[2].signature = {"dns/a-record"};
  department.trials[3].outcome = Outcome::error;
  department.trials[3].error = guest_error("silent");
  NoiseFigures noisy;
  add(noisy, record);
  add(noisy, record);
  EXPECT_EQ(noisy.controls, 6U);
  EXPECT_EQ(noisy.false_fails, 2U);
  EXPECT_EQ(noisy.errors, 2U);
  EXPECT_EQ(noisy.lost_departments, 0U);
  EXPECT_FALSE(noisy.clean());
  EXPECT_THAT(noisy.remarks, testing::Contains(HasSubstr("failed: dns/a-record")));
  EXPECT_THAT(told(noisy),
              HasSubstr("false fails:      2 of 6 department-controls; with 95 % confidence at most 72.87 %"));
}

TEST(NoiseFigures, ADepartmentThatCouldNotBeginIsLostAndACancelledOneIsNot) {
  auto record = tests::good_record();
  auto& department = record.departments[0];
  department.trials.clear();
  department.error = guest_error("broken baseline");
  NoiseFigures figures;
  add(figures, record);
  EXPECT_EQ(figures.lost_departments, 1U);
  EXPECT_EQ(figures.controls, 0U);
  EXPECT_THAT(figures.remarks, ElementsAre("finance: lost: broken baseline"));
  department.error = Error{ErrorClass::cancelled, "the run was cancelled", {}};
  NoiseFigures cancelled;
  add(cancelled, record);
  EXPECT_EQ(cancelled.departments, 0U);
  EXPECT_TRUE(cancelled.clean());
}

TEST(NoiseFigures, FailedTriesThatDidNotCountAreCountedHere) {
  auto record = tests::good_record();
  record.departments[0].trials.resize(2);
  auto& check = record.departments[0].trials[1].phases[0].checks[0];
  check.tries = {{Outcome::fail, Milliseconds(20), "no-answer", "nothing", Json()},
                 {Outcome::pass, Milliseconds(10), "", "", Json()}};
  NoiseFigures figures;
  add(figures, record);
  EXPECT_EQ(figures.failed_executions, 1U);
  EXPECT_TRUE(figures.clean());
  EXPECT_THAT(figures.remarks, ElementsAre(HasSubstr("flaky: dns/a-record failed in 1 of 2 tries")));
}

TEST(NoiseFigures, SayWhatCouldNotBeObserved) {
  auto record = tests::good_record();
  auto& trial = record.departments[0].trials[1];
  trial.outcome = Outcome::error;
  auto& phase = trial.phases[0];
  phase.outcome = Outcome::error;
  phase.error = guest_error("its list of packages cannot be read");
  phase.checks[0].outcome = Outcome::error;
  phase.checks[0].reason = "the worker did not end";
  NoiseFigures figures;
  add(figures, record);
  EXPECT_EQ(figures.errors, 1U);
  const auto where = trial.id + ": " + phase.machine + ", " + phase.phase + ": ";
  EXPECT_THAT(figures.remarks, testing::Contains(HasSubstr(where + "its list of packages cannot be read")));
  EXPECT_THAT(figures.remarks, testing::Contains(HasSubstr(where + phase.checks[0].id + ": the worker did not end")));
}

}  // namespace
}  // namespace patchlab::test
