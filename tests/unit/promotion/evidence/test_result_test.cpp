// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/test_result.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "promotion/evidence/attestation.hpp"
#include "reports/record/queries.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using reports::DepartmentRecord;
using reports::FlakeKind;
using reports::Purpose;
using reports::RunRecord;
using testing::Contains;
using testing::IsEmpty;

const std::vector<std::string> both{"dns-update", "tidy"};

// A baseline, a control, and a trial of both candidates that all passed.
RunRecord passed_record() {
  auto record = tests::good_record();
  record.complete = true;
  return record;
}

TestWord word_of(const RunRecord& record, const std::set<std::string>& waived = {}) {
  return test_result_of(record, "finance", both, waived).word();
}

TEST(TestResult, IsPassedWhenAllOfItWas) {
  const auto result = test_result_of(passed_record(), "finance", both, {});
  EXPECT_EQ(result.word(), TestWord::passed);
  EXPECT_THAT(result.warned, IsEmpty());
  EXPECT_THAT(result.failed, IsEmpty());
  EXPECT_THAT(result.passed, Contains("after-install/mail/deliver"));
  EXPECT_THAT(result.passed, Contains("fence"));
}

// All that it saw is on record; whose it was is said.
TEST(TestResult, NamesTheRunThatAControlIsOf) {
  auto record = passed_record();
  auto& control = record.departments[0].trials[1];
  ASSERT_EQ(control.purpose, Purpose::control);
  control.reused_run = "20261128-010000-aaaa";
  control.reused_from = "finance/t01";
  const auto result = test_result_of(record, "finance", both, {});
  EXPECT_EQ(result.word(), TestWord::passed);
  EXPECT_THAT(result.passed, Contains("trial " + control.id + ": of run 20261128-010000-aaaa"));
  control.phases[0].checks[0].outcome = Outcome::fail;
  EXPECT_EQ(word_of(record), TestWord::failed) << "it counts as one of this run";
  control.phases[0].checks.clear();
  EXPECT_EQ(word_of(record), TestWord::failed);
}

TEST(TestResult, NamesTheRunThatInstalledACandidate) {
  auto record = passed_record();
  auto& trials = record.departments[0].trials;
  const auto it = std::ranges::find_if(trials, [](const auto& trial) { return !trial.installs.empty(); });
  ASSERT_NE(it, trials.end());
  auto& install = it->installs[0];
  const auto key = reports::install_key(install.machine, install.candidate);
  const auto by = key + ": by run 20261128-010000-aaaa";
  EXPECT_THAT(test_result_of(record, "finance", both, {}).passed, ::testing::Not(Contains(by)));
  install.installed_in = "finance/t02";
  install.installed_run = "20261128-010000-aaaa";
  EXPECT_THAT(test_result_of(record, "finance", both, {}).passed, Contains(by));
}

TEST(TestResult, OfNothingIsNoPass) {
  EXPECT_EQ(TestResult{}.word(), TestWord::failed);
  EXPECT_EQ(test_result_of({}, "finance", both, {}).word(), TestWord::failed);
  EXPECT_EQ(test_result_of(passed_record(), "sales", both, {}).word(), TestWord::failed);
  EXPECT_EQ(test_result_of(passed_record(), "finance", {"tidy"}, {}).word(), TestWord::failed) << "was not tried";
  EXPECT_EQ(test_result_of(passed_record(), "finance", {}, {}).word(), TestWord::failed);
}

// Whatever did not pass at the first try, was skipped, was not judged or did not happen: every place of the record
// where that can stand, spoiled in every way it can.
TEST(TestResult, IsNeverPassedForASpoiledRecord) {
  std::size_t spoiled = 0;
  const auto expect_no_pass = [&](const std::string& what, const std::function<void(RunRecord&)>& spoil) {
    ++spoiled;
    auto record = passed_record();
    spoil(record);
    for (const auto& waived : {std::set<std::string>(), std::set<std::string>{"mail/deliver", "dns/a-record"}})
      EXPECT_NE(word_of(record, waived), TestWord::passed) << what;
    const PromotedSet set{.department = "finance",
                          .promotion = {.kind = StatementKind::promote,
                                        .subjects = {{"finance", std::string(64, 'a')}},
                                        .by = "lab@x",
                                        .run = std::string(64, 'b')},
                          .promoted = std::string(64, 'c'),
                          .when = "2026-11-28T08:00:00Z",
                          .record = record,
                          .candidates = both};
    EXPECT_NE(test_result_statement(set)["predicate"]["result"], "PASSED") << what;
    EXPECT_EQ(summary_statement(set)["predicate"]["verificationResult"], "FAILED") << what;
    EXPECT_EQ(summary_statement(set)["predicate"]["verifiedLevels"], Json::array({"FAILED"})) << what;
  };
  const auto in_finance = [&](const std::string& what, const std::function<void(DepartmentRecord&)>& spoil) {
    expect_no_pass(what, [&](RunRecord& record) { spoil(record.departments[0]); });
  };
  const auto good = passed_record();
  const auto& finance = good.departments[0];
  const Error error{ErrorClass::infrastructure, "no space", ""};

  expect_no_pass("interrupted", [](auto& record) { record.complete = false; });
  expect_no_pass("an error of the run", [&](auto& record) { record.error = error; });
  expect_no_pass("asked for roles", [](auto& record) { record.asked.roles = {"dns"}; });
  expect_no_pass("asked for candidates", [](auto& record) { record.asked.candidates = {"tidy"}; });
  expect_no_pass("only controls", [](auto& record) { record.asked.controls = 1; });
  in_finance("an error", [&](auto& department) { department.error = error; });
  in_finance("an outcome", [&](auto& department) { department.outcome = Outcome::error; });
  in_finance("an outcome", [&](auto& department) { department.outcome = Outcome::not_reached; });
  in_finance("a leak", [](auto& department) { department.fence.attempts[0].answered = true; });
  in_finance("trouble of the fence", [](auto& department) { department.fence.troubles = {"no IPv6"}; });
  in_finance("no fence", [](auto& department) { department.fence.attempts.clear(); });
  for (const auto kind : {FlakeKind::in_control, FlakeKind::in_search, FlakeKind::not_reproduced})
    in_finance("flaky", [&](auto& department) { department.flaky = {{kind, "mail/deliver", {}, {"t"}, {"u"}}}; });
  in_finance("no machines", [](auto& department) { department.machines.clear(); });
  for (std::size_t i = 0; i < finance.machines.size(); ++i) {
    for (const std::string& after : {std::string(), std::string("changed during the run"), std::string(64, 'e')})
      in_finance("golden " + after, [&](auto& department) { department.machines[i].golden_digest_after = after; });
    in_finance("golden", [&](auto& department) { department.machines[i].golden_digest.clear(); });
    in_finance("another machine", [&](auto& department) {
      auto more = department.machines[i];
      more.name = "other";
      department.machines.push_back(more);
    });
  }
  for (std::size_t i = 0; i < finance.verdicts.size(); ++i) {
    in_finance("no verdict", [&](auto& department) {
      department.verdicts.erase(department.verdicts.begin() + static_cast<long>(i));
    });
    for (const auto outcome : {Outcome::fail, Outcome::error, Outcome::skipped, Outcome::not_reached})
      in_finance("verdict", [&](auto& department) { department.verdicts[i].outcome = outcome; });
  }
  for (std::size_t t = 0; t < finance.trials.size(); ++t) {
    const auto in_trial = [&](const std::string& what, const std::function<void(reports::TrialRecord&)>& spoil) {
      in_finance(finance.trials[t].id + ": " + what, [&](auto& department) { spoil(department.trials[t]); });
    };
    in_trial("error", [&](auto& trial) { trial.error = error; });
    in_trial("lost", [&](auto& trial) { trial.retried_as = "finance/t9"; });
    in_trial("reused from nowhere", [&](auto& trial) { trial.reused_from = "finance/t9"; });
    in_trial("signature", [&](auto& trial) { trial.signature = {"mail/deliver"}; });
    for (const auto outcome : {Outcome::fail, Outcome::error, Outcome::skipped, Outcome::not_reached}) {
      in_trial("outcome", [&](auto& trial) { trial.outcome = outcome; });
      for (std::size_t i = 0; i < finance.trials[t].installs.size(); ++i)
        in_trial("install", [&](auto& trial) { trial.installs[i].outcome = outcome; });
    }
    for (std::size_t p = 0; p < finance.trials[t].phases.size(); ++p) {
      const auto in_phase = [&](const std::string& what, const std::function<void(reports::PhaseRecord&)>& spoil) {
        in_trial(what, [&](auto& trial) { spoil(trial.phases[p]); });
      };
      in_trial("no phase", [&](auto& trial) { trial.phases.erase(trial.phases.begin() + static_cast<long>(p)); });
      in_phase("error", [&](auto& phase) { phase.error = error; });
      in_phase("no checks", [](auto& phase) { phase.checks.clear(); });
      in_phase("difference", [](auto& phase) { phase.differences.push_back({"service", "postfix", "up", "down"}); });
      in_phase("review", [](auto& phase) {
        phase.differences.push_back({"file", "/etc/x", "a", "b", checks::state::FindingClass::review});
      });
      for (const auto outcome : {Outcome::fail, Outcome::error, Outcome::skipped, Outcome::not_reached})
        in_phase("phase outcome", [&](auto& phase) { phase.outcome = outcome; });
      for (std::size_t c = 0; c < finance.trials[t].phases[p].checks.size(); ++c) {
        const auto in_check = [&](const std::string& what, const std::function<void(checks::CheckResult&)>& spoil) {
          in_phase(what, [&](auto& phase) { spoil(phase.checks[c]); });
        };
        for (const auto outcome : {Outcome::fail, Outcome::error, Outcome::skipped, Outcome::not_reached})
          in_check("check", [&](auto& check) { check.outcome = outcome; });
        in_check("check error", [&](auto& check) { check.error = error; });
        in_check("flaky check", [](auto& check) {
          check.tries = {{Outcome::fail, Milliseconds(1), "", "", Json()},
                         {Outcome::pass, Milliseconds(1), "", "", Json()}};
        });
        in_check("starved", [](auto& check) { check.starved = true; });
        in_check("slowness not judged",
                 [](auto& check) { check.slowness = checks::Slowness{.judged = false, .why_not = "busy"}; });
        in_phase("check left out",
                 [&](auto& phase) { phase.checks.erase(phase.checks.begin() + static_cast<long>(c)); });
      }
    }
  }
  EXPECT_GT(spoiled, 300U);
}

TEST(TestResult, WhatWasWaivedIsAWarningAndWhatWasNotAFailure) {
  tests::SampleRun run;
  run.add_candidate("dns-update", "DNS server update", "important", "apt", {"dns"});
  run.add_candidate("tidy", "Tidied package", "low", "repack", {"dns", "mail"});
  run.add_fault({{"tidy"}, "", "after-install", "mail", "deliver", "smtp-refused", "454 4.7.0 not available"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto batch = run.trial(Purpose::batch, both);
  run.verdict("dns-update", Outcome::pass, "passed").trials = {batch};
  run.verdict("tidy", Outcome::fail, "mail/deliver").failed = {"mail/deliver"};
  run.end_department(run.trial(Purpose::final, {"dns-update"}));
  auto record = run.finish();
  record.complete = true;
  EXPECT_EQ(word_of(record), TestWord::failed);
  EXPECT_EQ(word_of(record, {"mail/relay-refused"}), TestWord::failed);
  EXPECT_EQ(word_of(record, {"mail/deliver"}), TestWord::warned);
  EXPECT_THAT(test_result_of(record, "finance", both, {"mail/deliver"}).warned, Contains("after-install/mail/deliver"));
  // Nobody can waive that the lab could not tell.
  for (auto& trial : record.departments[0].trials) {
    for (auto& phase : trial.phases) {
      for (auto& check : phase.checks) {
        if (check.outcome == Outcome::fail) check.outcome = Outcome::error;
      }
    }
  }
  EXPECT_EQ(word_of(record, {"mail/deliver"}), TestWord::failed);
}

// Nor of one check alone, when nothing else says that there was trouble.
TEST(TestResult, AWaiverOfAFailureIsNoneOfAnError) {
  for (const auto outcome : {Outcome::error, Outcome::not_reached}) {
    auto record = passed_record();
    record.departments[0].trials.back().phases[0].checks[0].outcome = outcome;
    const auto& phase = record.departments[0].trials.back().phases[0];
    const std::set<std::string> waived{reports::check_key(phase.machine, phase.checks[0].id)};
    EXPECT_EQ(word_of(record, waived), TestWord::failed);
    record.departments[0].trials.back().phases[0].checks[0].outcome = Outcome::fail;
    EXPECT_EQ(word_of(record, waived), TestWord::warned);
  }
  // What could not be installed was not tested.
  auto record = passed_record();
  auto& install = record.departments[0].trials.back().installs.front();
  install.outcome = Outcome::error;
  EXPECT_EQ(word_of(record, {reports::install_key(install.machine, install.candidate)}), TestWord::failed);
}

// A set that cannot be taken off again is no failure of the set, and is said.
TEST(TestResult, ARemovalThatFailedIsAWarning) {
  auto record = passed_record();
  auto removal = record.departments[0].trials.back();
  removal.id = "finance/t90";
  removal.purpose = Purpose::removal;
  record.departments[0].trials.push_back(removal);
  EXPECT_EQ(word_of(record), TestWord::passed);
  for (const auto outcome : {Outcome::fail, Outcome::error, Outcome::skipped, Outcome::not_reached}) {
    record.departments[0].trials.back().outcome = outcome;
    const auto result = test_result_of(record, "finance", both, {});
    EXPECT_EQ(result.word(), TestWord::warned);
    EXPECT_THAT(result.warned, testing::ElementsAre("removal"));
  }
  record.departments[0].trials.back().outcome = Outcome::pass;
  record.departments[0].trials.back().error = Error{ErrorClass::infrastructure, "no space", ""};
  EXPECT_EQ(word_of(record), TestWord::warned);
}

}  // namespace
}  // namespace patchlab::promotion
