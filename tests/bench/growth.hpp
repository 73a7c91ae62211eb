// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdint>
#include <ctime>

namespace patchlab::bench {

// Ten times the work must not cost more than `most` times the time of a processor, whatever else the host does
// meanwhile. `prepare(size)` is not counted and gives what is called then.
template <class Prepare>
void hold_growth(benchmark::State& state, std::int64_t small, double most, const Prepare& prepare) {
  const auto seconds = [&](std::int64_t size) {
    const auto work = prepare(size);
    const auto begin = std::clock();
    work();
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  };
  double ratio = 0;
  for (auto _ : state) {
    const auto few = seconds(small);
    ratio = seconds(10 * small) / few;
  }
  state.counters["ratio"] = ratio;
  if (ratio > most)
    state.SkipWithError(fmt::format("ten times the work took more than {} times as long", most).c_str());
}

}  // namespace patchlab::bench
