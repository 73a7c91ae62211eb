// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/each_alone.hpp"

#include <gmock/gmock.h>

#include <mutex>

#include "tests/support/fake_clock.hpp"

namespace patchlab::runners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// A trial ends as its candidate does, controls as they are told.
class CandidateCell final : public cell::CellClient {
 public:
  Result<reports::TrialRecord> prepare(const cell::CellJob& job) override {
    return reports::TrialRecord{
        .id = job.department + "/baseline", .purpose = reports::Purpose::baseline, .outcome = Outcome::pass};
  }
  Result<reports::TrialRecord> run_trial(const cell::TrialJob& job) override {
    const std::lock_guard lock(mutex_);
    trials.push_back(job);
    reports::TrialRecord record{.id = job.id,
                                .purpose = job.purpose,
                                .candidates = job.candidates,
                                .set_digest = job.set_digest,
                                .machines = job.machines,
                                .outcome = job.candidates.empty() ? control : Outcome::pass};
    checks::CheckResult check{.id = "a-record", .outcome = Outcome::pass};
    for (const auto& id : job.candidates) {
      if (flaky.erase(id) > 0) {
        check.tries = {{Outcome::fail, {}, "no-answer", "", Json()}, {Outcome::pass, {}, "", "", Json()}};
        bad.insert(id);
        record.phases.push_back(
            {.phase = "after-install", .machine = job.machines.front(), .outcome = Outcome::pass, .checks = {check}});
        return record;
      }
      if (lost > 0 && lost-- > 0) return infrastructure_error("the disk is full");
      if (bad.contains(id)) record.outcome = Outcome::fail;
    }
    if (record.outcome == Outcome::fail) record.signature = {job.machines.front() + "/a-record"};
    return record;
  }
  Result<void> probe_fence(const std::string&) override { return {}; }
  void close() override {}

  Outcome control = Outcome::pass;
  std::set<std::string> bad;
  std::set<std::string> flaky;  // a check fails, and passes when it is asked again; the next time it fails
  int lost = 0;                 // that many trials of candidates
  std::vector<cell::TrialJob> trials;

 private:
  std::mutex mutex_;
};

class EachAloneTest : public ::testing::Test {
 protected:
  EachAloneTest() {
    job_.each_alone = true;
    job_.cell.department = "finance";
    for (const char* name : {"db", "dns", "mail"}) {
      auto& machine = job_.cell.machines.emplace_back();
      machine.plan.name = name;
    }
    job_.cell.machines[2].plan.depends_on = {"dns"};
    job_.medium = [](const std::string& machine, const std::vector<std::size_t>& set) -> Result<std::filesystem::path> {
      return std::filesystem::path(fmt::format("/media/{}-{}.iso", machine, set.at(0)));
    };
  }
  void add(const std::string& id, const std::vector<std::string>& machines) {
    auto& candidate = job_.candidates.emplace_back();
    candidate.id = id;
    candidate.digest = "digest of " + id;
    for (const auto& machine : machines) candidate.installs[machine] = {.candidate = id};
    if (machines.empty()) candidate.skipped_because = "nobody has it";
  }
  reports::DepartmentRecord run() { return run_each_alone(job_, lab_, memo_, clock_, stop_.get_token()); }
  [[nodiscard]] std::vector<cell::TrialJob> trials_of_candidates() const {
    std::vector<cell::TrialJob> found;
    std::ranges::copy_if(lab_.trials, std::back_inserter(found),
                         [](const auto& trial) { return !trial.candidates.empty(); });
    std::ranges::sort(found, {}, &cell::TrialJob::candidates);
    return found;
  }

  DepartmentJob job_;
  CandidateCell lab_;
  TrialMemo memo_;
  test::FakeClock clock_;
  std::stop_source stop_;
};

TEST_F(EachAloneTest, TriesEveryCandidateOnceFromTheBaselineOnItsMachinesAndWhatTheyNeed) {
  add("a", {"dns"});
  add("b", {"mail"});
  add("c", {});
  lab_.bad = {"a"};
  const auto record = run();
  EXPECT_FALSE(record.error);
  const auto trials = trials_of_candidates();
  ASSERT_EQ(trials.size(), 2U);
  EXPECT_THAT(trials[0].machines, ElementsAre("dns"));
  EXPECT_THAT(trials[1].machines, ElementsAre("dns", "mail"));
  EXPECT_EQ(trials[1].media.at("mail"), "/media/mail-1.iso");
  for (const auto& trial : trials) {
    EXPECT_EQ(trial.purpose, reports::Purpose::final);
    EXPECT_TRUE(trial.from_baseline);
    EXPECT_TRUE(trial.stability);
    EXPECT_TRUE(trial.stop_at_first_failure) << "the verdict is known then";
  }
  ASSERT_EQ(record.verdicts.size(), 3U);
  EXPECT_EQ(record.verdicts[0].outcome, Outcome::fail);
  EXPECT_THAT(record.verdicts[0].failed, ElementsAre("dns/a-record"));
  EXPECT_EQ(record.verdicts[2].outcome, Outcome::skipped);
  EXPECT_EQ(record.verdicts[2].reason, "nobody has it");
}

TEST_F(EachAloneTest, ACheckThatACandidateMadeFlakyIsAskedOnceMoreInATrialOfItsOwn) {
  add("a", {"dns"});
  lab_.flaky = {"a"};
  const auto record = run();
  EXPECT_EQ(trials_of_candidates().size(), 2U);
  EXPECT_EQ(record.verdicts[0].outcome, Outcome::fail);
}

TEST_F(EachAloneTest, NothingIsPromotable) {
  add("a", {"dns"});
  const auto record = run();
  EXPECT_EQ(record.verdicts[0].outcome, Outcome::not_reached);
  EXPECT_THAT(record.verdicts[0].reason, HasSubstr("passes alone"));
  EXPECT_THAT(record.final_trial, IsEmpty());
  EXPECT_EQ(record.outcome, Outcome::skipped);
}

TEST_F(EachAloneTest, ControlsComeFirstAndNoTwoTrialsHaveOneName) {
  job_.controls = 2;
  add("a", {"dns"});
  add("b", {"db"});
  const auto record = run();
  std::set<std::string> ids;
  for (const auto& trial : record.trials) ids.insert(trial.id);
  EXPECT_EQ(ids.size(), 6U) << "baseline, control, two controls that are judged, two candidates";
  EXPECT_EQ(record.trials.size(), 6U);
  EXPECT_THAT(lab_.trials[0].candidates, IsEmpty());
  EXPECT_FALSE(lab_.trials[0].judged);
  EXPECT_TRUE(lab_.trials[2].judged);
}

TEST_F(EachAloneTest, WithoutAControlNothingIsTried) {
  lab_.control = Outcome::fail;
  add("a", {"dns"});
  const auto record = run();
  EXPECT_TRUE(record.error);
  EXPECT_THAT(trials_of_candidates(), IsEmpty());
  EXPECT_EQ(record.verdicts[0].outcome, Outcome::not_reached);
}

TEST_F(EachAloneTest, ALostTrialIsTriedAgainAsInEveryRun) {
  job_.cell.policy.lab_retries = 1;
  add("a", {"dns"});
  lab_.lost = 1;
  const auto once = run();
  EXPECT_EQ(trials_of_candidates().size(), 2U);
  EXPECT_EQ(once.verdicts[0].outcome, Outcome::not_reached);
  lab_.lost = 2;
  const auto twice = run();
  EXPECT_EQ(twice.verdicts[0].outcome, Outcome::error);
  EXPECT_THAT(twice.verdicts[0].reason, HasSubstr("the disk is full"));
}

TEST_F(EachAloneTest, WhatSharesNoMachineGoesSideBySide) {
  add("a", {"dns"});
  add("b", {"db"});
  add("c", {"mail"});
  add("d", {});
  std::stop_token never;
  const DepartmentTrials trials(job_, lab_, memo_, clock_, never);
  EXPECT_THAT(lanes_of(trials, job_.candidates),
              UnorderedElementsAre(Lane{{"dns", "mail"}, {0, 2}}, Lane{{"db"}, {1}}));
  add("e", {"db", "dns"});
  EXPECT_THAT(lanes_of(trials, job_.candidates), ElementsAre(Lane{{"db", "dns", "mail"}, {0, 1, 2, 4}}));
}

TEST_F(EachAloneTest, EndsWhenItIsCancelled) {
  add("a", {"dns"});
  stop_.request_stop();
  EXPECT_EQ(run().error->error_class, ErrorClass::cancelled);
  EXPECT_THAT(trials_of_candidates(), IsEmpty());
}

}  // namespace
}  // namespace patchlab::runners
