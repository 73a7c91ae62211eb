// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "runners/forecast/fleet.hpp"
#include "tests/bench/growth.hpp"
#include "tests/support/scale_world.hpp"

// What it costs to plan for a site, without any machine. The goal for 10 000 machines and 500 candidates is two seconds
// of an optimised build and one GiB.
namespace patchlab::runners {
namespace {

constexpr std::size_t machines_each = 10;
constexpr std::size_t patches = 500;
constexpr double most_memory_mib = 1024;

double memory_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

enum Alike { alike, all_differ };

std::int64_t plan(const std::vector<DepartmentJob>& jobs, std::size_t bad) {
  auto work = forecast::work_of(jobs, host::Executor{}, forecast::Durations(), {.bad = bad});
  const auto planned = forecast::plan_on(std::move(work), {.hosts = 50, .cores = 16, .memory_mib = 65536});
  return planned ? planned->makespan_ms() : 0;
}

// `state.range(0)` departments of ten machines, `state.range(1)`: whether all differ, `state.range(2)` bad candidates.
void plan_site(benchmark::State& state) {
  const auto jobs = tests::departments_of({.departments = static_cast<std::size_t>(state.range(0)),
                                           .machines = machines_each,
                                           .patches = patches,
                                           .all_differ = state.range(1) == all_differ});
  for (auto _ : state) {
    if (plan(jobs, static_cast<std::size_t>(state.range(2))) == 0) state.SkipWithError("nothing was planned");
  }
  state.counters["machines"] = static_cast<double>(machines_each) * static_cast<double>(state.range(0));
  state.counters["peak_mib"] = memory_mib();
  if (memory_mib() > most_memory_mib) state.SkipWithError("it took more than one GiB");
}

void growth(benchmark::State& state) {
  bench::hold_growth(state, 20, 20, [](std::int64_t departments) {
    return [jobs = tests::departments_of({.departments = static_cast<std::size_t>(departments),
                                          .machines = machines_each,
                                          .patches = 100,
                                          .all_differ = true})] { benchmark::DoNotOptimize(plan(jobs, 0)); };
  });
}

BENCHMARK(plan_site)
    ->ArgNames({"departments", "differ", "bad"})
    ->Args({1000, alike, 0})
    ->Args({1000, alike, 5})
    ->Args({1000, all_differ, 0})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(growth)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace patchlab::runners
