// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/culprit_lab.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace patchlab::runners::tests {
namespace {

constexpr const char* check_after_install = "server/works";
constexpr const char* check_after_restart = "server/restarts";

}  // namespace

SimulatedLab::SimulatedLab(const World& world, Noise noise, std::uint64_t seed)
    : world_(world), noise_(noise), random_(seed), kept_(simulated_costs.kept_states) {}

SimulatedTrial SimulatedLab::batch() {
  CandidateSet all(world_.candidates.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  (void)kept_.install(all);
  const auto shows = [&](ShownIn phase) {
    for (std::size_t g = 0; g < world_.groups.size(); ++g) {
      if (world_.acts(g, all) && (g < world_.shown.size() ? world_.shown[g] : ShownIn::after_install) == phase)
        return true;
    }
    return false;
  };
  const bool late = !shows(ShownIn::after_install) && shows(ShownIn::after_restart);
  searched_ = late ? check_after_restart : check_after_install;
  return {Outcome::fail, searched_};
}

SimulatedTrial SimulatedLab::run(const CandidateSet& set, TrialKind kind) {
  ++counts_[static_cast<std::size_t>(kind)];
  if (chance(noise_.errors)) {
    pay(set, kind, false);
    return {Outcome::error, {}};
  }
  std::optional<ShownIn> shown;
  for (std::size_t g = 0; g < world_.groups.size(); ++g) {
    if (!world_.acts(g, set)) continue;
    if (g < world_.rates.size() && !chance(world_.rates[g])) continue;
    const auto phase = g < world_.shown.size() ? world_.shown[g] : ShownIn::after_install;
    if (!shown || phase == ShownIn::after_install) shown = phase;
  }
  const bool lies = chance(noise_.flakes);
  SimulatedTrial trial{Outcome::pass, {}};
  if (shown.has_value() != lies) {
    trial.outcome = Outcome::fail;
    trial.failed = !shown ? searched_ : *shown == ShownIn::after_install ? check_after_install : check_after_restart;
    if (kind == TrialKind::final) searched_ = trial.failed;
  }
  pay(set, kind, trial.failed == check_after_install);
  return trial;
}

// A confirming trial starts from nothing and keeps nothing. One of a whole set goes on behind a failure.
void SimulatedLab::pay(const CandidateSet& set, TrialKind kind, bool fails_early) {
  const bool from_nothing = kind == TrialKind::confirm;
  const auto applied = from_nothing ? 0 : kept_.install(set);
  const auto& costs = simulated_costs;
  const auto each = costs.install - (from_nothing ? saving_a_state : 0);
  seconds_ += costs.revert + static_cast<double>(set.size() - applied) * each + costs.checks;
  if (!fails_early || kind == TrialKind::final) seconds_ += costs.restart + costs.checks;
}

bool SimulatedLab::chance(double probability) {
  if (probability <= 0) return false;
  return probability >= 1 || std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

}  // namespace patchlab::runners::tests
