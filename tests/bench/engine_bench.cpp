// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include "lab/core/files.hpp"
#include "runners/culprit/search.hpp"
#include "runners/engine/department.hpp"
#include "runners/scenario/scenario.hpp"
#include "tests/bench/growth.hpp"
#include "tests/support/culprit_engine.hpp"

// What the engine itself costs, without any machine: it must never be what a run waits for.
namespace patchlab::runners {
namespace {

const std::filesystem::path shipped = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "xavier-nightly.json";

// The shipped scenario with as many departments as asked for.
std::string scenario_text(std::int64_t departments) {
  auto json = Json::parse(read_file(shipped).value());
  const Json sample = json["departments"]["finance"];
  json["departments"] = Json::object();
  for (std::int64_t i = 0; i < departments; ++i) json["departments"][fmt::format("department-{}", i)] = sample;
  return json.dump(2);
}

void parse(benchmark::State& state) {
  const auto text = scenario_text(state.range(0));
  for (auto _ : state) {
    const auto scenario = parse_scenario(text, shipped);
    if (!scenario) state.SkipWithError(scenario.error().message.c_str());
    benchmark::DoNotOptimize(&*scenario);
  }
  state.counters["bytes"] = static_cast<double>(text.size());
}

// `state.range(1)` planted culprits that fail only together, evenly spread over `state.range(0)` candidates.
void search(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto planted = static_cast<std::size_t>(state.range(1));
  std::vector<SearchCandidate> candidates(count);
  std::vector<std::size_t> culprit;
  for (std::size_t i = 0; i < count; ++i) candidates[i].id = fmt::format("patch-{}", i);
  for (std::size_t i = 0; i < planted; ++i) culprit.push_back((2 * i + 1) * count / (2 * planted));
  std::size_t probes = 0;
  for (auto _ : state) {
    const auto result = find_culprit(
        candidates,
        [&](const auto& set, Freshness) { return std::ranges::includes(set, culprit) ? Outcome::fail : Outcome::pass; },
        {});
    if (result.culprit != culprit) state.SkipWithError("the wrong culprit was named");
    probes = result.probes;
  }
  state.counters["probes"] = static_cast<double>(probes);
}

// A machine fails when candidate "patch-0" is installed on it.
class InstantCell final : public tests::AnsweringCell {
  void fill(const cell::TrialJob& job, reports::TrialRecord& record) override {
    for (const auto& [machine, installs] : job.installs) {
      if (std::ranges::count(installs, "patch-0", &cell::InstallJob::candidate) == 0) continue;
      record.outcome = Outcome::fail;
      record.signature.push_back(machine + "/works");
    }
  }
};

// Six machines and many candidates.
DepartmentJob department_of(std::int64_t candidates) {
  DepartmentJob job;
  job.cell.department = "finance";
  job.medium = [](const auto&, const auto&) -> Result<std::filesystem::path> {
    return std::filesystem::path("medium.iso");
  };
  for (const char* name : {"db", "dhcp", "dns", "file", "mail", "print"}) {
    cell::MachineJob machine;
    machine.plan.name = machine.plan.role = name;
    job.cell.machines.push_back(std::move(machine));
  }
  for (std::int64_t i = 0; i < candidates; ++i) {
    PlannedCandidate candidate{.id = fmt::format("patch-{}", i),
                               .digest = fmt::format("{:064}", i),
                               .prerequisites = {},
                               .installs = {},
                               .skipped_because = {}};
    for (const auto& machine : job.cell.machines)
      candidate.installs[machine.plan.name] = {
          candidate.id, candidate.digest, {{.file_name = candidate.id + ".deb"}}, {}};
    job.candidates.push_back(std::move(candidate));
  }
  return job;
}

// One of them is bad everywhere: batch, six searches, final.
void run_department(benchmark::State& state) {
  const auto job = department_of(state.range(0));
  std::size_t trials = 0;
  for (auto _ : state) {
    InstantCell lab;
    TrialMemo memo;
    const auto record = DepartmentRun(job, lab, memo, system_clock_source(), {}).run();
    if (record.verdicts[0].outcome != Outcome::fail || record.verdicts[1].outcome != Outcome::pass)
      state.SkipWithError("wrong verdicts");
    trials = record.trials.size();
  }
  state.counters["trials"] = static_cast<double>(trials);
}

// Ten times the candidates cost ten times the time, and a few more questions of the search.
void growth(benchmark::State& state) {
  bench::hold_growth(state, 50, 25, [](std::int64_t candidates) {
    return [job = department_of(candidates)] {
      InstantCell lab;
      TrialMemo memo;
      benchmark::DoNotOptimize(DepartmentRun(job, lab, memo, system_clock_source(), {}).run());
    };
  });
}

BENCHMARK(parse)->Arg(2)->Arg(50)->Unit(benchmark::kMillisecond);
BENCHMARK(search)->Args({100, 1})->Args({100, 2})->Args({1000, 1})->Args({1000, 2})->Unit(benchmark::kMicrosecond);
BENCHMARK(growth)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(run_department)->Arg(10)->Arg(200)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace patchlab::runners
