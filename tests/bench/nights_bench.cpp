// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <cmath>

#include "tests/support/clean_nights.hpp"

// Nights without any bad patch: 60 checks, asked 360 times. How many are spoiled when each execution fails now and
// then, and how many would be if every failing execution counted. The figures mean something with many nights:
// nights_bench --benchmark_min_time=60
namespace patchlab::runners {
namespace {

// `state.range(0)`: of 10000 executions so many fail.
void clean_night(benchmark::State& state) {
  const double flakes = static_cast<double>(state.range(0)) / 10000;
  test::CleanNights sum;
  for (auto _ : state) {
    const auto night = test::clean_nights(1, 60, flakes, static_cast<unsigned>(++sum.nights));
    sum.with_a_flake += night.with_a_flake;
    sum.spoiled += night.spoiled;
  }
  const auto percent = [&](int count) { return 100.0 * count / sum.nights; };
  state.counters["nights"] = sum.nights;
  state.counters["with_a_flake_%"] = percent(sum.with_a_flake);
  state.counters["spoiled_%"] = percent(sum.spoiled);
  state.counters["if_one_counted_%"] = 100 * (1 - std::pow(1 - flakes, 360));
}

BENCHMARK(clean_night)->Arg(1)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace patchlab::runners
