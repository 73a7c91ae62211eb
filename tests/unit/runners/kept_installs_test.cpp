// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <array>
#include <random>

#include "reports/record/queries.hpp"
#include "runners/engine/kept_convictions.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/runners/department_fixture.hpp"

namespace patchlab::runners {
namespace {

using reports::Purpose;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
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

// Whatever is seen where an earlier run installed a part of the set: tonight it is installed before anybody is blamed,
// and before a person is asked.
TEST_F(KeptInstallsTest, BlameNobodyAndAskNobody) {
  const std::vector<std::pair<const char*, std::function<void(reports::TrialRecord&)>>> seen{
      {"a failure",
       [](auto& trial) {
         trial.outcome = Outcome::fail;
         trial.signature = {"dns/works"};
       }},
      {"trouble of the lab",
       [](auto& trial) {
         trial.outcome = Outcome::error;
         trial.error = infrastructure_error("the clock could not be set");
       }},
      {"silence", [](auto& trial) { trial = FakeCell::silent(std::move(trial), "dns"); }},
      {"something to look at",
       [](auto& trial) {
         checks::state::StateDifference change{"file", "/etc/x", "a", "b"};
         change.finding = checks::state::FindingClass::review;
         trial.phases.push_back({.phase = "after-install", .machine = "dns", .outcome = Outcome::pass});
         trial.phases.back().differences = {change};
       }},
      {"a check that was flaky",
       [](auto& trial) {
         checks::CheckResult check{.id = "works", .outcome = Outcome::pass};
         check.tries = {{Outcome::fail, {}, "no-answer", "", Json()}, {Outcome::pass, {}, "", "", Json()}};
         trial.phases.push_back({.phase = "after-install", .machine = "dns", .outcome = Outcome::pass});
         trial.phases.back().checks = {check};
       }},
  };
  for (const auto& [what, change] : seen) {
    states_ = {};
    night();
    const auto record = night(
        [&, spoil = change](auto& lab) { lab.lab.began_there = [spoil](const auto&, auto& trial) { spoil(trial); }; });
    EXPECT_EQ(record.outcome, Outcome::pass) << what;
    EXPECT_THAT(purposes(*lab_), ElementsAre(Purpose::control, Purpose::batch, Purpose::batch)) << what;
    EXPECT_EQ(lab_->lab.forgot_installs, 1) << what;
    ASSERT_THAT(record.trials, SizeIs(4)) << what;
    EXPECT_EQ(record.trials[2].retried_as, record.trials[3].id) << what;
    EXPECT_EQ(record.final_trial, record.trials[3].id) << what;
    EXPECT_THAT(installs(final_of(record)), ElementsAre("dns/a", "dns/b", "mail/b")) << what;
  }
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
}

// The agent was silent once where an earlier run had installed the set, and once where this one did: that is one
// observation of this set, not two.
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

}  // namespace
}  // namespace patchlab::runners
