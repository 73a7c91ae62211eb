// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/roles.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/choice.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::runners {

Result<void> check_roles(const std::vector<patches::Candidate>& candidates, const std::set<std::string>& known) {
  std::string troubles;
  for (const auto& candidate : candidates) {
    for (const auto& role : candidate.roles) {
      if (known.contains(role)) continue;
      if (!troubles.empty()) troubles += "\n";
      troubles +=
          printable_format("candidate '{}' is for the role '{}', which no machine of the scenario has; there are: {}",
                           candidate.id, role, listed(known));
    }
  }
  if (troubles.empty()) return {};
  return configuration_error(std::move(troubles),
                             "mend the roles in its candidate.json or recipe.json, or leave it out");
}

Result<DepartmentPlan> one_department(const Scenario& scenario, const std::string& wanted, const std::string& what) {
  std::vector<std::string> names;
  for (const auto& department : scenario.departments) names.push_back(department.name);
  if (wanted.empty() && names.size() > 1) {
    return usage_error(fmt::format("the scenario has {} departments, and {} in one at a time", names.size(), what),
                       fmt::format("say --department, one of {}", fmt::join(names, ", ")));
  }
  if (wanted.empty()) return scenario.departments.front();
  PATCHLAB_TRY(check_choice("--department", {wanted}, "is not in the scenario", names));
  return *std::ranges::find(scenario.departments, wanted, &DepartmentPlan::name);
}

std::set<std::string> machines_for(const DepartmentPlan& department, const std::vector<std::string>& roles) {
  std::vector<std::string> machines;
  for (const auto& machine : department.machines) {
    if (roles.empty() || std::ranges::count(roles, machine.role) > 0) machines.push_back(machine.name);
  }
  return with_dependencies(department, std::move(machines));
}

std::set<std::string> with_dependencies(const DepartmentPlan& department, std::vector<std::string> machines) {
  std::set<std::string> kept;
  while (!machines.empty()) {
    const auto name = std::move(machines.back());
    machines.pop_back();
    if (!kept.insert(name).second) continue;
    const auto machine = std::ranges::find(department.machines, name, &MachinePlan::name);
    if (machine != department.machines.end())
      machines.insert(machines.end(), machine->depends_on.begin(), machine->depends_on.end());
  }
  return kept;
}

}  // namespace patchlab::runners
