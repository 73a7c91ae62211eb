// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/package_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/files.hpp"
#include "patches/set/patch_set.hpp"

namespace patchlab::runners {
namespace {

using patches::Candidate;
using Needs = std::map<std::string, std::set<std::string>>;

std::set<std::string> reach_of(const Needs& needs, const std::string& id) {
  std::set<std::string> seen;
  std::vector<std::string> open{id};
  while (!open.empty()) {
    const auto found = needs.find(open.back());
    open.pop_back();
    if (found == needs.end()) continue;
    for (const auto& next : found->second) {
      if (seen.insert(next).second) open.push_back(next);
    }
  }
  return seen;
}

class PackagePlanner {
 public:
  PackagePlanner(std::vector<Candidate> candidates, const std::vector<PackagePlace>& places,
                 const SolverFactory& solvers, const patches::ControlReader& control, std::stop_token stop)
      : places_(places), solvers_(solvers), control_(control), stop_(std::move(stop)) {
    plan_.candidates = std::move(candidates);
  }

  Result<PackagePlan> run() {
    for (const auto& place : places_) PATCHLAB_TRY(ask(place).while_doing(place_name(place)));
    hold_circles();
    hold_dependents();
    reorder();
    for (const auto& place : places_) finish(place);
    return std::move(plan_);
  }

 private:
  static std::string place_name(const PackagePlace& place) {
    return fmt::format("planning for '{}/{}'", place.department, place.machine);
  }

  // Machines of one golden machine and role are asked about once.
  Result<void> ask(const PackagePlace& place) {
    const std::pair question{place.golden_key, place.role};
    auto known = answers_.find(question);
    if (known == answers_.end()) {
      PATCHLAB_ASSIGN(auto answer, answer_for(place));
      known = answers_.emplace(question, std::move(answer)).first;
    }
    const auto& answer = known->second;
    for (const auto& [id, others] : answer.needs) plan_.needs[id].insert(others.begin(), others.end());
    for (const auto& [id, reason] : answer.refused)
      plan_.held_back.try_emplace({place.department, id}, fmt::format("on '{}': {}", place.machine, reason));
    return {};
  }

  Result<patches::AptPlan> answer_for(const PackagePlace& place) {
    const auto& golden = *place.golden;
    auto machine = patches::plan_machine(plan_.candidates, place.role, golden.packages, golden.system);
    if (golden.system.family != GuestFamily::debian || golden.dpkg_status.empty() || !machine.applies())
      return patches::AptPlan{std::move(machine), {}, {}};
    PATCHLAB_ASSIGN(auto solver, solvers_(golden));
    PATCHLAB_TRY(solver.check(stop_));
    return patches::ask_apt(solver, plan_.candidates, std::move(machine), place.role, control_, stop_);
  }

  // Two that need each other cannot be judged apart. A declared circle was refused before.
  void hold_circles() {
    if (plan_.needs.empty()) return;
    auto graph = plan_.needs;
    for (const auto& candidate : plan_.candidates) {
      for (const auto& other : patches::with_prerequisites(plan_.candidates, {candidate.id})) {
        if (other.id != candidate.id) graph[candidate.id].insert(other.id);
      }
    }
    Needs circles;
    for (const auto& [id, others] : graph) {
      for (const auto& other : reach_of(graph, id)) {
        if (other != id && reach_of(graph, other).contains(id)) circles[id].insert(other);
      }
    }
    for (const auto& [id, others] : circles) {
      const auto reason = fmt::format(
          "apt installs it only together with '{}', and neither can be judged alone: make them one candidate",
          fmt::join(others, "', '"));
      for (const auto& place : places_) {
        if (applies_in(place.department, id)) plan_.held_back.try_emplace({place.department, id}, reason);
      }
    }
    for (const auto& [id, others] : circles) {
      for (const auto& other : others) {
        if (const auto found = plan_.needs.find(id); found != plan_.needs.end()) found->second.erase(other);
      }
    }
  }

  [[nodiscard]] bool applies_in(const std::string& department, const std::string& id) const {
    return std::ranges::any_of(places_, [&](const PackagePlace& place) {
      if (place.department != department) return false;
      const auto& answer = answers_.at({place.golden_key, place.role});
      const auto found = std::ranges::find(answer.plan.candidates, id, &patches::CandidatePlan::candidate);
      return found != answer.plan.candidates.end() && (found->applies() || answer.refused.contains(id));
    });
  }

  [[nodiscard]] std::set<std::string> all_that_it_needs(const std::string& id) const {
    auto ids = reach_of(plan_.needs, id);
    ids.insert(id);
    std::set<std::string> all;
    for (const auto& candidate : patches::with_prerequisites(plan_.candidates, {ids.begin(), ids.end()}))
      all.insert(candidate.id);
    all.erase(id);
    return all;
  }

  void hold_dependents() {
    for (bool changed = true; changed;) {
      changed = false;
      for (const auto& candidate : plan_.candidates) {
        for (const auto& needed : all_that_it_needs(candidate.id)) {
          for (const auto& place : places_) {
            const InDepartment here{place.department, candidate.id};
            if (!plan_.held_back.contains({place.department, needed}) || plan_.held_back.contains(here)) continue;
            if (!applies_in(place.department, candidate.id)) continue;
            plan_.held_back[here] = fmt::format("it needs '{}', which is held back", needed);
            changed = true;
          }
        }
      }
    }
  }

  // What a candidate needs comes before it, as if it had declared so.
  void reorder() {
    auto declared = plan_.candidates;
    for (auto& candidate : declared) {
      const auto found = plan_.needs.find(candidate.id);
      if (found == plan_.needs.end()) continue;
      candidate.prerequisites.insert(candidate.prerequisites.end(), found->second.begin(), found->second.end());
    }
    const auto ordered = patches::ordered_set(declared);
    if (!ordered) return;  // cannot be: all circles are held back
    std::vector<Candidate> candidates;
    for (const auto& wanted : *ordered) {
      candidates.push_back(std::move(*std::ranges::find(plan_.candidates, wanted.id, &Candidate::id)));
    }
    plan_.candidates = std::move(candidates);
  }

  void finish(const PackagePlace& place) {
    const auto& answer = answers_.at({place.golden_key, place.role});
    patches::MachinePlan machine;
    machine.unmet = answer.plan.unmet;
    for (const auto& candidate : plan_.candidates) {
      auto part = *std::ranges::find(answer.plan.candidates, candidate.id, &patches::CandidatePlan::candidate);
      const auto held = plan_.held_back.find({place.department, candidate.id});
      if (held != plan_.held_back.end()) {
        part.files.clear();
        part.skipped = held->second;
      }
      machine.candidates.push_back(std::move(part));
    }
    plan_.machines[{place.department, place.machine}] = std::move(machine);
  }

  const std::vector<PackagePlace>& places_;
  const SolverFactory& solvers_;
  const patches::ControlReader& control_;
  std::stop_token stop_;
  PackagePlan plan_;
  std::map<std::pair<std::string, std::string>, patches::AptPlan> answers_;  // by golden machine and role
};

}  // namespace

SolverFactory host_solvers(ProcessRunner& runner, std::filesystem::path known) {
  return [&runner, known = std::move(known)](const Golden& golden) -> Result<patches::Solver> {
    PATCHLAB_ASSIGN(auto status, read_file(golden.dpkg_status));
    return patches::Solver::create(runner, {golden.name, std::move(status), known});
  };
}

Result<PackagePlan> plan_packages(std::vector<Candidate> candidates, const std::vector<PackagePlace>& places,
                                  const SolverFactory& solvers, const patches::ControlReader& control,
                                  std::stop_token stop) {
  return PackagePlanner(std::move(candidates), places, solvers, control, std::move(stop)).run();
}

}  // namespace patchlab::runners
