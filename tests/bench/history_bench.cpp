// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "history/index/queries.hpp"
#include "tests/support/history_years.hpp"

// The promise is that each question about 10 000 runs is answered within 200 ms. As a test it asks of fewer;
// PATCHLAB_HISTORY_RUNS says of how many.
namespace patchlab {
namespace {

using tests::wanted_runs;
using tests::Years;

template <class Ask>
void ask(benchmark::State& state, const Ask& question) {
  auto& years = Years::all();
  for (auto _ : state) {
    const auto answer = question(years.database());
    if (!answer) state.SkipWithError(answer.error().message.c_str());
    benchmark::DoNotOptimize(answer);
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  state.counters["runs"] = static_cast<double>(wanted_runs());
  state.counters["peak_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}

void newest_runs(benchmark::State& state) {
  ask(state, [](auto& database) { return history::runs(database, {}, 20); });
}
void one_candidate(benchmark::State& state) {
  ask(state, [](auto& database) { return history::candidate(database, Years::all().last_candidate()); });
}
void flaky_checks(benchmark::State& state) {
  ask(state, [](auto& database) { return history::flaky(database, {}); });
}
void all_durations(benchmark::State& state) {
  ask(state, [](auto& database) { return history::durations(database, {}); });
}
void durations_of_a_year(benchmark::State& state) {
  ask(state, [](auto& database) { return history::durations(database, {{{}, "2029-01", {}}, {}, {}}); });
}
void trend_by_month(benchmark::State& state) {
  ask(state, [](auto& database) { return history::trend(database, {}, {}); });
}
void trend_by_candidate(benchmark::State& state) {
  ask(state, [](auto& database) { return history::trend(database, {}, {true, true, true}); });
}
void changes(benchmark::State& state) {
  ask(state, [](auto& database) { return history::changed(database, {}, {}); });
}

BENCHMARK(newest_runs)->Unit(benchmark::kMillisecond);
BENCHMARK(one_candidate)->Unit(benchmark::kMillisecond);
BENCHMARK(flaky_checks)->Unit(benchmark::kMillisecond);
BENCHMARK(all_durations)->Unit(benchmark::kMillisecond);
BENCHMARK(durations_of_a_year)->Unit(benchmark::kMillisecond);
BENCHMARK(trend_by_month)->Unit(benchmark::kMillisecond);
BENCHMARK(trend_by_candidate)->Unit(benchmark::kMillisecond);
BENCHMARK(changes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace patchlab
