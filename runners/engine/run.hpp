// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/facts/compare.hpp"
#include "patches/candidate/candidate.hpp"
#include "reports/record/record.hpp"
#include "runners/engine/department.hpp"
#include "runners/engine/golden.hpp"
#include "runners/engine/host_tools.hpp"
#include "runners/engine/progress.hpp"
#include "runners/host/executor.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::runners {

// What narrows or places a run; empty lists mean all.
struct RunOptions {
  std::vector<std::string> departments;
  std::vector<std::string> roles;
  std::vector<std::string> candidates;
  std::vector<std::filesystem::path> with;  // candidates besides those of the scenario: packages, or their folders
  std::filesystem::path runs = "runs";      // the run gets a folder of its own below
  std::size_t controls = 0;                 // above 0: no candidates, see controls.hpp
  bool anew = false;                        // takes no answer and no conviction of earlier runs; keeps its own
  std::filesystem::path facts{};            // of machines of production, as given_facts() reads them; empty: not asked
  bool each_alone = false;                  // no sets, see each_alone.hpp; then candidates may bring the same package
  std::vector<std::string> carry{};         // "engineering=finance": not tested where alike, see definition.hpp
  std::string program;                      // the patchlab binary, for cells and check workers
  std::optional<host::Executor> executor;   // that starts cells of images; nothing: they are children
  // Set: no candidates but those that are given, and this is what is done in each department's cell.
  std::function<reports::DepartmentRecord(const DepartmentJob&, cell::CellClient&, const std::stop_token&)> instead{};
  std::vector<patches::Candidate> given{};  // in the order in which they are to be applied
};

// Everything a run needs, looked up before any machine starts: golden machines found, candidates loaded, who gets what.
struct Plan {
  Scenario scenario;
  Goldens goldens;
  std::vector<patches::Candidate> candidates;            // all of them, in the order they are applied
  std::map<std::string, std::filesystem::path> sources;  // of those that are files: where each was taken from, by id
  std::vector<DepartmentJob> departments;
  std::vector<std::string> not_tested;       // sentences
  std::vector<std::string> carry;            // RunOptions::carry
  std::vector<std::string> carried;          // what came of it, a sentence each
  std::vector<std::string> with;             // ids of the candidates that RunOptions::with named
  std::optional<host::Executor> executor{};  // RunOptions::executor
  // Of machines of production, by "department/machine". Nothing: nobody asks how like them golden machines are.
  std::optional<std::map<std::string, lab::facts::GivenFacts>> facts{};
  std::filesystem::path facts_folder{};  // where they were looked for
};

// Builds images that are missing, reads the disks of golden domains (both can take minutes; told to `progress`) and
// resolves everything. Every mistake in the scenario's files comes back as one configuration error, before any machine
// starts. What `tools` names must live as long as the plan does.
[[nodiscard]] Result<Plan> make_plan(const Scenario& scenario, const RunOptions& options, const HostTools& tools,
                                     Progress& progress, std::stop_token stop);
// In which order departments begin as far as there is room, as indexes: longest expected first, or the end of a run is
// one department alone. Those that are equal in it stay in the order of the scenario.
[[nodiscard]] std::vector<std::size_t> begin_order(const std::vector<DepartmentJob>& departments);
// For --dry-run: who would be tested with what.
[[nodiscard]] std::string describe(const Plan& plan);
[[nodiscard]] Json plan_json(const Plan& plan);  // the same for programs: cli/schemas/plan.schema.json

struct FinishedRun {
  reports::RunRecord record;
  std::filesystem::path folder;
};
// Told once, with everything that is known before the first machine starts: what is planned, as a record without
// results. An error means that the run does not start.
using BeforeMachines = std::function<Result<void>(const reports::RunRecord& planned)>;

// Runs the plan and says what it found. The run folder gets events.jsonl and evidence; run.json and reports are for the
// caller to keep, and what is to be done about it for others to decide. There is a record also when the run is
// cancelled or fails; an Error means that not even a run folder could be had, or that `before_machines` did not want
// it.
[[nodiscard]] Result<FinishedRun> execute(const Plan& plan, const RunOptions& options, const HostTools& tools,
                                          Progress& progress, std::stop_token stop,
                                          const BeforeMachines& before_machines = {});

}  // namespace patchlab::runners
