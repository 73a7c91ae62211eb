// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/answers.hpp"

#include <fmt/ranges.h>

#include <sstream>

#include "cli/foreseen.hpp"
#include "cli/output.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::cli {

Json image_build_json(const std::vector<lab::image::BuiltImage>& built) {
  Json images = Json::array();
  for (const auto& one : built) {
    images.push_back({{"name", one.image.name},
                      {"role", one.image.role},
                      {"digest", one.image.digest},
                      {"was_there", one.was_there},
                      {"took_ms", one.was_there ? 0 : one.took.count()}});
  }
  return {{"images", images}};
}

Json image_verify_json(const std::vector<VerifiedImage>& images) {
  Json all = Json::array();
  for (const auto& [image, problem] : images) {
    all.push_back({{"name", image.name},
                   {"digest", image.digest},
                   {"contents", image.contents},
                   {"intact", problem.empty()},
                   {"problem", problem}});
  }
  return {{"images", all}};
}

namespace {

bool is_tested(const runners::DepartmentJob& department) {
  return std::ranges::any_of(department.candidates, [](const auto& candidate) { return !candidate.installs.empty(); });
}

// "on dns and mail of office; on dns of branch", or why it is nowhere.
std::string where_it_goes(const std::string& id, const runners::Plan& plan) {
  std::vector<std::string> places;
  std::vector<std::string> reasons;
  for (const auto& department : plan.departments) {
    for (const auto& candidate : department.candidates) {
      if (candidate.id != id) continue;
      std::vector<std::string> machines;
      for (const auto& [machine, install] : candidate.installs) machines.push_back(machine);
      const auto& name = department.cell.department;
      if (!machines.empty()) places.push_back(fmt::format("on {} of {}", fmt::join(machines, ", "), name));
      if (machines.empty()) reasons.push_back(fmt::format("{} ({})", candidate.skipped_because, name));
    }
  }
  if (!places.empty()) return fmt::format("{}", fmt::join(places, "; "));
  return reasons.empty() ? std::string("on no machine") : fmt::format("on no machine: {}", fmt::join(reasons, "; "));
}

}  // namespace

Needs needs_of(const runners::Plan& plan) {
  Needs needs;
  for (const auto& department : plan.departments) {
    for (const auto& machine : department.cell.machines) {
      ++needs.machines;
      needs.checks += machine.plan.checks.size();
      needs.memory_mib += machine.plan.memory_mib;
    }
    needs.trials += department.controls > 0 ? 1 + department.controls : is_tested(department) ? 3U : 2U;
  }
  return needs;
}

std::string validate_text(const std::string& file, const runners::Plan& plan) {
  const auto needs = needs_of(plan);
  auto text = printable_format("{}: fine: {} departments, {} machines, {} checks, {} candidates\n", file,
                               plan.departments.size(), needs.machines, needs.checks, plan.candidates.size());
  for (const auto& candidate : plan.candidates)
    text += printable_format("candidate {}: {}\n", candidate.id, where_it_goes(candidate.id, plan));
  for (const auto& sentence : plan.not_tested) text += printable_format("not tested: {}\n", sentence);
  return text + printable_format("a run takes at least {} trials, and {} MiB of memory for the machines\n",
                                 needs.trials, needs.memory_mib);
}

bool anything_applies(const runners::Plan& plan) {
  return std::ranges::any_of(plan.departments,
                             [](const auto& department) { return department.controls > 0 || is_tested(department); });
}

Json validate_json(const std::string& file, const runners::Plan& plan) {
  Json departments = Json::array();
  for (const auto& department : plan.departments) departments.push_back(department.cell.department);
  Json candidates = Json::array();
  for (const auto& candidate : plan.candidates) candidates.push_back(candidate.id);
  Json applies = Json::array();
  for (const auto& department : plan.departments) {
    for (const auto& candidate : department.candidates) {
      Json machines = Json::array();
      for (const auto& [machine, install] : candidate.installs) machines.push_back(machine);
      applies.push_back({{"candidate", candidate.id},
                         {"department", department.cell.department},
                         {"machines", machines},
                         {"skipped_because", candidate.skipped_because}});
    }
  }
  const auto needs = needs_of(plan);
  return {{"file", file},
          {"applies", applies},
          {"needs",
           {{"machines", needs.machines},
            {"checks", needs.checks},
            {"trials", needs.trials},
            {"memory_mib", needs.memory_mib}}},
          {"fine", true},
          {"problems", Json::array()},
          {"departments", departments},
          {"candidates", candidates},
          {"anything_applies", anything_applies(plan)},
          {"not_tested", plan.not_tested}};
}

Json validate_json(const std::string& file, const Error& error) {
  Json problems = Json::array();
  std::istringstream lines(error.message);
  for (std::string line; std::getline(lines, line);) problems.push_back(line);
  return {{"file", file}, {"fine", false}, {"problems", problems}};
}

Json plan_answer_json(const runners::Plan& plan, const std::optional<runners::forecast::FleetPlan>& foreseen) {
  auto json = plan_json(plan);
  if (foreseen) json["foreseen"] = foreseen_json(*foreseen);
  return json;
}

void say_plan(const runners::Plan& plan, bool as_json, const std::optional<runners::forecast::FleetPlan>& foreseen) {
  if (as_json) return say_json("plan", plan_answer_json(plan, foreseen));
  write_out(describe(plan));
  if (foreseen) write_out(foreseen_text(*foreseen));
}

}  // namespace patchlab::cli
