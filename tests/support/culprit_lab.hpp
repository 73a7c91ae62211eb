// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "runners/culprit/costs.hpp"
#include "tests/support/culprit_worlds.hpp"

// A lab of one machine that has no machine: it knows its world, says now and then the opposite of what it saw, and
// counts what a trial would have cost.
namespace patchlab::runners::tests {

// What a trial costs is modelled, in seconds, all of it here: TrialCosts, and what saving a state takes of it. Kept
// states are what a real cell keeps.
inline constexpr TrialCosts simulated_costs{};
inline constexpr double saving_a_state = 2;

struct Noise {
  double flakes = 0;  // of trials: they pass instead of failing, or the other way round
  double errors = 0;  // of trials: the lab could not tell
};

enum class TrialKind { search, confirm, final };

struct SimulatedTrial {
  Outcome outcome = Outcome::error;
  std::string failed;  // with what
};

class SimulatedLab {
 public:
  SimulatedLab(const World& world, Noise noise, std::uint64_t seed);
  // The trial that started it all: it failed, for what is in the set or by a flake. Costs nothing; what it installed
  // is kept.
  SimulatedTrial batch();
  SimulatedTrial run(const CandidateSet& set, TrialKind kind);

  [[nodiscard]] const World& world() const { return world_; }
  [[nodiscard]] double seconds() const { return seconds_; }
  [[nodiscard]] std::size_t count(TrialKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::size_t count() const { return counts_[0] + counts_[1] + counts_[2]; }

 private:
  [[nodiscard]] bool chance(double probability);
  void pay(const CandidateSet& set, TrialKind kind, bool fails_early);

  const World& world_;
  Noise noise_;
  Random random_;
  KeptStates kept_;
  std::string searched_;  // what the last trial of a whole set failed with: a flake looks the same, which is the worst
  double seconds_ = 0;
  std::array<std::size_t, 3> counts_{};
};

}  // namespace patchlab::runners::tests
