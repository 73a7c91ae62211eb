// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "runners/culprit/search.hpp"

// Sets of candidates of which somebody knows what is wrong with them. A search must not know.
namespace patchlab::runners::tests {

// In which a machine is looked at; what failed in the first is not looked at in the second.
enum class ShownIn { after_install, after_restart };

struct World {
  std::vector<SearchCandidate> candidates;
  std::vector<CandidateSet> groups;      // a set breaks that holds all of one
  std::vector<std::size_t> repaired_by;  // by group: the candidate that mends what it breaks; n, or no entry: nobody
  std::vector<ShownIn> shown;            // by group; no entry: after the installation
  std::vector<double> rates;             // by group: in what share of the trials it breaks something; no entry: in all

  [[nodiscard]] bool acts(std::size_t group, const CandidateSet& set) const;
  // Whether a trial of the set may fail for what is in it.
  [[nodiscard]] bool breaks(const CandidateSet& set) const;
};

using Random = std::mt19937_64;

[[nodiscard]] std::vector<SearchCandidate> independent(std::size_t count);
// `sizes`: of the groups, which share no member.
[[nodiscard]] World planted(Random& random, std::size_t count, const std::vector<std::size_t>& sizes);
// Each candidate needs the one before it, in chains of four.
[[nodiscard]] World chained(Random& random, std::size_t count);
// A pair of which the second needs the first.
[[nodiscard]] World pair_with_prerequisite(Random& random, std::size_t count);
// The first culprit breaks nothing while another candidate is there too.
[[nodiscard]] World repaired(Random& random, std::size_t count);

struct WorldKind {
  std::string name;
  std::function<World(Random&, std::size_t)> make;
  std::size_t culprits = 0;  // how many groups there are at most, which generalised binary splitting must be told
};
[[nodiscard]] const std::vector<WorldKind>& world_kinds();

// Whom to name at the end: the groups that break what would be promoted without the others. Who needs another member
// cannot be there without it: to hold back the one who needs is enough.
[[nodiscard]] CandidateSet truth(const World& world);

}  // namespace patchlab::runners::tests
