// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "snapshots/store/state_store.hpp"

namespace patchlab::snapshots {

// What it is expected to save that a state stays: the time that making it took, times how likely it is to be used once
// more before it is too old, for each byte of the room that it takes. Of two states the one that saves less goes first.
struct ExpectedSaving {
  std::optional<Milliseconds> made_in;  // nothing: not recorded, and nothing that is known would be saved
  double likelihood = 0;                // 0 to 1
  std::uint64_t room = 0;               // bytes
  [[nodiscard]] double seconds_per_gib() const;
  // "213 s to make, 47 % likely to be used again, 1820 MiB: 56 s per GiB"
  [[nodiscard]] std::string words() const;
};

// The likelihood is a guess from what is known: the rule of succession over how often the state was used, halved for
// each day that it was not asked for (a lab runs every night, and what changed is never asked for again), and less
// within the last day before it is too old.
[[nodiscard]] ExpectedSaving expected_saving(const StoredState& state, std::chrono::system_clock::time_point now);
// Whether `a` goes before `b`. Of two that save the same it is the one that was used longer ago.
[[nodiscard]] bool goes_before(const StoredState& a, const StoredState& b, std::chrono::system_clock::time_point now);

}  // namespace patchlab::snapshots
