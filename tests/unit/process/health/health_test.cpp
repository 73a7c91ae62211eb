// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/health/health.hpp"

#include <gmock/gmock.h>

namespace patchlab::process {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class NightHealth : public ::testing::Test {
 protected:
  // Ended so long ago, after two hours.
  Night ended(std::string run, std::chrono::seconds ago, std::string result = "ok", bool complete = true) const {
    return {std::move(run), now_ - ago - 2h, now_ - ago, std::move(result), complete};
  }
  Night begun(std::string run, std::chrono::seconds ago) const { return {std::move(run), now_ - ago, {}, {}, false}; }
  HealthFact of(const std::vector<Night>& nights) const { return night_health(nights, now_, {}); }

  const HealthTime now_ = HealthTime(std::chrono::hours(500000));
};

TEST_F(NightHealth, IsTheAgeOfTheLastRunThatToldSomething) {
  EXPECT_EQ(of({ended("a", 26h)}).health, Health::ok);
  EXPECT_EQ(of({ended("a", 26h + 1s)}).health, Health::warning);
  EXPECT_EQ(of({ended("a", 50h)}).health, Health::warning);
  EXPECT_EQ(of({ended("a", 50h + 1s)}).health, Health::critical);
  EXPECT_EQ(of({ended("a", 90h), ended("b", 3h)}).health, Health::ok);
  EXPECT_THAT(of({ended("a", 3h)}).says, HasSubstr("run a ended 3.0 h ago with ok"));
  EXPECT_EQ(of({ended("a", 3h)}).figures.at(0).value, 3 * 3600);
}

// What a candidate did wrong is no illness of the lab.
TEST_F(NightHealth, IsGoodWhateverWasFoundInCandidates) {
  for (const auto* result : {"ok", "candidate-fails", "only-skips", "policy", "inconclusive"})
    EXPECT_EQ(of({ended("a", 3h, result)}).health, Health::ok) << result;
}

TEST_F(NightHealth, IsAWarningWhenTheLastRunToldNothing) {
  for (const auto* result : {"error", "not-tested", "bad-data", "bad-configuration", "cannot-create", "", "nosuch"}) {
    const auto fact = of({ended("a", 10h), ended("b", 3h, result)});
    EXPECT_EQ(fact.health, Health::warning) << result;
    EXPECT_THAT(fact.says, HasSubstr("run a ended 10.0 h ago with ok, and 1 after it told nothing"));
  }
  EXPECT_EQ(of({ended("a", 10h), ended("b", 3h, "ok", false)}).health, Health::warning);
  EXPECT_EQ(of({ended("a", 60h), ended("b", 3h, "error")}).health, Health::critical)
      << "the age of the good one counts";
}

TEST_F(NightHealth, IsCriticalWhenThereIsNoneOrNoneToldAnything) {
  EXPECT_EQ(of({}).health, Health::critical);
  EXPECT_EQ(of({ended("a", 3h, "error"), begun("b", 1h)}).health, Health::critical);
}

TEST_F(NightHealth, IsCriticalAfterALeakHoweverYoung) {
  EXPECT_EQ(of({ended("a", 10h), ended("b", 1h, "fence-breach")}).health, Health::critical);
  EXPECT_EQ(of({ended("a", 10h), ended("b", 3h, "fence-breach"), begun("c", 1h)}).health, Health::critical)
      << "the next one has not shown yet that it is closed";
  const auto since = of({ended("a", 10h, "fence-breach"), ended("b", 1h)});
  EXPECT_EQ(since.health, Health::warning);
  EXPECT_THAT(since.says, HasSubstr("in run a, 10.0 h ago, something reached the outside"));
  EXPECT_EQ(of({ended("a", 51h, "fence-breach"), ended("b", 1h)}).health, Health::ok);
}

// Two runs side by side: what ended last counts, whichever began first.
TEST_F(NightHealth, LooksAtWhatEndedLast) {
  const auto leak = of({ended("a", 1h, "fence-breach"), ended("b", 3h)});
  EXPECT_EQ(leak.health, Health::critical) << leak.says;
  const auto error = of({ended("a", 1h, "error"), ended("b", 3h)});
  EXPECT_EQ(error.health, Health::warning) << error.says;
  EXPECT_THAT(error.says, HasSubstr("run b ended 3.0 h ago with ok, and 1 after it told nothing"));
}

// Somebody who tries one role at noon has not run the night.
TEST_F(NightHealth, IsNotTheAgeOfARunThatWasNarrowed) {
  const auto narrowed = [](Night night) {
    night.narrowed = true;
    return night;
  };
  EXPECT_EQ(of({ended("a", 51h), narrowed(ended("b", 1h))}).health, Health::critical);
  EXPECT_EQ(of({ended("a", 3h), narrowed(ended("b", 1h, "error"))}).health, Health::ok);
  EXPECT_EQ(of({narrowed(ended("b", 1h))}).health, Health::critical);
  EXPECT_EQ(of({ended("a", 3h), narrowed(ended("b", 1h, "fence-breach"))}).health, Health::critical);
}

// Two scenarios with one ledger: a run of the one does not hide that the other did not run.
TEST_F(NightHealth, IsOfEachDepartment) {
  const auto about = [](std::vector<std::string> departments, Night night) {
    night.departments = std::move(departments);
    return night;
  };
  const auto hidden = of({about({"finance"}, ended("a", 60h)), about({"branch"}, ended("b", 3h))});
  EXPECT_EQ(hidden.health, Health::critical);
  EXPECT_EQ(hidden.says, "finance: run a ended 60.0 h ago with ok; branch: run b ended 3.0 h ago with ok");
  EXPECT_EQ(hidden.figures.at(0).value, 60 * 3600);
  EXPECT_EQ(hidden.figures.size(), 1U);
  // A leak is not closed by a run of another scenario, and a failure of one is told beside it.
  EXPECT_EQ(of({about({"finance"}, ended("a", 5h, "fence-breach")), about({"branch"}, ended("b", 3h))}).health,
            Health::critical);
  EXPECT_EQ(of({about({"finance"}, ended("z", 9h)), about({"finance"}, ended("a", 5h, "error")),
                about({"branch"}, ended("b", 3h))})
                .health,
            Health::warning);
  // One scenario with several departments is one, and told without their names; so is one that has another now.
  EXPECT_EQ(of({about({"x", "y"}, ended("a", 3h))}).says, "run a ended 3.0 h ago with ok");
  EXPECT_EQ(of({about({"x"}, ended("a", 27h)), about({"x", "y"}, ended("b", 3h))}).health, Health::ok);
  auto by_hand = about({"y"}, ended("b", 1h, "error"));
  by_hand.narrowed = true;
  EXPECT_EQ(of({about({"x", "y"}, ended("a", 3h)), by_hand}).says, "run a ended 3.0 h ago with ok");
  EXPECT_THAT(of({about({"x", "y", "z"}, ended("a", 30h)), about({"z"}, ended("b", 3h))}).says,
              HasSubstr("x, y: run a ended 30.0 h ago with ok; z: "));
  // What was given up long ago is no alarm for ever. When it is all that there is, it is.
  const auto without = of({about({"finance"}, ended("a", 31 * 24h)), about({"branch"}, ended("b", 3h))});
  EXPECT_EQ(without.health, Health::ok);
  EXPECT_EQ(without.says, "run b ended 3.0 h ago with ok; finance: given up, last begun 746.0 h ago");
  EXPECT_EQ(of({about({"finance"}, ended("a", 29 * 24h)), about({"branch"}, ended("b", 3h))}).health, Health::critical);
  EXPECT_EQ(of({about({"finance"}, ended("a", 31 * 24h)), about({"branch"}, ended("b", 40 * 24h))}).health,
            Health::critical);
}

// A department that is only tried by hand, or given up, has no night that could be missed, and yet may leak.
TEST_F(NightHealth, TellsALeakOfADepartmentWhoseNightsNobodyAsksFor) {
  const auto about = [](const char* department, Night night, bool narrowed = false) {
    night.departments = {department};
    night.narrowed = narrowed;
    return night;
  };
  const auto by_hand = about("new", ended("c", 2h, "fence-breach"), true);
  const auto fresh = of({about("branch", ended("b", 3h)), by_hand});
  EXPECT_EQ(fresh.health, Health::critical);
  EXPECT_THAT(fresh.says, HasSubstr("in run c, 2.0 h ago, something reached the outside"));
  EXPECT_EQ(of({by_hand, about("branch", ended("b", 1h))}).health, Health::warning) << "another run has ended";
  EXPECT_EQ(of({about("new", ended("c", 51h, "fence-breach"), true), about("branch", ended("b", 1h))}).health,
            Health::ok);
  EXPECT_EQ(of({about("finance", ended("a", 31 * 24h)), about("branch", ended("b", 3h)),
                about("finance", ended("c", 2h, "fence-breach"), true)})
                .health,
            Health::critical);
}

TEST_F(NightHealth, SaysOfARunThatGoesOnWhetherItMay) {
  EXPECT_EQ(of({ended("a", 20h), begun("b", 2h)}).health, Health::ok);
  EXPECT_THAT(of({ended("a", 20h), begun("b", 2h)}).says, HasSubstr("one has been under way for 2.0 h"));
  const auto killed = of({ended("a", 20h), begun("b", 27h)});
  EXPECT_EQ(killed.health, Health::warning);
  EXPECT_THAT(killed.says, HasSubstr("run b has no end"));
  EXPECT_EQ(of({ended("a", 25h), ended("b", 20h, "error"), begun("c", 2h)}).health, Health::warning);
}

TEST_F(NightHealth, IsUnknownWhenARunIsOfTheFuture) {
  EXPECT_EQ(of({ended("a", -1h)}).health, Health::unknown);
  EXPECT_EQ(of({begun("b", -1s), ended("a", 1h)}).health, Health::unknown);
}

TEST(DiskHealth, IsWhatIsFree) {
  EXPECT_EQ(disk_health("/c", 20, 20, 5).health, Health::ok);
  EXPECT_EQ(disk_health("/c", 19, 20, 5).health, Health::warning);
  EXPECT_EQ(disk_health("/c", 4, 20, 5).health, Health::critical);
}

// Monitoring Plugins Development Guidelines, 2.6 and 5.
TEST(PluginLine, SaysTheWorstFirstAndKeepsFiguresApart) {
  const std::vector<HealthFact> facts{
      {"night", Health::ok, "run a ended", {{"night_age", 5, "s", "10", "20"}}},
      {"feeds", Health::warning, "'kev' is old | get\nit", {}},
      {"disk", Health::ok, "much is free", {{"free", 7, "B", "4:", "2:"}}},
  };
  EXPECT_EQ(
      plugin_line(facts),
      "PATCHLAB WARNING: feeds: 'kev' is old   get it; night: run a ended; disk: much is free | night_age=5s;10;20 "
      "free=7B;4:;2:");
  EXPECT_EQ(plugin_line({}), "PATCHLAB UNKNOWN: nothing was looked at");
}

TEST(PluginLine, IsAsBadAsTheWorst) {
  const auto of = [](std::vector<Health> all) {
    std::vector<HealthFact> facts;
    for (const auto one : all) facts.push_back({"x", one, "y", {}});
    return worst_of(facts);
  };
  EXPECT_EQ(of({Health::ok, Health::unknown}), Health::unknown) << "what was not seen is not fine";
  EXPECT_EQ(of({Health::unknown, Health::warning}), Health::warning);
  EXPECT_EQ(of({Health::warning, Health::critical, Health::unknown}), Health::critical);
  EXPECT_EQ(of({}), Health::unknown);
}

}  // namespace
}  // namespace patchlab::process
