// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "runners/engine/run.hpp"

// What is done in a cell instead of a run: machines are found, cloned, started and fenced as in every run, and looked
// at in another way.
namespace patchlab::runners {

struct CellWork {
  std::string name;  // of its scratch folder in the cache, and in messages
  std::function<Result<void>(cell::CellClient& lab, const cell::CellJob& job)> work;
  // When all was in order, the proof of the fence included, and before what the cell wrote is gone.
  std::function<Result<void>()> finish{};
};
struct CellWorkOptions {
  std::string program;                       // the patchlab binary, for the cell and check workers
  std::optional<host::Executor> executor{};  // that starts the cell; nothing: it is a child
};

// Does it in the cell of the scenario's only department, and says with what. An Error when that was not possible, or
// the fence leaked or was not proven; then what was seen is kept, and the hint says where.
[[nodiscard]] Result<Plan> work_in_cell(const Scenario& scenario, const CellWork& work, const CellWorkOptions& options,
                                        const HostTools& tools, Progress& progress, const std::stop_token& stop);
// The same with a plan of one department that was made for it, with RunOptions::instead.
[[nodiscard]] Result<void> work_by_plan(const Plan& plan, const CellWork& work, const CellWorkOptions& options,
                                        const HostTools& tools, Progress& progress, const std::stop_token& stop);

}  // namespace patchlab::runners
