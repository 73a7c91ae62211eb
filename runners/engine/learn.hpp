// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "checks/learn/learnt_file.hpp"
#include "runners/engine/host_tools.hpp"
#include "runners/engine/progress.hpp"
#include "runners/host/executor.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::runners {

struct LearnOptions {
  std::string department;                    // empty: the only one
  std::vector<std::string> machines;         // empty: all of the department
  bool replace = false;                      // files that are there
  std::string program;                       // the patchlab binary, for the cell and check workers
  std::optional<host::Executor> executor{};  // that starts the cell; nothing: it is a child
};

// One machine of which checks are to be learnt, and where they are to be written.
struct LearnTarget {
  std::string machine;
  std::filesystem::path file;  // that the scenario names for it, or learnt/MACHINE.json beside the scenario
};
// What is to be learnt: `scenario`, read ScenarioFor::learning, with the department alone and the machines that are
// needed for those that were asked for.
struct LearnPlan {
  Scenario scenario;
  std::vector<LearnTarget> targets;  // sorted by machine
};
// An Error when something named is not there, when two machines would be written to one file, or a file is there that
// is not to be replaced.
[[nodiscard]] Result<LearnPlan> plan_learning(const Scenario& scenario, const LearnOptions& options);

struct LearntMachine {
  LearnTarget target;
  checks::learn::LearntFrom from;
  checks::learn::Learnt learnt;
  std::vector<std::string> gone;  // ids of checks of the file that is replaced, which were not learnt again
};
// Boots the machines in a cell as a run does, and asks them. An Error when that was not possible, or the fence leaked;
// nothing is written here.
[[nodiscard]] Result<std::vector<LearntMachine>> learn_checks(const LearnPlan& plan, const LearnOptions& options,
                                                              const HostTools& tools, Progress& progress,
                                                              std::stop_token stop);

}  // namespace patchlab::runners
