// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/learn.hpp"

#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "runners/engine/roles.hpp"
#include "runners/engine/run.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

Result<DepartmentPlan> department_of(const Scenario& scenario, const std::string& wanted) {
  std::vector<std::string> names;
  for (const auto& department : scenario.departments) names.push_back(department.name);
  if (wanted.empty() && names.size() > 1) {
    return usage_error(
        fmt::format("the scenario has {} departments, and checks are learnt in one at a time", names.size()),
        fmt::format("say --department, one of {}", fmt::join(names, ", ")));
  }
  if (wanted.empty()) return scenario.departments.front();
  PATCHLAB_TRY(check_choice("--department", {wanted}, "is not in the scenario", names));
  return *std::ranges::find(scenario.departments, wanted, &DepartmentPlan::name);
}

LearnTarget target_of(const MachinePlan& machine, const fs::path& scenario) {
  if (machine.check_files.size() == 1) return {machine.name, machine.check_files.front()};
  return {machine.name, scenario.parent_path() / "learnt" / (machine.name + ".json")};
}

// Machines are watched as in a run: what was learnt while the fence leaked was not learnt in the lab.
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

// Where the events and logs of the cell go, which nobody needs when all went well.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make(const fs::path& cache) {
    auto path = cache / "learn" / std::to_string(::getpid());
    PATCHLAB_TRY(create_folders(path));
    return ScratchFolder(std::move(path));
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    if (!path_.empty()) (void)remove_tree(path_);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

}  // namespace

Result<LearnPlan> plan_learning(const Scenario& scenario, const LearnOptions& options) {
  LearnPlan plan{scenario, {}};
  PATCHLAB_ASSIGN(auto department, department_of(scenario, options.department));
  std::vector<std::string> names;
  for (const auto& machine : department.machines) names.push_back(machine.name);
  PATCHLAB_TRY(
      check_choice("--machine", options.machines, fmt::format("is not in department '{}'", department.name), names));
  const auto wanted = options.machines.empty() ? names : options.machines;
  std::map<fs::path, std::string> writers;
  for (const auto& machine : department.machines) {
    if (std::ranges::count(wanted, machine.name) == 0) continue;
    auto target = target_of(machine, scenario.file);
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
  PATCHLAB_ASSIGN(auto scratch, ScratchFolder::make(tools.cache));
  cell::LearntMachines learnt;
  RunOptions run{.runs = scratch.path(), .program = options.program, .executor = options.executor};
  run.instead = [&](const DepartmentJob& job, cell::CellClient& lab, const std::stop_token& stopped) {
    reports::DepartmentRecord record{.name = job.cell.department};
    auto found = lab.learn(job.cell, wanted);
    if (found)
      learnt = std::move(*found);
    else
      record.error = stopped.stop_requested() ? Error{ErrorClass::cancelled, "learning was cancelled", {}}
                                              : std::move(found).error();
    record.outcome = record.error ? Outcome::error : Outcome::skipped;
    return record;
  };
  PATCHLAB_ASSIGN(const auto plan, make_plan(scenario, run, tools, progress, stop));
  PATCHLAB_ASSIGN(const auto finished, execute(plan, run, tools, progress, stop));
  if (auto trouble = in_order(finished.record); !trouble) {
    scratch.keep();
    auto error = std::move(trouble).error();
    if (error.hint.empty()) error.hint = fmt::format("what was seen is kept in '{}'", finished.folder.string());
    return error;
  }
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
