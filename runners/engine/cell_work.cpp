// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/cell_work.hpp"

#include <fmt/ranges.h>

#include "lab/core/held_folder.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

// Machines are watched as in a run: what was seen while the fence leaked was not seen in the lab.
Result<void> in_order(const reports::RunRecord& record) {
  if (record.error) return *record.error;
  for (const auto& department : record.departments) {
    if (department.error) return *department.error;
    if (const auto leaks = department.fence.answers(); leaks > 0) {
      return infrastructure_error(
          fmt::format("the fence of '{}' leaked: {} attempts to get out were answered", department.name, leaks),
          "a run says which, and how");
    }
    if (!department.fence.troubles.empty()) {
      return infrastructure_error(fmt::format("the fence of '{}' is not proven: {}", department.name,
                                              fmt::join(department.fence.troubles, "; ")));
    }
  }
  return {};
}

}  // namespace

Result<Plan> work_in_cell(const Scenario& scenario, const CellWork& work, const CellWorkOptions& options,
                          const HostTools& tools, Progress& progress, const std::stop_token& stop) {
  RunOptions run{.program = options.program, .executor = options.executor};
  run.instead = [](const auto&, auto&, const auto&) { return reports::DepartmentRecord(); };
  PATCHLAB_ASSIGN(auto plan, make_plan(scenario, run, tools, progress, stop));
  PATCHLAB_TRY(work_by_plan(plan, work, options, tools, progress, stop));
  return plan;
}

Result<void> work_by_plan(const Plan& plan, const CellWork& work, const CellWorkOptions& options,
                          const HostTools& tools, Progress& progress, const std::stop_token& stop) {
  // Where the events and logs of the cell go, which nobody needs when all went well.
  PATCHLAB_ASSIGN(auto scratch, HeldFolder::make_in(tools.cache / work.name, "work-"));
  RunOptions run{.runs = scratch.path(), .program = options.program, .executor = options.executor};
  run.instead = [&](const DepartmentJob& job, cell::CellClient& lab, const std::stop_token& stopped) {
    reports::DepartmentRecord record{.name = job.cell.department};
    if (auto done = work.work(lab, job.cell); !done) {
      record.error = stopped.stop_requested()
                         ? Error{ErrorClass::cancelled, fmt::format("'{}' was cancelled", work.name), {}}
                         : std::move(done).error();
    }
    record.outcome = record.error ? Outcome::error : Outcome::skipped;
    return record;
  };
  PATCHLAB_ASSIGN(const auto finished, execute(plan, run, tools, progress, stop));
  auto trouble = in_order(finished.record);
  if (trouble && work.finish) trouble = work.finish();
  if (!trouble) {
    scratch.keep();
    auto error = std::move(trouble).error();
    if (error.hint.empty()) error.hint = fmt::format("what was seen is kept in '{}'", finished.folder.string());
    return error;
  }
  return {};
}

}  // namespace patchlab::runners
