// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_controls.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "checks/state/learnt.hpp"
#include "lab/core/paths.hpp"
#include "runners/engine/kept_convictions.hpp"
#include "runners/engine/state_key.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/runners/department_fixture.hpp"

namespace patchlab::runners {
namespace {

using reports::Purpose;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Nights of one department, each a run of its own, in one cache. A machine logs a line at each restart.
class KeptControlsTest : public ::testing::Test {
 protected:
  using Change = std::function<void(Fixture&)>;

  static void usual(Fixture& lab) {
    lab.machine("dns").machine("mail").candidate("a", {"dns"}).candidate("b", {"mail"});
    lab.lab.habits = {"dns/a line"};
  }
  reports::DepartmentRecord night(const Change& change = {}) {
    auto& lab = lab_.emplace();
    usual(lab);
    if (change) change(lab);
    return run(lab);
  }
  reports::DepartmentRecord run(Fixture& lab) {
    KeptControls kept({.folder = folder_.path(),
                       .run = fmt::format("2026112{}-010000-aaaa", ++nights_),
                       .asked_by = "me",
                       .most_age = std::chrono::hours(48),
                       .reads = reads_},
                      clock_, [this](const std::string& sentence) { told_.push_back(sentence); });
    lab.job.kept_controls = &kept;
    return lab.run();
  }
  [[nodiscard]] int controls() const { return lab_->lab.count(Purpose::control); }

  const test::TemporaryFolder folder_;
  NightClock clock_;
  int nights_ = 0;
  bool reads_ = true;
  std::vector<std::string> told_;
  std::optional<Fixture> lab_;
};

TEST_F(KeptControlsTest, StandForThisNightsOfTheSameMachines) {
  const auto first = night();
  EXPECT_EQ(controls(), 1);
  clock_.time += std::chrono::hours(24);
  const auto second = night();
  EXPECT_EQ(controls(), 0);
  EXPECT_EQ(lab_->lab.told_knowledge, 1);
  EXPECT_EQ(second.outcome, Outcome::pass);
  ASSERT_THAT(second.trials, SizeIs(3));
  const auto& control = second.trials[1];
  EXPECT_EQ(control.purpose, Purpose::control);
  EXPECT_EQ(control.id, "finance/t01");
  EXPECT_EQ(control.reused_run, "20261121-010000-aaaa");
  EXPECT_EQ(control.reused_from, first.trials[1].id);
  EXPECT_EQ(control.duration_ms, 0);
  EXPECT_EQ(second.final_trial, "finance/t02") << "what is promoted was tried in this run";
  clock_.time += std::chrono::hours(25);
  night();
  EXPECT_EQ(controls(), 1) << "too old; what was taken from another run is not kept again";
  EXPECT_THAT(told_, IsEmpty());
}

TEST_F(KeptControlsTest, AreOfExactlyTheSameMachinesChecksAndPolicy) {
  night();
  const std::vector<std::pair<const char*, Change>> cases{
      {"another golden machine", [](auto& lab) { lab.job.cell.machines[0].golden_digest = "new"; }},
      {"another check",
       [](auto& lab) {
         lab.job.cell.machines[1].plan.checks = {{"q", "dns.query", {}, {}, {}}};
       }},
      {"another policy", [](auto& lab) { lab.job.cell.policy.warm_reboots += 1; }},
      {"another machine", [](auto& lab) { lab.machine("db"); }},
      {"the cell does not take it", [](auto& lab) { lab.lab.takes_no_knowledge = true; }},
  };
  for (const auto& [what, change] : cases) {
    night(change);
    EXPECT_EQ(controls(), 1) << what;
  }
  night([](auto& lab) { lab.candidate("new", {"dns"}); });
  EXPECT_EQ(controls(), 0) << "other candidates are not in it";
  reads_ = false;
  night();
  EXPECT_EQ(controls(), 1) << "run --anew";
}

// Tonight the machine does something that it did not do that night.
TEST_F(KeptControlsTest, BlameNobody) {
  night();
  const auto record = night([](auto& lab) { lab.lab.habits.insert("mail/another line"); });
  EXPECT_THAT(purposes(*lab_), ElementsAre(Purpose::batch, Purpose::control, Purpose::batch));
  EXPECT_EQ(record.outcome, Outcome::pass);
  ASSERT_THAT(record.trials, SizeIs(5));
  EXPECT_EQ(record.trials[1].retried_as, record.trials[3].id) << "this run's own control counts";
  EXPECT_EQ(record.trials[2].retried_as, record.trials[4].id) << "and what was seen beside it";
  EXPECT_EQ(record.final_trial, record.trials[4].id);
  night([](auto& lab) { lab.lab.habits.insert("mail/another line"); });
  EXPECT_EQ(controls(), 0) << "the latest is taken";
}

// What this night's own control does not explain stands as it was seen: it is not tried until it passes.
TEST_F(KeptControlsTest, ExcuseNothingThatThisNightsControlDoesNotExplain) {
  night();
  int batches = 0;
  const auto record = night([&](auto& lab) {
    lab.lab.passing_trouble = [&](const cell::TrialJob& job) {
      return job.purpose == Purpose::batch && ++batches == 1 ? "dns/works" : "";
    };
  });
  EXPECT_EQ(controls(), 1);
  EXPECT_EQ(batches, 1);
  EXPECT_FALSE(std::ranges::any_of(
      record.trials, [](const auto& trial) { return trial.purpose == Purpose::batch && reports::is_lost(trial); }));
  EXPECT_THAT(record.flaky, Not(IsEmpty())) << "the search could not reproduce it, and a person decides";
}

TEST_F(KeptControlsTest, SendNothingToAPersonBeforeThisNightsControlWasSeen) {
  night();
  for (const auto finding : {checks::state::FindingClass::review, checks::state::FindingClass::notice}) {
    auto& lab = lab_.emplace();
    usual(lab);
    lab.lab.remarks = [&](const cell::TrialJob& job) {
      return job.purpose == Purpose::control ? checks::state::FindingClass::notice : finding;
    };
    const auto record = run(lab);
    EXPECT_EQ(controls(), finding == checks::state::FindingClass::review ? 1 : 0);
    EXPECT_EQ(record.outcome, Outcome::pass);
    EXPECT_EQ(lab.lab.count(Purpose::batch), 1) << "the control does not explain it";
  }
}

// The lab's trouble in the first control has taught, too.
TEST_F(KeptControlsTest, AreKeptOfTheFirstTryOnly) {
  night([](auto& lab) { lab.lab.lab_errors = 1; });
  EXPECT_EQ(controls(), 2);
  night();
  EXPECT_EQ(controls(), 1);
}

TEST_F(KeptControlsTest, TeachAnewWhatWasForgotten) {
  night();
  night([](auto& lab) { lab.lab.habits = {"mail/another line"}; });
  EXPECT_EQ(controls(), 1);
  night([](auto& lab) { lab.lab.habits = {"dns/a line"}; });
  EXPECT_EQ(controls(), 1) << "what only an older night taught does not count any more";
}

TEST(Explains, OnlyWhatThisControlTaught) {
  using cell::explains;
  const auto difference = [](const char* kind, const char* item, const char* before, const char* after) {
    checks::state::StateDifference one{kind, item, before, after};
    one.finding = checks::state::FindingClass::breach;
    return one;
  };
  const auto trial_with = [](checks::state::StateDifference one) {
    reports::TrialRecord trial{.id = "finance/t02", .purpose = Purpose::batch, .machines = {"dns"}};
    trial.outcome = Outcome::fail;
    trial.phases.push_back({.phase = "after-install", .machine = "dns", .outcome = Outcome::fail});
    trial.phases[0].differences = {std::move(one)};
    trial.signature = reports::failure_signature(trial);
    return trial;
  };
  cell::ControlKnowledge taught;
  const auto file = difference("file", "/var/lib/x1", "", "file");
  taught.log_kinds = {"a line"};
  taught.changes = {checks::state::learnt_key(file)};
  taught.failures["clock-+1d"] = {"lease"};
  taught.failures[reports::services_phase] = {"state:service-cycle:named"};
  const Json knowledge{{"dns", taught}};
  EXPECT_TRUE(explains(knowledge, trial_with(difference(checks::state::log_kind, "a line", "", "new")), false));
  EXPECT_TRUE(explains(knowledge, trial_with(difference("file", "/var/lib/x2", "", "file")), false)) << "numbers aside";
  EXPECT_FALSE(explains(knowledge, trial_with(difference(checks::state::log_kind, "b line", "", "new")), false));
  EXPECT_FALSE(explains(knowledge, trial_with(difference("service", "named", "runs", "stopped")), false));
  auto trial = trial_with(difference(checks::state::log_kind, "a line", "", "new"));
  trial.phases[0].machine = "mail";
  trial.signature = reports::failure_signature(trial);
  EXPECT_FALSE(explains(knowledge, trial, false)) << "of another machine";
  trial = trial_with(difference(checks::state::log_kind, "a line", "", "new"));
  trial.signature.emplace_back("dns/install:a");
  EXPECT_FALSE(explains(knowledge, trial, false)) << "something that no phase says";
  trial = trial_with(difference(checks::state::log_kind, "a line", "", "new"));
  trial.phases[0].checks = {{.id = "lease", .outcome = Outcome::fail}};
  trial.signature = reports::failure_signature(trial);
  EXPECT_FALSE(explains(knowledge, trial, true)) << "it fails when the clock was moved only";
  trial.phases[0].phase = "clock-+1d";
  EXPECT_TRUE(explains(knowledge, trial, false));
  trial.phases[0].checks = {{.id = "zone", .outcome = Outcome::fail}};
  trial.phases[0].checks[0].reason = checks::slower_reason;
  trial.signature = reports::failure_signature(trial);
  EXPECT_TRUE(explains(knowledge, trial, true));
  EXPECT_FALSE(explains(knowledge, trial, false)) << "the control was quicker";
  trial.error = infrastructure_error("the disk is full");
  EXPECT_FALSE(explains(knowledge, trial, true));
  // What was seen of the machine itself counts in the phase in which the control saw it, and in no other.
  trial = trial_with(difference(checks::state::service_cycle_kind, "named", "stops", "runs"));
  EXPECT_FALSE(explains(knowledge, trial, true));
  trial.phases[0].phase = reports::services_phase;
  EXPECT_TRUE(explains(knowledge, trial, false));
  trial.phases[0].differences[0].item = "other";
  trial.signature = reports::failure_signature(trial);
  EXPECT_FALSE(explains(knowledge, trial, true));
}

TEST_F(KeptControlsTest, AControlThatFailsThenEndsTheDepartment) {
  night();
  const auto record = night([](auto& lab) {
    lab.lab.breaks["dns"] = {{"a"}};
    lab.lab.control_fails = true;
  });
  EXPECT_THAT(purposes(*lab_), ElementsAre(Purpose::batch, Purpose::control, Purpose::control));
  EXPECT_EQ(record.outcome, Outcome::error);
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::error) << "trouble of the lab is never a verdict";
}

// Or every night would begin with it, as long as both are kept.
TEST_F(KeptControlsTest, AKeptStateWhoseControlFailsIsGivenUp) {
  night();
  FakeStates states;
  states.stored = cell::KeptBaseline{"20261121-010000-aaaa", {}};
  night([&](auto& lab) {
    lab.job.states = &states;
    lab.lab.breaks["dns"] = {{"a"}};
    lab.lab.control_fails = true;
  });
  EXPECT_THAT(states.calls, ElementsAre("bring", "refuse"));
}

// A check that was steady without the set failed once with it: that is not explained by a line in a log.
TEST_F(KeptControlsTest, ASetThatMadeACheckFlakyIsNotTriedUntilItIsNot) {
  night();
  const auto record = night([](auto& lab) {
    lab.lab.habits.insert("mail/another line");
    lab.lab.flaky = [](const cell::TrialJob& job) { return job.purpose == Purpose::batch; };
  });
  ASSERT_EQ(record.trials[2].purpose, Purpose::batch);
  EXPECT_FALSE(reports::is_lost(record.trials[2]));
}

TEST_F(KeptControlsTest, AreNotKeptWhenTheyLeftADoubt) {
  const auto check = [](Outcome outcome) { return checks::CheckResult{.id = "works", .outcome = outcome}; };
  reports::TrialRecord good{.id = "finance/t01", .purpose = Purpose::control, .machines = {"dns"}};
  good.outcome = Outcome::pass;
  good.phases.push_back({.phase = "after-install", .machine = "dns", .outcome = Outcome::pass});
  good.phases[0].checks = {check(Outcome::pass)};
  EXPECT_TRUE(may_be_kept(good));
  const std::vector<std::pair<const char*, std::function<void(reports::TrialRecord&)>>> doubts{
      {"it failed", [](auto& control) { control.outcome = Outcome::fail; }},
      {"trouble", [](auto& control) { control.error = infrastructure_error("the disk is full"); }},
      {"a phase that it did not come to", [](auto& control) { control.phases[0].outcome = Outcome::not_reached; }},
      {"it is no control", [](auto& control) { control.purpose = Purpose::batch; }},
      {"something was installed", [](auto& control) { control.candidates = {"a"}; }},
      {"it is of another run itself", [](auto& control) { control.reused_from = "finance/t01"; }},
      {"a flaky check",
       [](auto& control) {
         control.phases[0].checks[0].tries = {{Outcome::fail, {}, "no-answer", "", Json()},
                                              {Outcome::pass, {}, "", "", Json()}};
       }},
      {"a check that was skipped", [](auto& control) { control.phases[0].checks[0].outcome = Outcome::skipped; }},
      {"checks failed that were asked as a load",
       [](auto& control) {
         control.phases[0].growth = checks::growth::Growth{.why_not = "", .looks = 3, .planned = 3};
         control.phases[0].growth->failed = 1;
       }},
      {"what grows could not be judged",
       [](auto& control) {
         control.phases[0].growth = checks::growth::Growth{.why_not = "too few looks", .looks = 1, .planned = 3};
       }},
      {"too busy a host to tell whether it is slow",
       [](auto& control) { control.phases[0].checks[0].slowness = checks::Slowness{.judged = false}; }},
  };
  for (const auto& [what, spoil] : doubts) {
    auto control = good;
    spoil(control);
    EXPECT_FALSE(may_be_kept(control)) << what;
  }
}

TEST_F(KeptControlsTest, WhatIsNoNoteOfAControlIsRemovedAndNeverTaken) {
  const auto spoil = [&](const std::function<void(Json&)>& change) {
    KeptNotes::Place place{
        .folder = folder_.path(), .run = "20261120-010000-aaaa", .asked_by = "me", .most_age = std::chrono::hours(48)};
    Fixture lab;
    usual(lab);
    std::map<std::string, cell::ControlKnowledge> taught;
    taught["dns"].log_kinds = {"a line"};
    taught["mail"];
    Json note{{"control", reports::TrialRecord{.id = "finance/t01", .purpose = Purpose::control}},
              {"knowledge", taught}};
    note["control"]["outcome"] = "pass";
    change(note);
    KeptNotes notes({"control", "patchlab/control/v1"}, place, clock_, [](const std::string&) {});
    notes.keep(state_key(Json(lab.job.cell), "control"), "finance/t01", note);
  };
  const std::vector<std::function<void(Json&)>> changes{
      [](Json& note) { note.erase("knowledge"); },
      [](Json& note) { note["control"] = 7; },
      [](Json& note) { note["control"]["outcome"] = "fail"; },
      [](Json& note) { note["control"]["purpose"] = "batch"; },
      [](Json& note) { note = Json::array(); },
  };
  for (const auto& change : changes) {
    std::filesystem::remove_all(folder_.path());
    spoil(change);
    night();
    EXPECT_EQ(controls(), 1);
    EXPECT_THAT(told_, SizeIs(1)) << "and that is told";
    told_.clear();
  }
  std::filesystem::remove_all(folder_.path());
  spoil([](Json&) {});
  night();
  EXPECT_EQ(controls(), 0) << "the note as it is";
}

// Random departments over three nights: candidates come, machines have habits that change, candidates break machines.
// No verdict is another one than of nights that know nothing of each other.
TEST_F(KeptControlsTest, ChangeNoVerdictOfAnyNight) {
  std::mt19937 random(20261129);  // NOLINT: every failure can be run again
  const auto one_in = [&](int n) { return std::uniform_int_distribution<>(1, n)(random) == 1; };
  int saved = 0;
  for (int world = 0; world < 40; ++world) {
    const test::TemporaryFolder cache;
    std::set<std::string> bad;
    std::vector<std::pair<std::string, std::string>> candidates;  // and their machines
    std::set<std::string> habits;
    for (int tonight = 1; tonight <= 3; ++tonight) {
      for (int more = 0; more < 2; ++more) {
        const auto id = fmt::format("c{}{}", tonight, more);
        candidates.emplace_back(id, one_in(2) ? "dns" : "mail");
        if (one_in(4)) bad.insert(id);
      }
      for (const auto* habit : {"dns/one", "dns/two", "mail/three"}) {
        if (one_in(8)) habits.insert(habit);
      }
      if (one_in(4)) habits.clear();
      std::array<std::map<std::string, Outcome>, 2> verdicts;
      std::array<std::size_t, 2> trials{};
      for (const bool knows : {false, true}) {
        Fixture lab;
        lab.machine("dns").machine("mail");
        lab.lab.habits = habits;
        for (const auto& [id, machine] : candidates) {
          lab.candidate(id, {machine});
          if (bad.contains(id)) lab.lab.breaks[machine].push_back({id});
        }
        const auto place = [&](const char* folder) {
          return KeptNotes::Place{.folder = cache.path() / folder,
                                  .run = fmt::format("2026112{}-010000-aaaa", tonight),
                                  .asked_by = "me",
                                  .most_age = std::chrono::hours(480)};
        };
        KeptControls controls(place("controls"), clock_, [](const std::string&) {});
        KeptConvictions convictions(place("convictions"), clock_, [](const std::string&) {});
        if (knows) {
          lab.job.kept_controls = &controls;
          lab.job.convictions = &convictions;
        }
        const auto record = lab.run();
        trials[knows] = lab.lab.trials.size();
        for (const auto& entry : record.verdicts) verdicts[knows][entry.candidate] = entry.outcome;
      }
      EXPECT_EQ(verdicts[1], verdicts[0]) << "world " << world << ", night " << tonight;
      if (trials[1] < trials[0]) ++saved;
    }
  }
  EXPECT_GT(saved, 20) << "it is worth something";
}

}  // namespace
}  // namespace patchlab::runners
