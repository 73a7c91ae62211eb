// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/search.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <random>
#include <set>

namespace patchlab::runners {
namespace {

using Set = std::vector<std::size_t>;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<SearchCandidate> independent(std::size_t count) {
  std::vector<SearchCandidate> candidates(count);
  for (std::size_t i = 0; i < count; ++i) candidates[i].id = std::to_string(i);
  return candidates;
}

// Fails whenever all members of one of the planted groups are in the set.
struct Planted {
  std::vector<Set> groups;
  std::vector<Set> asked;

  Probe probe() {
    return [this](const Set& set, Freshness) {
      asked.push_back(set);
      const bool broken =
          std::ranges::any_of(groups, [&](const auto& group) { return std::ranges::includes(set, group); });
      return broken ? Outcome::fail : Outcome::pass;
    };
  }
};

TEST(CulpritSearch, NamesAnySinglePlantedCulpritInAboutLogarithmicallyManyProbes) {
  for (std::size_t count = 1; count <= 40; ++count) {
    for (std::size_t bad = 0; bad < count; ++bad) {
      Planted planted{.groups = {{bad}}, .asked = {}};
      const auto result = find_culprit(independent(count), planted.probe(), {});
      ASSERT_EQ(result.end, SearchEnd::found) << count << " candidates, culprit " << bad;
      ASSERT_THAT(result.culprit, ElementsAre(bad));
      const auto bound = 3.0 + std::ceil(std::log2(static_cast<double>(count)));
      ASSERT_LE(static_cast<double>(result.probes), bound) << count << " candidates, culprit " << bad;
    }
  }
}

TEST(CulpritSearch, NamesAnyInteractingPairAsAPair) {
  for (std::size_t count = 2; count <= 16; ++count) {
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = a + 1; b < count; ++b) {
        Planted planted{.groups = {{a, b}}, .asked = {}};
        const auto result = find_culprit(independent(count), planted.probe(), {});
        ASSERT_EQ(result.end, SearchEnd::found);
        ASSERT_THAT(result.culprit, ElementsAre(a, b)) << count << " candidates";
      }
    }
  }
}

TEST(CulpritSearch, NamesATripleAndNothingMore) {
  Planted planted{.groups = {{1, 4, 6}}, .asked = {}};
  EXPECT_THAT(find_culprit(independent(9), planted.probe(), {}).culprit, ElementsAre(1, 4, 6));
}

TEST(CulpritSearch, NamesOneMinimalGroupWhenSeveralAreIndependent) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const std::size_t count = 2 + random() % 12;
    Planted planted;
    for (int group = 0; group < 3; ++group) {
      std::set<std::size_t> members;
      for (std::size_t i = 0; i < 1 + random() % 2; ++i) members.insert(random() % count);
      planted.groups.emplace_back(members.begin(), members.end());
    }
    const auto result = find_culprit(independent(count), planted.probe(), {});
    ASSERT_EQ(result.end, SearchEnd::found);
    // Minimal: it fails, and with any member left out it does not.
    auto probe = planted.probe();
    ASSERT_EQ(probe(result.culprit, Freshness::fresh), Outcome::fail);
    for (std::size_t i = 0; i < result.culprit.size(); ++i) {
      auto rest = result.culprit;
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
      ASSERT_EQ(probe(rest, Freshness::fresh), Outcome::pass);
    }
  }
}

TEST(CulpritSearch, OnlyTriesSetsThatHoldTheirPrerequisites) {
  auto candidates = independent(6);
  candidates[3].prerequisites = {0};
  candidates[5].prerequisites = {3, 2};
  Planted planted{.groups = {{5}}, .asked = {}};
  const auto result = find_culprit(candidates, planted.probe(), {});
  EXPECT_THAT(result.culprit, ElementsAre(5));
  for (const auto& set : planted.asked) {
    for (const auto member : set) {
      for (const auto needed : candidates[member].prerequisites) EXPECT_TRUE(std::ranges::binary_search(set, needed));
    }
  }
}

TEST(CulpritSearch, DoesNotBlameAPrerequisiteThatWorksAlone) {
  auto candidates = independent(3);
  candidates[2].prerequisites = {1};
  Planted planted{.groups = {{2}}, .asked = {}};
  EXPECT_THAT(find_culprit(candidates, planted.probe(), {}).culprit, ElementsAre(2));
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

TEST(CulpritSearch, NamesNobodyWhenTheFailureDoesNotHappenAgain) {
  int calls = 0;
  const Probe probe = [&](const Set&, Freshness) { return ++calls == 1 ? Outcome::fail : Outcome::pass; };
  const auto result = find_culprit(independent(16), probe, {});
  EXPECT_EQ(result.end, SearchEnd::not_reproduced);
  EXPECT_THAT(result.culprit, IsEmpty());
  EXPECT_LE(result.probes, 8U) << "a flake must not cost a long search";
}

TEST(CulpritSearch, NamesNobodyWhenTheConfirmationPasses) {
  const Probe probe = [](const Set& set, Freshness freshness) {
    if (freshness == Freshness::fresh) return Outcome::pass;
    return std::ranges::binary_search(set, 1U) ? Outcome::fail : Outcome::pass;
  };
  const auto result = find_culprit(independent(4), probe, {});
  EXPECT_EQ(result.end, SearchEnd::inconclusive);
  EXPECT_THAT(result.suspicious, ElementsAre(1));
}

TEST(CulpritSearch, RunsTheWholeSetAgainBeforeTheWayToAPairAndConvictsFromNothing) {
  std::map<Freshness, std::vector<Set>> asked;
  const Probe probe = [&](const Set& set, Freshness freshness) {
    asked[freshness].push_back(set);
    return std::ranges::includes(set, Set{1, 3}) ? Outcome::fail : Outcome::pass;
  };
  EXPECT_THAT(find_culprit(independent(4), probe, {}).culprit, ElementsAre(1, 3));
  EXPECT_THAT(asked[Freshness::again], ElementsAre(Set{0, 1, 2, 3}));
  EXPECT_THAT(asked[Freshness::fresh], ElementsAre(Set{1, 3}));
}

TEST(CulpritSearch, TriesTheLongerPrefixFirst) {
  Planted planted{.groups = {{2}}, .asked = {}};
  EXPECT_THAT(find_culprit(independent(3), planted.probe(), {}).culprit, ElementsAre(2));
  ASSERT_GE(planted.asked.size(), 2U);
  EXPECT_EQ(planted.asked[1], (Set{0, 1}));
}

TEST(CulpritSearch, TriesTheCandidateThatTheFailureNamesAloneFirst) {
  Planted planted{.groups = {{5}}, .asked = {}};
  const auto result = find_culprit(independent(8), planted.probe(), {.suspect = 5});
  EXPECT_THAT(result.culprit, ElementsAre(5));
  EXPECT_THAT(planted.asked, ElementsAre(Set{0, 1, 2, 3, 4, 5, 6, 7}, Set{5}, Set{5}));
}

TEST(CulpritSearch, ASuspectThatWorksAloneIsNoLongerOne) {
  for (const auto& group : {Set{2}, Set{2, 5}}) {
    Planted planted{.groups = {group}, .asked = {}};
    const auto result = find_culprit(independent(8), planted.probe(), {.suspect = 5});
    EXPECT_EQ(result.end, SearchEnd::found);
    EXPECT_EQ(result.culprit, group);
  }
}

TEST(CulpritSearch, EndsWhenCancelled) {
  const Probe probe = [](const Set& set, Freshness) { return set.size() == 4 ? Outcome::fail : Outcome::not_reached; };
  EXPECT_EQ(find_culprit(independent(4), probe, {}).end, SearchEnd::cancelled);
}

// Step by step, with every answer given: the same questions in the same order as the search itself.
TEST(NextQuestion, IsWhatTheSearchAsksNext) {
  for (std::size_t a = 0; a < 6; ++a) {
    for (std::size_t b = a; b < 6; ++b) {
      std::set<Set> known;
      std::vector<Set> asked;
      const auto broken = [&](const Set& set) {
        return std::ranges::count(set, a) > 0 && std::ranges::count(set, b) > 0;
      };
      const auto probe = [&](const Set& set, Freshness freshness) {
        if (freshness == Freshness::may_reuse && known.insert(set).second) asked.push_back(set);
        return broken(set) ? Outcome::fail : Outcome::pass;
      };
      (void)find_culprit(independent(6), probe, {});
      std::map<Set, Outcome> answers;
      std::vector<Set> foreseen;
      while (const auto next = next_question(independent(6), answers)) {
        ASSERT_TRUE(answers.emplace(*next, broken(*next) ? Outcome::fail : Outcome::pass).second);
        foreseen.push_back(*next);
      }
      ASSERT_EQ(foreseen, asked) << a << " with " << b;
    }
  }
}

}  // namespace
}  // namespace patchlab::runners
