// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/trial_course.hpp"

#include <algorithm>

#include "reports/record/queries.hpp"

namespace patchlab::runners::cell {

std::vector<std::string> phases_of(const TrialJob& job, const TrialPolicy& policy) {
  auto phases = reports::phases_for(job.purpose, planned_phases(policy));
  if (!job.stability) std::erase_if(phases, reports::is_late_phase);
  return phases;
}

bool is_restarted(const TrialJob& job, const std::string& machine) {
  return job.installs.contains(machine) || std::ranges::count(job.reboot_anyway, machine) > 0;
}

bool is_concerned(const MachinePlan& machine, const std::set<std::string>& restarted, bool whole_department) {
  return whole_department || restarted.contains(machine.name) ||
         std::ranges::any_of(machine.depends_on, [&](const auto& needed) { return restarted.contains(needed); });
}

bool may_use_installs(const TrialJob& job, const MachinePlan& machine) {
  return !job.from_baseline &&
         std::ranges::none_of(machine.depends_on, [&](const auto& needed) { return job.installs.contains(needed); });
}

std::size_t work_on(const TrialJob& job, const std::string& machine) {
  std::size_t packages = 0;
  const auto jobs = job.installs.find(machine);
  if (jobs == job.installs.end()) return 0;
  for (const auto& install : jobs->second) packages += std::max(install.expected.size(), install.packages.size());
  return packages;
}

std::vector<TrialStep> steps_of(reports::Purpose purpose) {
  std::vector<TrialStep> steps{TrialStep::revert, TrialStep::install};
  if (purpose == reports::Purpose::removal) steps.push_back(TrialStep::remove);
  steps.push_back(TrialStep::phases);
  if (sees_all(purpose)) steps.push_back(TrialStep::fence);
  return steps;
}

PhaseBegin begin_of(const std::string& phase) {
  if (phase == reports::after_install_phase || phase == reports::after_removal_phase) return PhaseBegin::nothing;
  if (phase == reports::stability_phase) return PhaseBegin::run_on;
  if (phase == reports::services_phase) return PhaseBegin::cycle_services;
  if (phase == reports::next_package_phase) return PhaseBegin::install_next;
  return reports::is_clock_phase(phase) ? PhaseBegin::move_clocks : PhaseBegin::restart;
}

}  // namespace patchlab::runners::cell
