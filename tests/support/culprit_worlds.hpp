// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "runners/culprit/search.hpp"

// Sets of candidates of which somebody knows what is wrong with them, and labs that now and then say the opposite of
// what they saw. The culprit search must not know either.
namespace patchlab::runners::tests {

struct World {
  std::vector<SearchCandidate> candidates;
  std::vector<CandidateSet> groups;      // a set breaks that holds all of one
  std::vector<std::size_t> repaired_by;  // by group: the candidate that mends what it breaks; n: nobody

  [[nodiscard]] bool breaks(const CandidateSet& set) const {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const bool repaired = g < repaired_by.size() && std::ranges::binary_search(set, repaired_by[g]);
      if (!repaired && std::ranges::includes(set, groups[g])) return true;
    }
    return false;
  }
};

using Random = std::mt19937_64;

inline std::vector<SearchCandidate> independent(std::size_t count) {
  std::vector<SearchCandidate> candidates(count);
  for (std::size_t i = 0; i < count; ++i) candidates[i].id = std::to_string(i);
  return candidates;
}

// `sizes`: of the groups, which share no member.
inline World planted(Random& random, std::size_t count, const std::vector<std::size_t>& sizes) {
  World world{.candidates = independent(count), .groups = {}, .repaired_by = {}};
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

// Each candidate needs the one before it, in chains of four.
inline World chained(Random& random, std::size_t count) {
  auto world = planted(random, count, {1});
  for (std::size_t i = 0; i < count; ++i) {
    if (i % 4 != 0) world.candidates[i].prerequisites = {i - 1};
  }
  return world;
}

// A pair of which the second needs the first, among others that need each other now and then.
inline World pair_with_prerequisite(Random& random, std::size_t count) {
  auto world = planted(random, count, {2});
  world.candidates[world.groups[0][1]].prerequisites = {world.groups[0][0]};
  return world;
}

// The first culprit breaks nothing while another candidate, which comes later, is there too.
inline World repaired(Random& random, std::size_t count) {
  auto world = planted(random, count, {1, 1, 1});
  const auto repairer = world.groups.back()[0];
  world.groups.pop_back();
  world.repaired_by = {repairer, count};
  return world;
}

// What is to be named at the end: the groups that break what would be promoted without the others.
inline CandidateSet truth(const World& world) {
  CandidateSet culprits;
  for (std::size_t g = 0; g < world.groups.size(); ++g) {
    if (g < world.repaired_by.size() && world.repaired_by[g] < world.candidates.size()) continue;
    // Who needs another member cannot be there without it: to hold back the one who needs is enough.
    for (const auto member : world.groups[g]) {
      const bool needed = std::ranges::any_of(world.groups[g], [&](auto other) {
        return other != member && std::ranges::count(world.candidates[other].prerequisites, member) > 0;
      });
      if (!needed) culprits = united(culprits, {member});
    }
  }
  return culprits;
}

// One lab for one run. Counts what it is asked.
class NoisyLab {
 public:
  NoisyLab(const World& world, Random& random, double flakes, double errors = 0)
      : world_(world), random_(random), flakes_(flakes), errors_(errors) {}
  Outcome run(const CandidateSet& set) {
    if (chance(errors_)) return Outcome::error;
    return world_.breaks(set) != chance(flakes_) ? Outcome::fail : Outcome::pass;
  }

 private:
  [[nodiscard]] bool chance(double p) { return p > 0 && std::uniform_real_distribution<>(0, 1)(random_) < p; }
  const World& world_;
  Random& random_;
  double flakes_, errors_;
};

enum class Ending {
  correct,    // exactly the culprits were named, and what is left was promoted
  partial,    // a culprit was named, not all of them, and what is left works
  wrong,      // an innocent was named
  escaped,    // what is promoted is broken
  abstained,  // nobody was named, or somebody was only held back
};

struct SimulatedRun {
  Ending ending = Ending::abstained;
  CandidateSet held;
  std::size_t search =
      0;  // trials that look for the culprit, the one that asks whether the failure was real among them
  std::size_t confirm = 0;  // of somebody alone, from the baseline
  std::size_t rest = 0;     // of what would be left, and of the exact set at the end
};

// A run as DepartmentRun makes it, in small: the batch, the search, the exact rest, and again when that fails.
inline SimulatedRun simulate(const World& world, Random& random, double flakes, double errors = 0) {
  NoisyLab lab(world, random, flakes, errors);
  SimulatedRun run;
  CandidateSet remaining(world.candidates.size());
  std::iota(remaining.begin(), remaining.end(), std::size_t{0});
  CandidateSet named, quarantined;
  std::vector<Sighting> seen;  // in the numbers of the world
  bool passed = false;
  // The batch failed, by its culprits or by a flake.
  for (bool first = true; !remaining.empty(); first = false) {
    auto outcome = first ? Outcome::fail : lab.run(remaining);
    if (!first) ++run.rest;
    if (outcome == Outcome::error) continue;
    seen.push_back({remaining, outcome == Outcome::fail});
    if (outcome == Outcome::pass) {
      passed = true;
      break;
    }
    std::vector<SearchCandidate> candidates;
    const auto place = [&](std::size_t candidate) {
      return static_cast<std::size_t>(std::ranges::lower_bound(remaining, candidate) - remaining.begin());
    };
    for (const auto index : remaining) {
      SearchCandidate candidate{world.candidates[index].id, {}};
      for (const auto needed : world.candidates[index].prerequisites) {
        if (std::ranges::binary_search(remaining, needed)) candidate.prerequisites.push_back(place(needed));
      }
      candidates.push_back(std::move(candidate));
    }
    SearchPolicy policy;
    for (const auto& [set, failed] : seen) {
      if (!contains_all(remaining, set)) continue;
      Sighting sighting{{}, failed};
      for (const auto index : set) sighting.set.push_back(place(index));
      policy.seen.push_back(sighting);
    }
    const auto of_world = [&](const CandidateSet& set) {
      CandidateSet chosen;
      for (const auto member : set) chosen.push_back(remaining[member]);
      return chosen;
    };
    const auto probe = [&](const CandidateSet& set, Freshness freshness) {
      const auto chosen = of_world(set);
      const auto answer = lab.run(chosen);
      ++(freshness == Freshness::fresh ? run.confirm : run.search);
      if (answer != Outcome::error) seen.push_back({chosen, answer == Outcome::fail});
      return answer;
    };
    const auto result = find_culprit(candidates, probe, policy);
    if (result.end == SearchEnd::not_reproduced) {
      // It failed once and passed twice: a person decides. Right only when nothing was wrong.
      passed = !world.breaks(remaining);
      break;
    }
    const auto held = of_world(result.end == SearchEnd::found ? result.culprit : result.suspicious);
    if (result.end == SearchEnd::found) {
      named = united(named, held);
      --run.search, ++run.rest;  // the rest was seen passing within the search
    } else {
      quarantined = united(quarantined, held);
    }
    auto gone = Prerequisites(world.candidates).with_dependents(held);
    remaining = without(remaining, gone);
  }
  run.held = united(named, quarantined);
  const auto culprits = truth(world);
  if (!without(named, culprits).empty())
    run.ending = Ending::wrong;
  else if (passed && world.breaks(remaining))
    run.ending = Ending::escaped;
  else if (!quarantined.empty() || (!passed && !remaining.empty()))
    run.ending = Ending::abstained;
  else
    run.ending = named == culprits ? Ending::correct : Ending::partial;
  return run;
}

}  // namespace patchlab::runners::tests
