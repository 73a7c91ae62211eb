// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/costs.hpp"

#include "snapshots/tree/retention.hpp"

namespace patchlab::runners {

std::deque<CandidateSet>::const_iterator KeptStates::start_for(const CandidateSet& sequence) const {
  auto best = states_.end();
  for (auto state = states_.begin(); state != states_.end(); ++state) {
    if (!snapshots::begins_with(sequence, *state)) continue;
    if (best == states_.end() || state->size() > best->size()) best = state;
  }
  return best;
}

std::size_t KeptStates::applied(const CandidateSet& sequence) const {
  const auto start = start_for(sequence);
  return start == states_.end() ? 0 : start->size();
}

std::size_t KeptStates::install(const CandidateSet& sequence) {
  const auto start = start_for(sequence);
  const auto applied = start == states_.end() ? 0 : start->size();
  if (start != states_.end()) {
    auto used = *start;
    states_.erase(start);
    states_.push_back(std::move(used));
  }
  for (auto length = applied + 1; length <= sequence.size(); ++length) {
    states_.emplace_back(sequence.begin(), sequence.begin() + static_cast<std::ptrdiff_t>(length));
    if (states_.size() <= limit_) continue;
    std::vector<const CandidateSet*> by_use;
    for (const auto& state : states_) by_use.push_back(&state);
    states_.erase(states_.begin() + static_cast<std::ptrdiff_t>(snapshots::missed_least(by_use)));
  }
  return applied;
}

double ExpectedCosts::least(double failing) const {
  return costs_.revert + costs_.checks + (1 - failing) * (costs_.restart + costs_.checks);
}

double ExpectedCosts::seconds(const CandidateSet& set, bool from_nothing, double failing) const {
  const auto installed = set.size() - (from_nothing ? 0 : kept_.applied(set));
  return least(failing) + static_cast<double>(installed) * costs_.install;
}

}  // namespace patchlab::runners
