// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/learn.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "runners/engine/cell_work.hpp"
#include "runners/engine/roles.hpp"
#include "runners/engine/run.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

LearnTarget target_of(const MachinePlan& machine, const fs::path& folder) {
  if (machine.check_files.size() == 1) return {machine.name, machine.check_files.front()};
  return {machine.name, folder / "learnt" / (machine.name + ".json")};
}

}  // namespace

Result<LearnPlan> plan_learning(const Scenario& scenario, const LearnOptions& options) {
  LearnPlan plan{scenario, {}};
  PATCHLAB_ASSIGN(auto department, one_department(scenario, options.department, "checks are learnt"));
  std::vector<std::string> names;
  for (const auto& machine : department.machines) names.push_back(machine.name);
  PATCHLAB_TRY(
      check_choice("--machine", options.machines, fmt::format("is not in department '{}'", department.name), names));
  const auto wanted = options.machines.empty() ? names : options.machines;
  std::map<fs::path, std::string> writers;
  for (const auto& machine : department.machines) {
    if (std::ranges::count(wanted, machine.name) == 0) continue;
    auto target = target_of(machine, scenario.folder);
    const auto [known, is_new] = writers.emplace(target.file, machine.name);
    if (!is_new) {
      return configuration_error(fmt::format("'{}' is named for both '{}' and '{}', whose checks are not the same",
                                             target.file.string(), known->second, machine.name),
                                 "learn one of them with --machine, or name another file for the other");
    }
    if (is_there(target.file) && !options.replace) {
      return configuration_error(
          fmt::format("'{}' is there already", target.file.string()),
          "--force replaces it; of what was changed in it, slower_ms and timeout_s of checks stay");
    }
    plan.targets.push_back(std::move(target));
  }
  const auto needed = with_dependencies(department, wanted);
  std::erase_if(department.machines, [&](const auto& machine) { return !needed.contains(machine.name); });
  plan.scenario.departments = {std::move(department)};
  plan.scenario.candidates.clear();
  return plan;
}

Result<std::vector<LearntMachine>> learn_checks(const LearnPlan& planned, const LearnOptions& options,
                                                const HostTools& tools, Progress& progress, std::stop_token stop) {
  cell::LearnJob wanted;
  std::map<std::string, std::vector<checks::CheckSpec>> before;  // by machine, of files that are replaced
  auto scenario = planned.scenario;
  for (auto& machine : scenario.departments.front().machines) {
    const bool is_target = std::ranges::count(planned.targets, machine.name, &LearnTarget::machine) > 0;
    if (is_target) {
      auto& job = wanted.machines[machine.name];
      job.accounts = machine.accounts;
      // What stands in the scenario itself stays beside what is learnt.
      if (machine.check_files.empty()) {
        for (const auto& check : machine.checks) job.taken.insert(check.id);
      } else {
        before[machine.name] = machine.checks;
      }
    }
    machine.checks.clear();
  }
  cell::LearntMachines learnt;
  const CellWork work{"learn", [&](cell::CellClient& lab, const cell::CellJob& job) -> Result<void> {
                        PATCHLAB_ASSIGN(learnt, lab.learn(job, wanted));
                        return {};
                      }};
  PATCHLAB_ASSIGN(const auto plan,
                  work_in_cell(scenario, work, {options.program, options.executor}, tools, progress, stop));
  std::vector<LearntMachine> machines;
  for (const auto& target : planned.targets) {
    const auto found = learnt.find(target.machine);
    if (found == learnt.end())
      return Error{ErrorClass::bug, fmt::format("the cell said nothing of '{}'", target.machine), {}};
    const auto& department = plan.scenario.departments.front();
    const auto& machine = *std::ranges::find(department.machines, target.machine, &MachinePlan::name);
    const auto& golden = plan.goldens.at(key_of(machine.golden));
    auto gone = checks::learn::carry_over(before[target.machine], found->second);
    machines.push_back({target,
                        {"patchlab " PATCHLAB_VERSION, target.machine, department.name,
                         fmt::format("'{}' with the digest {}", golden.name, golden.digest)},
                        std::move(found->second),
                        std::move(gone)});
  }
  return machines;
}

}  // namespace patchlab::runners
