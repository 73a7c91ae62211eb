// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/search.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/support/culprit_runs.hpp"

namespace patchlab::runners {
namespace {

using Set = CandidateSet;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using tests::Ending;
using tests::independent;
using tests::Random;
using tests::World;

// Asks a world that never lies, and remembers what it was asked.
struct Asked {
  World world;
  std::vector<std::pair<Set, Freshness>> asked;

  Probe probe() {
    return [this](const Set& set, Freshness freshness) {
      asked.emplace_back(set, freshness);
      return world.breaks(set) ? Outcome::fail : Outcome::pass;
    };
  }
  SearchResult search(SearchPolicy policy = {}) { return find_culprit(world.candidates, probe(), policy); }
  [[nodiscard]] std::size_t times(const Set& set, Freshness freshness) const {
    return static_cast<std::size_t>(std::ranges::count(asked, std::pair(set, freshness)));
  }
};

Asked planted(std::size_t count, std::vector<Set> groups) {
  return {.world = {.candidates = independent(count),
                    .groups = std::move(groups),
                    .repaired_by = {},
                    .shown = {},
                    .rates = {}},
          .asked = {}};
}

SearchPolicy suspecting(std::size_t candidate) {
  SearchPolicy policy;
  policy.suspect = candidate;
  return policy;
}

std::vector<Set> named(const SearchResult& result) {
  std::vector<Set> groups;
  for (const auto& group : result.groups) groups.push_back(group.members);
  return groups;
}

TEST(CulpritSearch, NamesAnySinglePlantedCulpritInAboutLogarithmicallyManyTrials) {
  for (const std::size_t count : {1U, 2U, 3U, 5U, 8U, 13U}) {
    for (std::size_t bad = 0; bad < count; ++bad) {
      auto lab = planted(count, {{bad}});
      const auto result = lab.search();
      ASSERT_EQ(result.end, SearchEnd::found) << count << " candidates, culprit " << bad;
      ASSERT_THAT(result.culprit, ElementsAre(bad));
      // The failure again, halving, one or two alone, once more alone, the rest.
      ASSERT_LE(static_cast<double>(result.probes), 5 + std::ceil(std::log2(static_cast<double>(count))));
    }
  }
}

TEST(CulpritSearch, NamesAnyInteractingPairAsAPair) {
  for (const std::size_t count : {2U, 3U, 8U}) {
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = a + 1; b < count; ++b) {
        auto lab = planted(count, {{a, b}});
        ASSERT_THAT(named(lab.search()), ElementsAre(Set{a, b})) << count << " candidates";
      }
    }
  }
}

TEST(CulpritSearch, NamesEveryCulpritOfItsOwn) {
  auto lab = planted(9, {{3}, {6}, {5, 8}});
  EXPECT_THAT(named(lab.search()), ElementsAre(Set{3}, Set{5, 8}, Set{6}));
}

// Every sentence of a result was run: that is what makes it evidence.
TEST(CulpritSearch, SaysOnlyWhatItSaw) {
  Random random(7);
  for (int round = 0; round < 16; ++round) {
    auto lab = planted(0, {});
    lab.world = tests::planted(random, 6 + random() % 8,
                               round % 2 == 0 ? std::vector<std::size_t>{1, 2} : std::vector<std::size_t>{1});
    const auto result = lab.search();
    ASSERT_EQ(result.end, SearchEnd::found);
    for (const auto& group : result.groups) {
      ASSERT_GE(lab.times(group.tried, Freshness::fresh), 2U) << "failed alone, twice, from nothing";
      ASSERT_TRUE(lab.world.breaks(group.tried));
      for (const auto member : group.members) {
        const auto less = without(group.tried, {member});
        ASSERT_FALSE(lab.world.breaks(less)) << "minimal";
        const auto seen = std::ranges::count(lab.asked, less, &std::pair<Set, Freshness>::first);
        ASSERT_TRUE(less.empty() || seen > 0) << "what is said of it was tried";
      }
    }
    Set rest(lab.world.candidates.size());
    std::iota(rest.begin(), rest.end(), std::size_t{0});
    rest = without(rest, result.culprit);
    ASSERT_FALSE(lab.world.breaks(rest));
    ASSERT_GT(std::ranges::count(lab.asked, rest, &std::pair<Set, Freshness>::first), 0) << "the exact rest";
  }
}

TEST(CulpritSearch, NeverTakesAnAnswerForASecondObservation) {
  Random random(3);
  for (int seed = 0; seed < 25; ++seed) {
    const auto world = tests::planted(random, 8, {2});
    tests::SimulatedLab lab(world, {0.1, 0}, random());
    std::set<Set> seen;
    const auto probe = [&](const Set& set, Freshness freshness) {
      EXPECT_TRUE(seen.insert(set).second || freshness != Freshness::may_reuse) << "the same question twice";
      return lab.run(set, tests::TrialKind::search).outcome;
    };
    (void)find_culprit(world.candidates, probe, {});
  }
}

TEST(CulpritSearch, ReproducesTheFailureBeforeAnythingElse) {
  auto lab = planted(16, {{9}});
  (void)lab.search();
  EXPECT_EQ(lab.asked.front().first.size(), 16U);
}

TEST(CulpritSearch, TwoPassesOfTheWholeSetEndIt) {
  std::vector<std::pair<std::size_t, Freshness>> asked;
  const Probe probe = [&](const Set& set, Freshness freshness) {
    asked.emplace_back(set.size(), freshness);
    return Outcome::pass;
  };
  const auto result = find_culprit(independent(16), probe, {});
  EXPECT_EQ(result.end, SearchEnd::not_reproduced);
  EXPECT_THAT(result.culprit, IsEmpty());
  EXPECT_THAT(result.suspicious, IsEmpty()) << "nobody is held back for a flake";
  EXPECT_THAT(asked, ElementsAre(std::pair(16U, Freshness::may_reuse), std::pair(16U, Freshness::again)));
  ASSERT_EQ(result.contradictions.size(), 1U);
  EXPECT_EQ(result.contradictions[0].fails, 1U);
  EXPECT_EQ(result.contradictions[0].passes, 2U);
}

TEST(CulpritSearch, AFailureThatRepeatsOnceIsNoFlake) {
  const Probe probe = [passed = false](const Set& set, Freshness) mutable {
    if (set.size() == 8 && !passed) return passed = true, Outcome::pass;
    return std::ranges::binary_search(set, 5U) ? Outcome::fail : Outcome::pass;
  };
  EXPECT_THAT(find_culprit(independent(8), probe, {}).culprit, ElementsAre(5));
}

// Found on the way: a single false pass of the culprit alone named candidate 0 together with it.
TEST(CulpritSearch, ASingleFalseAnswerNamesNoInnocent) {
  for (std::size_t bad = 0; bad < 8; ++bad) {
    for (std::size_t lie = 0; lie < 14; ++lie) {
      std::size_t asked = 0;
      const Probe probe = [&](const Set& set, Freshness) {
        const bool broken = std::ranges::binary_search(set, bad);
        return broken != (asked++ == lie) ? Outcome::fail : Outcome::pass;
      };
      const auto result = find_culprit(independent(8), probe, {});
      ASSERT_EQ(result.end, SearchEnd::found) << "culprit " << bad << ", answer " << lie << " is a lie";
      ASSERT_THAT(result.culprit, ElementsAre(bad)) << "answer " << lie << " is a lie";
    }
  }
}

// Answers of a lab without any sense are no reason to read past the end of a list, nor to ask for ever.
TEST(CulpritSearch, IsSafeWhateverItIsTold) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    Random random(seed);
    auto candidates = independent(random() % 12);
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      if (random() % 4 == 0) candidates[i].prerequisites = {random() % i};
    }
    const Prerequisites prerequisites(candidates);
    const auto failing = random() % 101;
    const Probe probe = [&](const Set& set, Freshness) {
      EXPECT_FALSE(set.empty());
      EXPECT_EQ(prerequisites.with_needed(set), set) << "what its members need is in it";
      if (random() % 10 == 0) return Outcome::error;
      return random() % 100 < failing ? Outcome::fail : Outcome::pass;
    };
    const auto result = find_culprit(candidates, probe, {});
    ASSERT_LE(result.probes, 64 + 12 * std::log2(static_cast<double>(candidates.size()) + 1));
    ASSERT_EQ(result.end == SearchEnd::found, !result.culprit.empty());
    for (const auto member : united(result.culprit, result.suspicious)) ASSERT_LT(member, candidates.size());
  }
}

TEST(CulpritSearch, OnlyTriesSetsThatHoldTheirPrerequisites) {
  auto lab = planted(6, {{5}});
  lab.world.candidates[3].prerequisites = {0};
  lab.world.candidates[5].prerequisites = {3, 2};
  EXPECT_THAT(lab.search().culprit, ElementsAre(5));
  const Prerequisites prerequisites(lab.world.candidates);
  for (const auto& [set, freshness] : lab.asked) EXPECT_EQ(prerequisites.with_needed(set), set);
}

TEST(CulpritSearch, DoesNotBlameAPrerequisiteThatWorksAlone) {
  auto lab = planted(3, {{2}});
  lab.world.candidates[2].prerequisites = {1};
  EXPECT_THAT(lab.search().culprit, ElementsAre(2));
  EXPECT_GT(std::ranges::count(lab.asked, Set{1}, &std::pair<Set, Freshness>::first), 0);
}

TEST(CulpritSearch, AcquitsWhomAnotherOneRepairs) {
  for (std::size_t repairer = 1; repairer < 8; ++repairer) {
    auto lab = planted(8, {{0}, {3}});
    if (repairer == 3) continue;
    lab.world.repaired_by = {repairer, 8};
    EXPECT_THAT(lab.search().culprit, ElementsAre(3)) << "0 breaks nothing while " << repairer << " is there";
  }
}

TEST(CulpritSearch, AcquitsNobodyForASinglePass) {
  auto lab = planted(8, {{0}, {3}});
  lab.world.repaired_by = {6, 8};
  EXPECT_THAT(lab.search().culprit, ElementsAre(3));
  EXPECT_GE(std::ranges::count(lab.asked, Set{0, 1, 2, 4, 5, 6, 7}, &std::pair<Set, Freshness>::first), 3);
}

// Two lies in a row about the same set are rare, about one of many sets they are not.
TEST(CulpritSearch, APairIsNamedAndOneOfSeveralPutBackAfterThreeFailures) {
  auto pair = planted(8, {{2, 5}});
  EXPECT_THAT(pair.search().culprit, ElementsAre(2, 5));
  EXPECT_GE(std::ranges::count(pair.asked, Set{2, 5}, &std::pair<Set, Freshness>::first), 3);
  auto two = planted(8, {{0}, {3}});
  EXPECT_THAT(two.search().culprit, ElementsAre(0, 3));
  EXPECT_GE(std::ranges::count(two.asked, Set{0, 1, 2, 4, 5, 6, 7}, &std::pair<Set, Freshness>::first), 3);
  EXPECT_GE(std::ranges::count(two.asked, Set{1, 2, 3, 4, 5, 6, 7}, &std::pair<Set, Freshness>::first), 3);
}

// The final trial after a search that acquitted somebody fails by a flake: that he still fails alone is no news.
TEST(CulpritSearch, AnotherSearchDoesNotNameWhomAnEarlierOneAcquitted) {
  auto lab = planted(8, {{0}});
  lab.world.repaired_by = {6};
  const Set all{0, 1, 2, 3, 4, 5, 6, 7}, others{1, 2, 3, 4, 5, 6, 7};
  SearchPolicy policy;
  for (int i = 0; i < 3; ++i) policy.seen.push_back({{0}, true});
  for (int i = 0; i < 4; ++i) policy.seen.push_back({all, false});
  for (int i = 0; i < 2; ++i) policy.seen.push_back({others, false});
  for (int i = 0; i < 2; ++i) policy.seen.push_back({all, true});
  policy.passes = 5;  // the four that are known, and one of its own
  const auto result = lab.search(policy);
  EXPECT_THAT(result.culprit, IsEmpty()) << "6 repairs what 0 breaks";
  EXPECT_EQ(result.end, SearchEnd::not_reproduced);
  EXPECT_GE(std::ranges::count(lab.asked, all, &std::pair<Set, Freshness>::first), 1) << "by a pass of its own";
}

TEST(CulpritSearch, AFailureAloneCountsMoreOftenWhenThereWereContradictions) {
  for (std::size_t passes = 0; passes < 3; ++passes) {
    std::size_t alone = 0, fails = 0;
    const Probe probe = [&](const Set& set, Freshness) {
      if (set != Set{5}) return std::ranges::binary_search(set, 5U) ? Outcome::fail : Outcome::pass;
      // The first time it fails, then it passes so often.
      if (alone++ > 0 && alone <= 1 + passes) return Outcome::pass;
      ++fails;
      return Outcome::fail;
    };
    EXPECT_THAT(find_culprit(independent(8), probe, {}).culprit, ElementsAre(5));
    EXPECT_GE(fails, passes == 0 ? 2U : 3U) << passes << " passes";
  }
}

// A pass alone is no reason to look for a partner that is innocent.
TEST(CulpritSearch, NamesNoPartnerOfWhoBreaksThingsNowAndThen) {
  int named_him = 0, named_another = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    Random random(seed);
    World world{.candidates = independent(8), .groups = {{seed % 8}}, .repaired_by = {}, .shown = {}, .rates = {0.5}};
    tests::SimulatedLab lab(world, {}, seed);
    (void)lab.batch();
    const Probe probe = [&](const Set& set, Freshness) { return lab.run(set, tests::TrialKind::search).outcome; };
    SearchPolicy policy;
    policy.rest_passes = 2;
    const auto result = find_culprit(world.candidates, probe, policy);
    if (result.end != SearchEnd::found) continue;
    ++(result.culprit == world.groups[0] ? named_him : named_another);
  }
  EXPECT_LE(named_another, 1) << "docs/culprit-search.md has the share";
  EXPECT_GE(named_him, 30) << "and he is named as a rule";
}

TEST(CulpritSearch, WhatIsLeftPassesAsOftenAsThePolicySays) {
  for (std::size_t passes = 1; passes <= 3; ++passes) {
    auto lab = planted(8, {{4}});
    SearchPolicy policy;
    policy.rest_passes = passes;
    EXPECT_THAT(lab.search(policy).culprit, ElementsAre(4));
    EXPECT_EQ(std::ranges::count(lab.asked, Set{0, 1, 2, 3, 5, 6, 7}, &std::pair<Set, Freshness>::first), passes);
  }
}

TEST(CulpritSearch, OfTwoQuestionsThatTellTheSameAsksTheCheaper) {
  const auto installed = [](double install) {
    std::size_t sum = 0;
    for (std::size_t bad = 0; bad < 64; bad += 3) {
      const World world{.candidates = independent(64), .groups = {{bad}}, .repaired_by = {}, .shown = {}, .rates = {}};
      KeptStates kept(6);
      Set all(64);
      std::iota(all.begin(), all.end(), std::size_t{0});
      (void)kept.install(all);
      const Probe probe = [&](const Set& set, Freshness freshness) {
        sum += set.size() - (freshness == Freshness::fresh ? 0 : kept.install(set));
        return world.breaks(set) ? Outcome::fail : Outcome::pass;
      };
      SearchPolicy policy;
      policy.costs.install = install;
      EXPECT_THAT(find_culprit(world.candidates, probe, policy).culprit, ElementsAre(bad));
    }
    return sum;
  };
  EXPECT_LT(static_cast<double>(installed(22)), 0.9 * static_cast<double>(installed(0)));
}

TEST(CulpritSearch, NeverTakesAnUnresolvedProbeForAPass) {
  const Probe probe = [](const Set& set, Freshness) { return set.size() == 8 ? Outcome::fail : Outcome::error; };
  const auto result = find_culprit(independent(8), probe, {});
  EXPECT_EQ(result.end, SearchEnd::inconclusive);
  EXPECT_THAT(result.culprit, IsEmpty());
  EXPECT_EQ(result.suspicious.size(), 8U);
}

TEST(CulpritSearch, TriesAnUnresolvedProbeAgain) {
  std::set<Set> seen;
  const Probe probe = [&](const Set& set, Freshness) {
    if (seen.insert(set).second) return Outcome::error;
    return std::ranges::binary_search(set, 2U) ? Outcome::fail : Outcome::pass;
  };
  EXPECT_THAT(find_culprit(independent(4), probe, {}).culprit, ElementsAre(2));
}

TEST(CulpritSearch, HoldsBackOnlyWhoMayHaveDoneItWhenItGivesUp) {
  // Nobody ever fails from nothing: it cannot be proven.
  const Probe probe = [](const Set& set, Freshness freshness) {
    if (freshness == Freshness::fresh) return Outcome::error;
    return std::ranges::binary_search(set, 1U) ? Outcome::fail : Outcome::pass;
  };
  const auto result = find_culprit(independent(16), probe, {});
  EXPECT_EQ(result.end, SearchEnd::inconclusive);
  EXPECT_THAT(result.suspicious, ::testing::Contains(1U));
  EXPECT_LE(result.suspicious.size(), 4U);
}

TEST(CulpritSearch, TriesTheCandidateThatTheFailureNamesAloneFirst) {
  auto lab = planted(8, {{5}});
  EXPECT_THAT(lab.search(suspecting(5)).culprit, ElementsAre(5));
  EXPECT_THAT(lab.asked, UnorderedElementsAre(std::pair(Set{5}, Freshness::fresh), std::pair(Set{5}, Freshness::fresh),
                                              std::pair(Set{0, 1, 2, 3, 4, 6, 7}, Freshness::may_reuse)));
  EXPECT_EQ(lab.asked.front().first, Set{5});
}

TEST(CulpritSearch, ASuspectThatWorksAloneIsNoLongerOne) {
  for (const auto& group : {Set{2}, Set{2, 5}}) {
    auto lab = planted(8, {group});
    EXPECT_EQ(lab.search(suspecting(5)).culprit, group);
  }
}

TEST(CulpritSearch, CountsWhatWasSeenBefore) {
  auto lab = planted(8, {{6}});
  SearchPolicy policy;
  policy.seen = {{{0, 1, 2, 3, 4, 5, 6, 7}, true}, {{0, 1, 2, 3, 4, 5, 6, 7}, true}, {{0, 1, 2, 3}, false}};
  EXPECT_THAT(lab.search(policy).culprit, ElementsAre(6));
  EXPECT_EQ(std::ranges::count(lab.asked, Set{0, 1, 2, 3}, &std::pair<Set, Freshness>::first), 0);
  EXPECT_NE(lab.asked.front().first.size(), 8U) << "it failed twice already";
}

TEST(CulpritSearch, EndsWhenCancelled) {
  const Probe probe = [](const Set& set, Freshness) { return set.size() == 4 ? Outcome::fail : Outcome::not_reached; };
  EXPECT_EQ(find_culprit(independent(4), probe, {}).end, SearchEnd::cancelled);
}

// While an answer is on its way, somebody may already run what comes next.
TEST(CulpritSearch, ForeseesWhatItAsksNext) {
  std::size_t foreseen = 0;
  for (std::size_t bad = 0; bad < 8; ++bad) {
    const World world{.candidates = independent(16), .groups = {{bad}}, .repaired_by = {}, .shown = {}, .rates = {}};
    CulpritSearch search(world.candidates, {});
    std::optional<Question> expected;
    while (const auto question = search.next()) {
      if (expected && expected->set == question->set && expected->freshness == question->freshness) ++foreseen;
      expected = search.foreseen(*question);
      search.answer(*question, world.breaks(question->set) ? Outcome::fail : Outcome::pass);
    }
  }
  EXPECT_GT(foreseen, 10U);
}

// The goals of docs/culprit-search.md, with few seeds; `culprit_search` measures all of them.
class Goals : public ::testing::Test {
 protected:
  struct Means {
    std::map<Ending, std::size_t> endings;
    double search = 0;
    [[nodiscard]] double share(Ending ending) const {
      const auto found = endings.find(ending);
      return found == endings.end() ? 0 : static_cast<double>(found->second) / runs;
    }
  };
  static constexpr int runs = 24;

  template <class Make>
  static Means measure(std::size_t count, double flakes, Make make) {
    Means means;
    for (int seed = 0; seed < runs; ++seed) {
      Random random(static_cast<std::uint64_t>(seed) + 1);
      const World world = make(random, count);
      tests::SimulatedLab lab(world, {flakes, 0}, random());
      const auto run = tests::simulate(lab);
      ++means.endings[run.ending];
      means.search += static_cast<double>(run.search) / runs;
    }
    return means;
  }
  static auto groups(std::vector<std::size_t> sizes) {
    return [sizes](Random& random, std::size_t count) { return tests::planted(random, count, sizes); };
  }
};

TEST_F(Goals, WithoutFlakesEverybodyIsRight) {
  for (const auto& sizes : std::vector<std::vector<std::size_t>>{{}, {1}, {1, 1}, {1, 1, 1, 1}, {2}, {3}, {1, 2}})
    EXPECT_EQ(measure(8, 0, groups(sizes)).share(Ending::correct), 1) << sizes.size() << " groups";
  EXPECT_EQ(measure(8, 0, tests::chained).share(Ending::correct), 1);
  EXPECT_EQ(measure(8, 0, tests::pair_with_prerequisite).share(Ending::correct), 1);
  EXPECT_EQ(measure(8, 0, tests::repaired).share(Ending::correct), 1);
}

TEST_F(Goals, OneCulpritCostsFewTrials) {
  EXPECT_LE(measure(8, 0, groups({1})).search, 3.75);
  EXPECT_LE(measure(32, 0, groups({1})).search, 6.25);
}

// One run of a thousand: in one of these the lab lies three times about the same candidate.
TEST_F(Goals, FlakesConvictNobody) {
  double wrong = 0;
  for (const auto& sizes : std::vector<std::vector<std::size_t>>{{}, {1}, {2}}) {
    const auto means = measure(16, 0.05, groups(sizes));
    wrong += means.share(Ending::wrong) * runs;
    EXPECT_LE(means.share(Ending::abstained), 0.05) << sizes.size() << " groups";
  }
  EXPECT_LE(wrong, 1.01) << "of " << 3 * runs << " runs";
}

}  // namespace
}  // namespace patchlab::runners
