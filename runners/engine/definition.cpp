// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/definition.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "reports/record/carried.hpp"
#include "runners/engine/planned_checks.hpp"

namespace patchlab::runners {
namespace {

// Places on the host: what lies there is in the golden digest. Others' checks decide nothing, and passwords are named
// so that they are kept nowhere: what checks do with them is in the checks.
constexpr const char* of_no_matter[] = {"golden_disk", "kernel", "initrd", "beside", "passwords"};

}  // namespace

std::string definition_digest(const Json& cell, std::size_t machine) {
  auto definition = cell.at("machines").at(machine);
  for (const auto* name : of_no_matter) definition.erase(name);
  const Json inputs{{"machine", std::move(definition)}, {"network", cell.at("network")}, {"policy", cell.at("policy")}};
  return sha256(inputs.dump(-1, ' ', true, Json::error_handler_t::replace));
}

std::pair<std::string, std::string> carried_words(const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) return {};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

void note_definition(const DepartmentJob& job, reports::DepartmentRecord& planned) {
  const Json cell = job.cell;
  for (std::size_t i = 0; i < planned.machines.size(); ++i)
    planned.machines[i].definition_digest = definition_digest(cell, i);
  for (const auto& candidate : job.candidates) {
    const auto verdict = std::ranges::find(planned.verdicts, candidate.id, &reports::VerdictRecord::candidate);
    if (verdict == planned.verdicts.end()) continue;
    for (const auto& [machine, install] : candidate.installs) verdict->machines.push_back(machine);
  }
}

reports::DepartmentRecord planned_department(const Plan& plan, const DepartmentJob& job) {
  reports::DepartmentRecord department{.name = job.cell.department};
  department.phases = planned_phases(plan.scenario.trial);
  for (const auto& machine : job.cell.machines) {
    const auto& golden = plan.goldens.at(key_of(machine.plan.golden));
    reports::MachineRecord entry{.name = machine.plan.name,
                                 .role = machine.plan.role,
                                 .golden = golden.name,
                                 .golden_at = golden.domain ? golden.domain->ref.uri : "image",
                                 .golden_digest = machine.golden_digest,
                                 .golden_digest_after = {},
                                 .address = machine.plan.address,
                                 .memory_mib = machine.plan.memory_mib,
                                 .checks = {}};
    if (golden.image) entry.golden_recipe = machine.plan.golden.recipe.string();
    note_planned_checks(machine.plan, entry);
    department.machines.push_back(std::move(entry));
  }
  for (const auto& candidate : job.candidates) department.verdicts.push_back({.candidate = candidate.id});
  if (!plan.carry.empty()) note_definition(job, department);
  department.tested_in = job.tested_in;
  if (!job.tested_in.empty()) {
    for (auto& verdict : department.verdicts)
      verdict.reason = fmt::format("not tried here: '{}' was tested, and its machines are alike", job.tested_in);
  }
  return department;
}

void carry_over(Plan& plan) {
  if (plan.carry.empty()) return;
  reports::RunRecord planned;
  for (const auto& candidate : plan.candidates) planned.candidates.push_back({.id = candidate.id});
  for (const auto& job : plan.departments) planned.departments.push_back(planned_department(plan, job));
  for (const auto& word : plan.carry) {
    const auto [name, tested_in] = carried_words(word);
    const auto department = std::ranges::find(planned.departments, name, &reports::DepartmentRecord::name);
    department->tested_in = tested_in;
    const auto carrying = reports::carrying_of(planned, name);
    if (carrying.is_carried()) {
      plan.departments[static_cast<std::size_t>(department - planned.departments.begin())].tested_in = tested_in;
      plan.carried.push_back(fmt::format("{}: {}", name, reports::sentence_of(carrying)));
      continue;
    }
    std::vector<std::string> obstacles;
    for (const auto& one : carrying.obstacles)
      obstacles.push_back(fmt::format("{}{}{}", one.machine, one.machine.empty() ? "" : ": ", one.text));
    plan.carried.push_back(fmt::format("{} is tested itself: {}", name, fmt::join(obstacles, "; ")));
  }
}

}  // namespace patchlab::runners
