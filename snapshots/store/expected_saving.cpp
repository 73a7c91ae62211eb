// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/expected_saving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace patchlab::snapshots {
namespace {

using Days = std::chrono::duration<double, std::ratio<86'400>>;

double seconds(const ExpectedSaving& saving) {
  return std::chrono::duration<double>(saving.made_in.value_or(Milliseconds{0})).count() * saving.likelihood;
}

}  // namespace

double ExpectedSaving::seconds_per_gib() const {
  return seconds(*this) * static_cast<double>(1ULL << 30U) / static_cast<double>(std::max<std::uint64_t>(room, 1));
}

std::string ExpectedSaving::words() const {
  if (!made_in) return "how long it took to make is not recorded";
  return fmt::format("{:.0f} s to make, {:.0f} % likely to be used again, {} MiB: {:.0f} s per GiB",
                     std::chrono::duration<double>(*made_in).count(), likelihood * 100, room >> 20U, seconds_per_gib());
}

ExpectedSaving expected_saving(const StoredState& state, std::chrono::system_clock::time_point now) {
  const auto uses = static_cast<double>(state.uses);
  // Of clocks that were set back nothing is older than now.
  const double idle = std::max(0.0, Days(now - state.used).count());
  const double left = Days(state.made + state.most_age - now).count();
  const double in_time = std::clamp(left, 0.0, 1.0);
  return {state.made_in, (uses + 1) / (uses + 2) * std::exp2(-idle) * in_time, state.room()};
}

bool goes_before(const StoredState& a, const StoredState& b, std::chrono::system_clock::time_point now) {
  const double saves_a = expected_saving(a, now).seconds_per_gib();
  const double saves_b = expected_saving(b, now).seconds_per_gib();
  if (saves_a < saves_b || saves_b < saves_a) return saves_a < saves_b;
  return a.used < b.used;
}

}  // namespace patchlab::snapshots
