// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/gate/gate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "promotion/gate/rules.hpp"
#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {
using namespace reports;

// Everything that is asked, in the order of ReasonCode where one does not need what another found: the policy is asked
// after the age, which says whether this goes back, and the set after the verdicts.
constexpr std::array rules = {&look_at_run,
                              &look_at_standing,
                              &look_at_evidence,
                              &look_at_age,
                              &look_at_what_was_asked,
                              &look_at_policy,
                              &look_at_objections,
                              &look_at_fence,
                              &look_at_goldens,
                              &look_at_candidate_digests,
                              &look_at_baseline,
                              &look_at_control,
                              &look_at_department,
                              &sort_verdicts,
                              &look_at_final_trial,
                              &look_at_failures_of_the_set,
                              &look_at_findings,
                              &look_at_prerequisites};

// Of a department that was not tested, and to which nothing carries over: there is no trial that could be asked about.
constexpr std::array rules_without_trials = {&look_at_run,       &look_at_standing,       &look_at_evidence,
                                             &look_at_age,       &look_at_what_was_asked, &look_at_policy,
                                             &look_at_objections};

Decision decide_on(GateCase gate) {
  gate.decision.department = gate.department.name;
  const auto ask = [&](const auto& all) {
    for (const auto rule : all) rule(gate);
  };
  if (carrying_of(gate.record, gate.department.name).obstacles.empty())
    ask(rules);
  else
    ask(rules_without_trials);
  gate.conclude();
  return std::move(gate.decision);
}

// Candidates of a trial; none when there is none of this id.
std::vector<std::string> set_of(const DepartmentRecord& department, const std::string& trial) {
  const auto* found = trial.empty() ? nullptr : find_trial(department, trial);
  return found == nullptr ? std::vector<std::string>() : found->candidates;
}

// What passed, or with what was waived. A set that may be promoted goes before one that may not, and the larger before
// the smaller; when none may, it is about what passed, as long as something did.
Decision decide_on_sets(const RunRecord& record, const DepartmentRecord& department, const Policy& policy,
                        const Today& today) {
  const auto passed = set_of(department, department.final_trial);
  const PeopleOn* on_passed = nullptr;
  std::vector<Decision> others;
  if (const auto people = today.people.find(department.name); people != today.people.end()) {
    for (const auto& one : people->second) {
      if (same_members(one.set, passed))
        on_passed = &one;
      else if (one.anything_waived)
        others.push_back(decide_on({record, department, policy, today, &one, GateCase::Named::yes}));
    }
  }
  auto best = decide_on({record, department, policy, today, on_passed, GateCase::Named::no});
  for (auto& other : others) {
    const bool better = best.promotes() ? other.promotes() && other.promotable.size() > best.promotable.size()
                                        : other.promotes() || passed.empty();
    if (better) best = std::move(other);
  }
  return best;
}

}  // namespace

Decision decide(const RunRecord& record, const std::string& department, const Policy& policy, const Today& today) {
  const auto count = std::ranges::count(record.departments, department, &DepartmentRecord::name);
  if (count != 1) {
    Decision refusal;
    refusal.department = department;
    refusal.requirements.push_back({ReasonCode::department_unknown,
                                    {.department = department},
                                    false,
                                    fmt::format("the record has {} departments of this name", count),
                                    {}});
    return refusal;
  }
  const auto seen = find_as_tested(record, department);
  return decide_on_sets(record, *seen, policy, today);
}

}  // namespace patchlab::promotion
