// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <filesystem>

#include "lab/core/files.hpp"
#include "promotion/gate/gate.hpp"
#include "reports/csv/csv.hpp"
#include "reports/html/html.hpp"
#include "reports/junit/junit.hpp"
#include "reports/record/record.hpp"
#include "tests/support/sample_record.hpp"

// A run of at least `results` check results: the sample's trials, repeated under other names. The promise is that 10
// 000 results are rendered in under a second.
namespace patchlab {
namespace {

std::size_t results_in(const reports::RunRecord& record) {
  std::size_t count = 0;
  for (const auto& department : record.departments) {
    for (const auto& trial : department.trials) {
      for (const auto& phase : trial.phases) count += phase.checks.size();
    }
  }
  return count;
}

reports::RunRecord record_with(std::size_t results) {
  auto record = tests::rich_record();
  const auto sample = record;
  while (results_in(record) < results) {
    for (std::size_t i = 0; i < record.departments.size(); ++i) {
      auto& trials = record.departments[i].trials;
      for (auto trial : sample.departments[i].trials) {
        const auto old_id = trial.id;
        trial.id = fmt::format("{}/t{}", record.departments[i].name, trials.size());
        for (const auto& timing : sample.timings) {
          if (timing.trial != old_id) continue;
          record.timings.push_back(timing);
          record.timings.back().trial = trial.id;
        }
        trials.push_back(std::move(trial));
      }
    }
  }
  return record;
}

const reports::RunRecord& record_of(const benchmark::State& state) {
  static std::map<std::int64_t, reports::RunRecord> records;
  const auto found = records.find(state.range(0));
  if (found != records.end()) return found->second;
  return records.emplace(state.range(0), record_with(static_cast<std::size_t>(state.range(0)))).first->second;
}

template <class Write>
void measure(benchmark::State& state, Write write) {
  const auto& record = record_of(state);
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto text = write(record);
    bytes = text.size();
    benchmark::DoNotOptimize(text.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["results"] = static_cast<double>(results_in(record));
}

void write_json(benchmark::State& state) {
  measure(state, [](const auto& record) { return pretty(record); });
}
void write_junit(benchmark::State& state) { measure(state, [](const auto& record) { return reports::junit_xml(record); }); }
void write_csv(benchmark::State& state) { measure(state, [](const auto& record) { return reports::csv_table(record); }); }
void write_html(benchmark::State& state) { measure(state, [](const auto& record) { return reports::html_report(record); }); }
void record_identity(benchmark::State& state) { measure(state, reports::record_digest); }

// Everything that a run folder gets, one after the other.
void write_all_reports(benchmark::State& state) {
  measure(state, [](const auto& record) {
    return pretty(record) + reports::junit_xml(record) + reports::csv_table(record) + reports::html_report(record);
  });
}

void read_record(benchmark::State& state) {
  const auto text = pretty(record_of(state));
  for (auto _ : state) {
    const auto json = parse_json(text, "run.json");
    const auto record = reports::run_record_from_json(*json);
    if (!record) state.SkipWithError(record.error().message.c_str());
    benchmark::DoNotOptimize(&*record);
  }
}

void decide_promotion(benchmark::State& state) {
  const auto& record = record_of(state);
  promotion::Today today;
  today.now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{7};
  for (auto _ : state) {
    const auto decision = promotion::decide(record, "finance", {}, today);
    if (!decision.promotes()) state.SkipWithError("the sample must be promotable");
    benchmark::DoNotOptimize(&decision);
  }
}

BENCHMARK(write_json)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(write_junit)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(write_csv)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(write_html)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(write_all_reports)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(record_identity)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(read_record)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(decide_promotion)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace patchlab
