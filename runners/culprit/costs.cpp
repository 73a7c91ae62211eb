// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/culprit/costs.hpp"

#include <algorithm>

namespace patchlab::runners {

std::deque<CandidateSet>::const_iterator KeptStates::start_for(const CandidateSet& sequence) const {
  auto best = states_.end();
  for (auto state = states_.begin(); state != states_.end(); ++state) {
    const bool starts = state->size() <= sequence.size() && std::equal(state->begin(), state->end(), sequence.begin());
    if (starts && (best == states_.end() || state->size() > best->size())) best = state;
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
  // Of many new states the last ones stay.
  const auto first = std::max(applied + 1, sequence.size() + 1 > limit_ ? sequence.size() + 1 - limit_ : 1);
  for (auto length = first; length <= sequence.size(); ++length)
    states_.emplace_back(sequence.begin(), sequence.begin() + static_cast<std::ptrdiff_t>(length));
  while (states_.size() > limit_) states_.pop_front();
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
