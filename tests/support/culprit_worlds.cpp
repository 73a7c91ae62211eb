// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/culprit_worlds.hpp"

#include <algorithm>
#include <numeric>

namespace patchlab::runners::tests {
namespace {

World masked(Random& random, std::size_t count, bool hidden_is_earlier) {
  auto world = planted(random, count, {1, 1});
  if ((world.groups[1] < world.groups[0]) != hidden_is_earlier) std::swap(world.groups[0], world.groups[1]);
  world.shown = {ShownIn::after_install, ShownIn::after_restart};
  return world;
}

World intermittent(Random& random, std::size_t count, double rate) {
  auto world = planted(random, count, {1});
  world.rates = {rate};
  return world;
}

World with_prerequisites(Random& random, std::size_t count) {
  auto world = planted(random, count, {1});
  for (std::size_t i = 1; i < count; ++i) {
    for (int needs = 0; needs < 2; ++needs) {
      if (random() % 4 == 0) world.candidates[i].prerequisites.push_back(random() % i);
    }
  }
  return world;
}

// The later version of the first culprit is there too: it needs the earlier one, and mends what that one breaks.
World superseded(Random& random, std::size_t count) {
  auto world = repaired(random, count);
  auto& bad = world.groups[0][0];
  auto& later = world.repaired_by[0];
  if (later < bad) std::swap(later, bad);
  world.candidates[later].prerequisites = {bad};
  return world;
}

}  // namespace

bool World::acts(std::size_t group, const CandidateSet& set) const {
  const bool repaired = group < repaired_by.size() && std::ranges::binary_search(set, repaired_by[group]);
  return !repaired && contains_all(set, groups[group]);
}

bool World::breaks(const CandidateSet& set) const {
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (acts(g, set)) return true;
  }
  return false;
}

std::vector<SearchCandidate> independent(std::size_t count) {
  std::vector<SearchCandidate> candidates(count);
  for (std::size_t i = 0; i < count; ++i) candidates[i].id = std::to_string(i);
  return candidates;
}

World planted(Random& random, std::size_t count, const std::vector<std::size_t>& sizes) {
  World world{.candidates = independent(count), .groups = {}, .repaired_by = {}, .shown = {}, .rates = {}};
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::shuffle(order, random);
  auto next = order.begin();
  for (const auto size : sizes) {
    CandidateSet group(next, next + static_cast<std::ptrdiff_t>(size));
    next += static_cast<std::ptrdiff_t>(size);
    std::ranges::sort(group);
    world.groups.push_back(std::move(group));
  }
  return world;
}

World chained(Random& random, std::size_t count) {
  auto world = planted(random, count, {1});
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 4 != 0) world.candidates[i].prerequisites = {i - 1};
  }
  return world;
}

World pair_with_prerequisite(Random& random, std::size_t count) {
  auto world = planted(random, count, {2});
  world.candidates[world.groups[0][1]].prerequisites = {world.groups[0][0]};
  return world;
}

World repaired(Random& random, std::size_t count) {
  auto world = planted(random, count, {1, 1, 1});
  const auto repairer = world.groups.back()[0];
  world.groups.pop_back();
  world.repaired_by = {repairer, count};
  return world;
}

const std::vector<WorldKind>& world_kinds() {
  static const auto groups = [](std::vector<std::size_t> sizes) {
    return [sizes](Random& random, std::size_t count) { return planted(random, count, sizes); };
  };
  static const auto by_phase = [](bool earlier) {
    return [earlier](Random& random, std::size_t count) { return masked(random, count, earlier); };
  };
  static const auto now_and_then = [](double rate) {
    return [rate](Random& random, std::size_t count) { return intermittent(random, count, rate); };
  };
  static const std::vector<WorldKind> all{{"none", groups({}), 0},
                                          {"one", groups({1}), 1},
                                          {"two", groups({1, 1}), 2},
                                          {"three", groups({1, 1, 1}), 3},
                                          {"four", groups({1, 1, 1, 1}), 4},
                                          {"pair", groups({2}), 1},
                                          {"triple", groups({3}), 1},
                                          {"one and a pair", groups({1, 2}), 2},
                                          {"one hides an earlier one", by_phase(true), 2},
                                          {"one hides a later one", by_phase(false), 2},
                                          {"repaired by another", repaired, 2},
                                          {"superseded", superseded, 2},
                                          {"chains", chained, 1},
                                          {"prerequisites", with_prerequisites, 1},
                                          {"pair needing one another", pair_with_prerequisite, 1},
                                          {"breaks in half of the trials", now_and_then(0.5), 1},
                                          {"breaks in a third of the trials", now_and_then(1.0 / 3), 1}};
  return all;
}

CandidateSet truth(const World& world) {
  CandidateSet culprits;
  const Prerequisites prerequisites(world.candidates);
  for (std::size_t g = 0; g < world.groups.size(); ++g) {
    if (g < world.repaired_by.size() && world.repaired_by[g] < world.candidates.size()) continue;
    for (const auto member : world.groups[g]) {
      const bool needed = std::ranges::any_of(world.groups[g], [&](auto other) {
        return other != member && contains_all(prerequisites.with_needed({other}), {member});
      });
      if (!needed) culprits = united(culprits, {member});
    }
  }
  return culprits;
}

}  // namespace patchlab::runners::tests
