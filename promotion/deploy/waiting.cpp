// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/waiting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "promotion/chain/chain.hpp"
#include "promotion/deploy/approvers.hpp"
#include "promotion/statement/statement.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/host_keys.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

using std::chrono::milliseconds;

// By machine: the longest restart of this trial.
std::map<std::string, milliseconds> restarts_of(const reports::RunRecord& record, const std::string& department,
                                                const std::string& trial) {
  std::map<std::string, milliseconds> restarts;
  for (const auto& timing : record.timings) {
    if (timing.department != department || timing.trial != trial || timing.phase != "reboot") continue;
    auto& longest = restarts[timing.machine];
    longest = std::max(longest, milliseconds(timing.duration_ms));
  }
  return restarts;
}

bool has_what_is_promoted(const DeployedMachine& machine) {
  return machine.has_reported() && machine.report.outcome() == InstalledOutcome::as_promoted;
}

}  // namespace

milliseconds MeasuredTimes::side_by_side() const {
  milliseconds longest{0};
  for (const auto& machine : machines) longest = std::max(longest, machine.all());
  return longest;
}
milliseconds MeasuredTimes::one_after_another() const {
  milliseconds sum{0};
  for (const auto& machine : machines) sum += machine.all();
  return sum;
}

MeasuredTimes measured_times(const reports::RunRecord& record, const std::string& department) {
  MeasuredTimes times;
  for (const auto& key : {reports::accelerator_key_of(department), std::string(reports::accelerator_key)}) {
    const auto found = record.host.find(key);
    if (found == record.host.end()) continue;
    times.accelerator = found->second;
    break;
  }
  const auto its = reports::find_as_tested(record, department);
  const auto* final_trial = its == nullptr ? nullptr : reports::find_trial(*its, its->final_trial);
  const auto* trial = final_trial == nullptr ? nullptr : reports::facts_of(*its, *final_trial);
  if (trial == nullptr) {
    times.unknown = "the run has no trial of exactly what was promoted";
    return times;
  }
  // A trial that began where another one had left off did not install all of it itself.
  auto restarts = restarts_of(record, its->tested_in.empty() ? department : its->tested_in, trial->id);
  std::map<std::string, MachineTime> machines;
  for (const auto& install : trial->installs) {
    if (install.outcome == Outcome::skipped) continue;
    auto& machine = machines[install.machine];
    machine.machine = install.machine;
    machine.install += milliseconds(install.duration_ms);
  }
  for (auto& [name, machine] : machines) {
    const auto restart = restarts.find(name);
    if (restart == restarts.end()) {
      times.unknown = fmt::format("no restart of '{}' was measured in trial '{}'", name, trial->id);
      return times;
    }
    machine.restart = restart->second;
    times.machines.push_back(machine);
  }
  if (times.machines.empty()) times.unknown = "nothing was installed in the trial of what was promoted";
  return times;
}

Result<std::vector<WaitingDepartment>> waiting_of_stage(ProcessRunner& processes, const std::filesystem::path& stage) {
  PATCHLAB_ASSIGN(const auto departments, deployed_of_stage(processes, stage));
  const Chain chain(stage / chain_folder_name);
  PATCHLAB_ASSIGN(const auto state, chain.read());
  std::vector<WaitingDepartment> waiting;
  for (const auto& department : departments) {
    WaitingDepartment one;
    one.department = department.department;
    one.serial = department.serial;
    one.run = department.run;
    one.rejected = department.rejected;
    one.nobody_reported = department.machines.empty();
    for (const auto& machine : department.machines) {
      if (!has_what_is_promoted(machine)) one.machines.push_back(machine.report.machine);
    }
    const auto& story = *state.history.last_done(department.department);
    one.promoted = state.lines[story.last_line - 1].time;
    one.emergency = !story.review_by.empty();
    PATCHLAB_ASSIGN(one.approved_by, approvers_of(processes, stage, story));
    PATCHLAB_ASSIGN(const auto bytes, chain.objects().get(story.run));
    PATCHLAB_ASSIGN(const auto json, parse_json(bytes, "the record of run " + department.run));
    PATCHLAB_ASSIGN(const auto record, reports::run_record_from_json(json, "the record of run " + department.run));
    one.times = measured_times(record, department.department);
    waiting.push_back(std::move(one));
  }
  return waiting;
}

}  // namespace patchlab::promotion
