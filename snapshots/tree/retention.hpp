// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

// Which states a machine keeps when there is room for few: a function over the sequences of patches that they hold. The
// tree of a cell, the search that guesses what its next trial costs, and the forecast of a run all ask it.
namespace patchlab::snapshots {

// Whether `whole` begins with all of `first`.
template <class Sequence>
[[nodiscard]] bool begins_with(const Sequence& whole, const Sequence& first) {
  return first.size() <= whole.size() && (first.empty() || first.back() == whole[first.size() - 1]) &&
         std::equal(first.begin(), first.end(), whole.begin());
}

// The state that is missed least: its place in `by_use`, which begins with the one that was used longest ago. The last
// one stays. `by_use`: at least two, no two of them equal.
//
// Who does without a state installs again what it holds beyond the longest other one that it begins with. What that
// costs counts squared, over the place from the end: a state that spares twice as much may lie unused four times as
// long. So the states of one long installation end up apart from each other, and whoever halves the set, or leaves out
// one patch in the midst of it, finds one on the way.
template <class Sequence>
[[nodiscard]] std::size_t missed_least(const std::vector<const Sequence*>& by_use) {
  std::size_t chosen = 0, least = 0;
  const auto age = [&](std::size_t place) { return by_use.size() - place; };
  for (std::size_t place = 0; place + 1 < by_use.size(); ++place) {
    const auto& state = *by_use[place];
    std::size_t from = 0;
    for (const auto* other : by_use) {
      if (other->size() < state.size() && other->size() > from && begins_with(state, *other)) from = other->size();
    }
    const auto spared = (state.size() - from) * (state.size() - from);
    if (place > 0 && spared * age(chosen) >= least * age(place)) continue;
    chosen = place;
    least = spared;
  }
  return chosen;
}

}  // namespace patchlab::snapshots
