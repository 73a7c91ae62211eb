// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <algorithm>

#include "tests/support/culprit_runs.hpp"

// What the search itself computes between two trials. It must never be what a run waits for: less than 10 ms in 95 of
// 100 steps for 256 candidates.
namespace patchlab::runners::tests {
namespace {

// `state.range(0)` candidates; the kind of world is the place in world_kinds(), `state.range(1)`; `state.range(2)`
// percent of the answers are lies.
void steps_of_a_search(benchmark::State& state) {
  const auto& kind = world_kinds()[static_cast<std::size_t>(state.range(1))];
  std::vector<double> steps;
  std::uint64_t seed = 0;
  for (auto _ : state) {
    Random random(++seed);
    const auto world = kind.make(random, static_cast<std::size_t>(state.range(0)));
    SimulatedLab lab(world, {static_cast<double>(state.range(2)) / 100, 0}, random());
    const auto run = simulate(lab, MeasureSteps::yes);
    steps.insert(steps.end(), run.steps_ms.begin(), run.steps_ms.end());
  }
  std::ranges::sort(steps);
  state.SetLabel(kind.name);
  state.counters["p95_ms"] = steps[static_cast<std::size_t>(0.95 * static_cast<double>(steps.size() - 1))];
  state.counters["most_ms"] = steps.back();
}

BENCHMARK(steps_of_a_search)->ArgsProduct({{8, 256}, {1, 4, 5, 6, 7, 15}, {0, 5}})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace patchlab::runners::tests
