// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/controls.hpp"

#include <gmock/gmock.h>

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Controls end as told, one after another; the last is repeated.
class ToldCell final : public cell::CellClient {
 public:
  Result<reports::TrialRecord> prepare(const cell::CellJob& job) override {
    reports::TrialRecord record{.id = fmt::format("{}/baseline-{}", job.department, ++baselines),
                                .purpose = reports::Purpose::baseline,
                                .outcome = baseline};
    if (baseline != Outcome::pass) record.error = guest_error("broken baseline");
    return record;
  }
  Result<reports::TrialRecord> run_trial(const cell::TrialJob& job) override {
    trials.push_back(job);
    const auto outcome = outcomes[std::min(trials.size(), outcomes.size()) - 1];
    if (outcome == Outcome::error) return infrastructure_error("the cell is gone");
    reports::TrialRecord record{.id = job.id, .purpose = job.purpose, .machines = job.machines, .outcome = outcome};
    if (outcome == Outcome::fail) record.signature = {"dns/a-record"};
    return record;
  }
  Result<void> probe_fence(const std::string&) override { return {}; }
  void close() override {}

  Outcome baseline = Outcome::pass;
  int baselines = 0;
  std::vector<Outcome> outcomes{Outcome::pass};
  std::vector<cell::TrialJob> trials;
};

class ControlsTest : public ::testing::Test {
 protected:
  ControlsTest() {
    job_.cell.department = "finance";
    job_.cell.machines.resize(2);
    job_.cell.machines[0].plan.name = "dns";
    job_.cell.machines[1].plan.name = "mail";
    job_.controls = 3;
  }
  reports::DepartmentRecord run() { return run_controls(job_, lab_, stop_.get_token()); }
  [[nodiscard]] std::vector<bool> judged() const {
    std::vector<bool> all;
    for (const auto& trial : lab_.trials) all.push_back(trial.judged);
    return all;
  }

  DepartmentJob job_;
  ToldCell lab_;
  std::stop_source stop_;
};

TEST_F(ControlsTest, JudgesAllButTheFirst) {
  const auto record = run();
  EXPECT_THAT(judged(), ElementsAre(false, true, true, true));
  EXPECT_THAT(lab_.trials[1].reboot_anyway, ElementsAre("dns", "mail"));
  EXPECT_TRUE(lab_.trials[1].installs.empty());
  EXPECT_FALSE(record.error);
  EXPECT_EQ(record.outcome, Outcome::skipped) << "nothing was tested";
  EXPECT_EQ(record.trials.size(), 5U);
}

TEST_F(ControlsTest, WhatFailsIsCountedAndEndsNothing) {
  lab_.outcomes = {Outcome::pass, Outcome::fail, Outcome::error, Outcome::pass};
  const auto record = run();
  EXPECT_THAT(judged(), ElementsAre(false, true, true, true));
  EXPECT_FALSE(record.error);
  EXPECT_EQ(record.trials[2].outcome, Outcome::fail);
  EXPECT_EQ(record.trials[3].outcome, Outcome::error);
  EXPECT_THAT(record.trials[3].error->message, HasSubstr("the cell is gone"));
}

TEST_F(ControlsTest, TheFirstIsTriedOnceMoreAndADepartmentWithoutOneIsLost) {
  lab_.outcomes = {Outcome::fail, Outcome::pass};
  EXPECT_FALSE(run().error);
  EXPECT_THAT(judged(), ElementsAre(false, false, true, true, true));
  lab_.trials.clear();
  lab_.outcomes = {Outcome::fail};
  EXPECT_THAT(run().error->message, HasSubstr("dns/a-record"));
  EXPECT_THAT(judged(), ElementsAre(false, false));
}

TEST_F(ControlsTest, WithoutABaselineThereIsNoControl) {
  lab_.baseline = Outcome::error;
  EXPECT_EQ(run().error->message, "broken baseline");
  EXPECT_EQ(lab_.baselines, 2);
  EXPECT_TRUE(lab_.trials.empty());
}

TEST_F(ControlsTest, EndsWhenItIsCancelled) {
  stop_.request_stop();
  EXPECT_EQ(run().error->error_class, ErrorClass::cancelled);
  EXPECT_LE(lab_.trials.size(), 1U);
}

}  // namespace
}  // namespace patchlab::runners
