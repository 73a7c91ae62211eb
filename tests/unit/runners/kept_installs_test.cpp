// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <random>

#include "promotion/gate/gate.hpp"
#include "reports/record/findings.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"
#include "runners/engine/kept_convictions.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/runners/department_fixture.hpp"

namespace patchlab::runners {
namespace {

using reports::Purpose;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Nights of one department whose baseline is kept, and with it what was installed.
class KeptInstallsTest : public ::testing::Test {
 protected:
  using Change = std::function<void(Fixture&)>;

  reports::DepartmentRecord night(const Change& change = {}) {
    auto& lab = lab_.emplace();
    lab.machine("dns").machine("mail").candidate("a", {"dns"}).candidate("b", {"dns", "mail"});
    if (change) change(lab);
    return run(lab, states_);
  }
  static reports::DepartmentRecord run(Fixture& lab, FakeStates& states) {
    lab.job.states = &states;
    lab.job.cell.keep_installs = true;
    auto record = lab.run();
    if (states.stored) {
      for (auto& [machine, of_machine] : states.stored->patched) {
        for (auto& state : of_machine) {
          for (auto& install : state.installs) {
            if (install.installed_run.empty()) install.installed_run = "r1";
          }
        }
      }
    }
    return record;
  }
  static const reports::TrialRecord& final_of(const reports::DepartmentRecord& record) {
    return *reports::find_trial(record, record.final_trial);
  }
  // "dns/a r1", "mail/b": who installed it.
  static std::vector<std::string> installs(const reports::TrialRecord& trial) {
    std::vector<std::string> all;
    for (const auto& install : trial.installs) {
      all.push_back(install.machine + "/" + install.candidate +
                    (install.installed_run.empty() ? "" : " " + install.installed_run));
    }
    return all;
  }

  static void make_flaky(reports::TrialRecord& trial) {
    checks::CheckResult check{.id = "works", .outcome = Outcome::pass};
    check.tries = {{Outcome::fail, {}, "no-answer", "", Json()}, {Outcome::pass, {}, "", "", Json()}};
    trial.phases.push_back({.phase = "after-install", .machine = "dns", .outcome = Outcome::pass});
    trial.phases.back().checks = {check};
  }
  // What may go to production of such a night, as far as it is asked what its trials saw; empty: nothing.
  static std::vector<std::string> promoted(const reports::DepartmentRecord& record) {
    if (record.final_trial.empty()) return {};
    reports::RunRecord run;
    run.id = "r2";
    run.departments = {record};
    for (const auto& blocks : promotion::decide(run, record.name, {}, {}).blocking()) {
      if (blocks.code == promotion::ReasonCode::not_reproduced || blocks.code == promotion::ReasonCode::needs_decision)
        return {};
    }
    return final_of(record).candidates;
  }

  NightClock clock_;
  FakeStates states_;
  std::optional<Fixture> lab_;
};

TEST_F(KeptInstallsTest, SpareTheNextNightWhatIsKnownAndPassItsChecks) {
  const auto first = night();
  EXPECT_THAT(installs(final_of(first)), ElementsAre("dns/a", "dns/b", "mail/b"));
  EXPECT_THAT(states_.calls, ElementsAre("bring", "keep finance/baseline", "keep installs"));
  const auto second = night([](auto& lab) { lab.candidate("c", {"dns"}); });
  EXPECT_EQ(second.outcome, Outcome::pass);
  EXPECT_THAT(purposes(*lab_), ElementsAre(Purpose::control, Purpose::batch)) << "what is promoted was tried tonight";
  EXPECT_THAT(installs(final_of(second)), ElementsAre("dns/a r1", "dns/b r1", "dns/c", "mail/b r1"));
  EXPECT_EQ(lab_->lab.forgot_installs, 0);
  const auto third = night([](auto& lab) { lab.candidate("c", {"dns"}); });
  EXPECT_THAT(installs(final_of(third)), ElementsAre("dns/a r1", "dns/b r1", "dns/c r1", "mail/b r1"));
}

TEST_F(KeptInstallsTest, AreNotKeptOfWhatDidNotPass) {
  night([](auto& lab) { lab.lab.breaks["dns"] = {{"a"}}; });
  ASSERT_TRUE(states_.stored);
  ASSERT_THAT(states_.stored->patched["dns"], SizeIs(1));
  EXPECT_THAT(states_.stored->patched["dns"][0].digests, ElementsAre(Fixture::sha_like("b"))) << "without the bad one";
  FakeStates none;
  auto& lab = lab_.emplace();
  lab.machine("dns").candidate("a", {"dns"});
  lab.lab.breaks["dns"] = {{"a"}};
  (void)run(lab, none);
  EXPECT_THAT(none.calls, ElementsAre("bring", "keep finance/baseline")) << "nothing passed";
}

// Whatever is seen where an earlier run installed a part of the set: tonight it is installed before anybody is blamed.
// What might be the set's own is not gone with that: a failure passes twice and is on record as not reproduced, and
// what changed is asked about.
TEST_F(KeptInstallsTest, BlameNobodyAndHideNothing) {
  struct Seen {
    const char* what;
    std::function<void(reports::TrialRecord&)> change;
    std::vector<Purpose> tries;
    std::vector<std::string> open;  // facts
    std::size_t to_look_at;
  };
  const std::vector<Purpose> once{Purpose::control, Purpose::batch, Purpose::batch};
  const std::vector<Seen> all{
      {"a failure",
       [](auto& trial) {
         trial.outcome = Outcome::fail;
         trial.signature = {"dns/works"};
       },
       {Purpose::control, Purpose::batch, Purpose::batch, Purpose::final},
       {"dns/works"},
       0},
      {"trouble of the lab",
       [](auto& trial) {
         trial.outcome = Outcome::error;
         trial.error = infrastructure_error("the clock could not be set");
       },
       once,
       {},
       0},
      {"silence, once", [](auto& trial) { trial = FakeCell::silent(std::move(trial), "dns"); }, once, {}, 0},
      {"something to look at",
       [](auto& trial) {
         checks::state::StateDifference change{"file", "/etc/x", "a", "b"};
         change.finding = checks::state::FindingClass::review;
         trial.phases.push_back({.phase = "after-install", .machine = "dns", .outcome = Outcome::pass});
         trial.phases.back().differences = {change};
       },
       once,
       {},
       1},
      {"a check that was flaky", [](auto& trial) { make_flaky(trial); }, once, {}, 0},
  };
  for (const auto& seen : all) {
    states_ = {};
    night();
    const auto record = night(
        [&](auto& lab) { lab.lab.began_there = [spoil = seen.change](const auto&, auto& trial) { spoil(trial); }; });
    EXPECT_EQ(record.outcome, Outcome::pass) << seen.what;
    EXPECT_EQ(purposes(*lab_), seen.tries) << seen.what;
    EXPECT_EQ(lab_->lab.forgot_installs, 1) << seen.what;
    ASSERT_THAT(record.trials, SizeIs(seen.tries.size() + 1)) << seen.what;
    EXPECT_EQ(record.trials[2].retried_as, record.trials[3].id) << seen.what;
    EXPECT_EQ(record.final_trial, record.trials.back().id) << seen.what;
    EXPECT_FALSE(reports::began_with_another_run(final_of(record))) << seen.what;
    std::vector<std::string> open;
    for (const auto* flaky : reports::unexplained_flakes(record)) {
      open.push_back(flaky->fact);
      EXPECT_THAT(flaky->failed, ElementsAre("finance/t02"));
      EXPECT_THAT(flaky->passed, ElementsAre("finance/t03", "finance/t04"));
      EXPECT_THAT(verdict(record, "a").reason, HasSubstr("as an earlier run had installed it"));
    }
    EXPECT_EQ(open, seen.open) << seen.what;
    EXPECT_EQ(reports::findings_of_set(record, final_of(record).candidates).size(), seen.to_look_at) << seen.what;
  }
}

// What was flaky there is flaky once: where it is again, no third try is to show that it is not.
TEST_F(KeptInstallsTest, ACheckIsNotAskedUntilItIsSteady) {
  night();
  int tries = 0;
  const auto record = night([&](auto& lab) {
    lab.lab.began_there = [](const auto&, auto& trial) { make_flaky(trial); };
    lab.lab.flaky = [&](const cell::TrialJob& job) { return !job.candidates.empty() && ++tries == 2; };
  });
  EXPECT_THAT(purposes(*lab_), ElementsAre(Purpose::control, Purpose::batch, Purpose::batch));
  EXPECT_THAT(reports::flaky_since_patched(record.trials, final_of(record)), Not(IsEmpty())) << "so the gate asks";
}

// What fails with them fails without them, and nothing that a search goes by began with them.
TEST_F(KeptInstallsTest, ASearchKnowsOnlyWhatThisNightInstalled) {
  night();
  const auto record = night([](auto& lab) {
    lab.candidate("c", {"dns"}).candidate("d", {"dns"});
    lab.lab.breaks["dns"] = {{"a", "c"}};
  });
  EXPECT_EQ(verdict(record, "a").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "c").outcome, Outcome::fail);
  EXPECT_EQ(verdict(record, "d").outcome, Outcome::pass);
  int began = 0;
  for (const auto& trial : record.trials) {
    if (!reports::began_with_another_run(trial)) continue;
    ++began;
    EXPECT_TRUE(reports::is_lost(trial)) << trial.id;
    for (const auto& entry : record.verdicts)
      EXPECT_EQ(std::ranges::count(entry.trials, trial.id), 0) << entry.candidate << " was judged by it";
  }
  EXPECT_EQ(began, 1);
  EXPECT_THAT(reports::unexplained_flakes(record), IsEmpty()) << "what failed was seen again";
}

// The agent was silent once where an earlier run had installed the set, and once where this one did: that is one
// observation of this set, not two. Nor is it none: a person decides.
TEST_F(KeptInstallsTest, SilenceIsCountedOfThisNightsInstallationsOnly) {
  night();
  int silent = 0;
  const auto record = night([&](auto& lab) {
    lab.lab.began_there = [](const auto&, auto& trial) { trial = FakeCell::silent(std::move(trial), "mail"); };
    lab.lab.on_trial = [&, cell = &lab.lab](const cell::TrialJob& job) {
      if (job.purpose == Purpose::batch && ++silent == 2) cell->stray_silences = 1;
    };
  });
  EXPECT_EQ(silent, 3);
  EXPECT_EQ(record.outcome, Outcome::pass) << (record.error ? record.error->message : "");
  EXPECT_EQ(verdict(record, "b").outcome, Outcome::pass);
  const auto open = reports::unexplained_flakes(record);
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_EQ(open[0]->fact, "mail/state:agent:guest agent");
  EXPECT_THAT(open[0]->failed, ElementsAre("finance/t02", "finance/t03"));
  EXPECT_THAT(open[0]->passed, ElementsAre("finance/t04", "finance/t05"));
}

// A night that ends there has no verdict by it.
TEST_F(KeptInstallsTest, WhatCouldNotBeTriedAnewIsNoVerdict) {
  night();
  const auto record = night([](auto& lab) {
    lab.lab.began_there = [&lab](const auto&, auto& trial) {
      trial.outcome = Outcome::fail;
      trial.signature = {"dns/works"};
      lab.stop.request_stop();
    };
  });
  EXPECT_EQ(record.outcome, Outcome::error);
  for (const auto& entry : record.verdicts) EXPECT_NE(entry.outcome, Outcome::fail) << entry.candidate;
  EXPECT_THAT(record.final_trial, IsEmpty());
}

// Random departments over four nights: candidates come, bad ones among them, alone or in pairs, and now and then what
// was kept is not what it was. No verdict is another one than of nights that install everything.
TEST_F(KeptInstallsTest, ChangeNoVerdictOfAnyNight) {
  std::mt19937 random(20261129);  // NOLINT: every failure can be run again
  const auto one_in = [&](int n) { return std::uniform_int_distribution<>(1, n)(random) == 1; };
  int spared = 0;
  int lost = 0;
  for (int world = 0; world < 40; ++world) {
    FakeStates kept;
    const test::TemporaryFolder cache;
    std::vector<std::pair<std::string, std::vector<std::string>>> candidates;  // and their machines
    std::map<std::string, std::vector<std::set<std::string>>> breaks;
    for (int tonight = 1; tonight <= 4; ++tonight) {
      for (int more = 0; more < 2; ++more) {
        const auto id = fmt::format("c{}{}", tonight, more);
        std::vector<std::string> machines{one_in(2) ? "dns" : "mail"};
        if (one_in(4)) machines = {"dns", "mail"};
        if (one_in(14)) breaks[machines.front()].push_back({id});
        if (one_in(14) && !candidates.empty()) breaks[machines.front()].push_back({candidates.front().first, id});
        // Not always the last one of those that are known.
        const auto place = one_in(6) ? candidates.begin() : candidates.end();
        candidates.insert(place, {id, machines});
      }
      const bool is_spoilt = one_in(4);
      const int how = std::uniform_int_distribution<>(0, 2)(random);
      std::array<std::map<std::string, Outcome>, 2> verdicts;
      for (const bool knows : {false, true}) {
        Fixture lab;
        lab.machine("dns").machine("mail", {"dns"});
        for (const auto& [id, machines] : candidates) lab.candidate(id, machines);
        lab.lab.breaks = breaks;
        if (is_spoilt) {
          lab.lab.began_there = [how](const auto&, auto& trial) {
            trial.outcome = how == 0 ? Outcome::error : Outcome::fail;
            if (how == 0) trial.error = infrastructure_error("it does not come back");
            if (how > 0) trial.signature = {how == 1 ? "dns/works" : "mail/other"};
          };
        }
        KeptConvictions convictions({.folder = cache.path(),
                                     .run = fmt::format("2026112{}-010000-aaaa", tonight),
                                     .asked_by = "me",
                                     .most_age = std::chrono::hours(480)},
                                    clock_, [](const std::string&) {});
        if (knows) lab.job.convictions = &convictions;
        const auto record = knows ? run(lab, kept) : lab.run();
        for (const auto& entry : record.verdicts) verdicts[knows][entry.candidate] = entry.outcome;
        for (const auto& trial : record.trials) {
          if (!reports::began_with_another_run(trial)) continue;
          ++(reports::is_lost(trial) ? lost : spared);
          EXPECT_TRUE(reports::is_lost(trial) || trial.outcome == Outcome::pass) << trial.id;
        }
      }
      EXPECT_EQ(verdicts[1], verdicts[0]) << "world " << world << ", night " << tonight;
    }
  }
  EXPECT_GT(spared, 15) << "it is worth something";
  EXPECT_GT(lost, 10) << "and is seldom what it was";
}

// A patch that breaks a machine now and then, whoever installed it. The same luck in both nights, trial by trial: where
// it strikes once, the same may go to production as without anything that is kept; and however often it strikes, no set
// goes that failed in this very night.
TEST_F(KeptInstallsTest, PromoteNothingThatANightWithoutThemWouldNot) {
  std::mt19937 random(20261130);  // NOLINT: every failure can be run again
  const auto one_of = [&](int n) { return std::uniform_int_distribution<>(0, n - 1)(random); };
  int went = 0;
  int stayed = 0;
  int struck = 0;  // what an earlier run had installed
  for (int world = 0; world < 20; ++world) {
    FakeStates kept;
    const bool strikes_once = world % 2 == 0;
    for (int tonight = 1; tonight <= 3; ++tonight) {
      std::vector<bool> luck(6, false);  // then it has left
      if (strikes_once)
        luck[static_cast<std::size_t>(one_of(3))] = true;
      else
        for (std::size_t i = 0; i < luck.size(); ++i) luck[i] = one_of(3) == 0;
      if (tonight == 1) luck.assign(6, false);  // else there is nothing to keep
      std::array<std::vector<std::string>, 2> gone;
      for (const bool knows : {false, true}) {
        Fixture lab;
        lab.machine("dns").machine("mail", {"dns"});
        for (int i = 0; i < 2 + tonight; ++i) lab.candidate(fmt::format("c{}", i), {i % 2 == 0 ? "dns" : "mail"});
        std::size_t tries = 0;
        lab.lab.passing_trouble = [&](const cell::TrialJob& job) {
          const bool has_it = std::ranges::count(job.candidates, "c0") > 0;
          return has_it && tries++ < luck.size() && luck[tries - 1] ? "dns/works" : "";
        };
        const auto record = knows ? run(lab, kept) : lab.run();
        gone[knows] = promoted(record);
        ++(gone[knows].empty() ? stayed : went);
        for (const auto& trial : record.trials) {
          if (trial.outcome != Outcome::fail) continue;
          if (reports::began_with_another_run(trial)) ++struck;
          EXPECT_NE(trial.candidates, gone[knows]) << trial.id << " of world " << world << ", night " << tonight;
        }
      }
      if (strikes_once) {
        EXPECT_EQ(gone[1], gone[0]) << "world " << world << ", night " << tonight;
      }
    }
  }
  EXPECT_GT(struck, 3);
  EXPECT_GT(went, 20);
  EXPECT_GT(stayed, 5);
}

}  // namespace
}  // namespace patchlab::runners
