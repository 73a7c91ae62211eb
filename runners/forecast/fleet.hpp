// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "runners/forecast/cell_course.hpp"
#include "runners/forecast/foresight.hpp"
#include "runners/forecast/simulation.hpp"
#include "runners/host/executor.hpp"

// What a run comes to on so many hosts: `patchlab plan`, and the time that `run --dry-run` tells.
namespace patchlab::runners::forecast {

struct PlannedDepartment {
  std::string name;
  std::size_t machines = 0;
  std::size_t trials = 0;    // with baseline
  std::size_t searches = 0;  // of these, to find who breaks it
  host::CellRequest request;
  std::vector<std::pair<std::string, std::uint64_t>> images{};  // digest and bytes
  std::shared_ptr<const CellCourse> course;
};

// Everything that has to be done, wherever it is.
struct Work {
  std::vector<PlannedDepartment> departments;
  std::size_t candidates = 0;
  std::vector<std::string> bad;               // assumed to be
  bool again = false;                         // a night like the last one
  std::vector<std::string> not_planned;       // sentences
  Time frame;                                 // before the first cell, and after the last one
  std::vector<std::string> runs;              // that times were recorded in: Time::run
  std::int64_t took_ms = 0;                   // of a run that it was read from; 0: of none
  std::optional<std::int64_t> foreseen_ms{};  // of it, before it began
};

struct Assumptions {
  std::size_t bad = 0;  // so many candidates break every machine that they are installed on
  KeptFrom kept{};
  bool again = false;                             // for the reader: `kept` is what the scenario lets be used
  std::map<std::string, std::uint64_t> images{};  // bytes, by golden digest; others have none
};

// Departments of golden domains are where their libvirt is, and so not in it: it says so.
[[nodiscard]] Work work_of(const std::vector<DepartmentJob>& jobs, const host::Executor& executor,
                           const Durations& durations, const Assumptions& assumptions);
// What a run had to do, with the times that it took itself.
[[nodiscard]] Work work_of(const reports::RunRecord& record, const host::Executor& executor);

struct FleetPlan {
  Work work;
  Hosts hosts;
  Forecast forecast;
  std::vector<std::string> remarks;  // what a reader must know of how it was made
  // With the time before and after.
  [[nodiscard]] std::int64_t makespan_ms() const { return forecast.makespan_ms + work.frame.ms; }
  [[nodiscard]] std::int64_t bound_ms() const { return forecast.bound.ms() + work.frame.ms; }
};

struct FleetAsked {
  std::size_t hosts = 1;
  std::uint32_t cores = 1;
  std::uint32_t memory_mib = 0;
  bool by_executor = false;  // also on one host
  std::optional<double> mib_per_s{};
};
// Departments begin longest first (engine/run.hpp, begin_order); `forecast.cells` are as they stand in `work`.
// A configuration error says which department fits on no host. One host does as `run` does there, where all departments
// have room; others, and more of them, as jobs of an executor.
[[nodiscard]] Result<FleetPlan> plan_on(Work work, const FleetAsked& asked);

// patchlab/makespan/v1
[[nodiscard]] Json fleet_json(const FleetPlan& plan);
[[nodiscard]] std::string fleet_text(const FleetPlan& plan);
[[nodiscard]] std::string duration_text(std::int64_t ms);  // "4.2 s", "5 min 50 s", "2 h 05 min"

}  // namespace patchlab::runners::forecast
