// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/run_exit_code.hpp"

#include <algorithm>

#include "reports/record/queries.hpp"

namespace patchlab::reports {
namespace {

bool has_verdict(const DepartmentRecord& department, Outcome outcome) {
  return std::ranges::any_of(department.verdicts,
                             [&](const VerdictRecord& verdict) { return verdict.outcome == outcome; });
}

bool saw_a_set_fail(const DepartmentRecord& department) {
  return std::ranges::any_of(department.trials, [](const TrialRecord& trial) {
    switch (trial.purpose) {
      case Purpose::batch:
      case Purpose::search:
      case Purpose::confirm:
      case Purpose::final: return trial.outcome == Outcome::fail;
      case Purpose::baseline:
      case Purpose::control:
      case Purpose::removal: break;
    }
    return false;
  });
}

// A failure was seen, and the search ended without a name for it.
bool is_inconclusive(const DepartmentRecord& department) {
  if (!unexplained_flakes(department).empty()) return true;
  return has_verdict(department, Outcome::error) && saw_a_set_fail(department);
}

bool is_broken(const DepartmentRecord& department) {
  if (department.error || department.fence.answers() > 0) return true;
  for (const auto& trial : department.trials) {
    if (is_lost(trial)) continue;
    if ((trial.purpose == Purpose::baseline || trial.purpose == Purpose::control) && trial.outcome == Outcome::fail)
      return true;
  }
  const bool troubled = department.outcome == Outcome::error || has_verdict(department, Outcome::error);
  return troubled && !is_inconclusive(department);
}

bool lacks_tests(const RunRecord& record, const DepartmentRecord& department) {
  for (const auto& candidate : record.candidates) {
    const auto* verdict = find_verdict(department, candidate.id);
    if (verdict == nullptr || verdict->outcome == Outcome::not_reached) return true;
  }
  if (!has_verdict(department, Outcome::pass)) return false;
  const auto* final_trial = find_trial(department, department.final_trial);
  const auto* facts = final_trial == nullptr ? nullptr : facts_of(department, *final_trial);
  return facts == nullptr || !missing_checks(department, *facts).empty();
}

bool is_refused(const DepartmentRecord& department, const Decisions& decisions) {
  return has_verdict(department, Outcome::pass) &&
         decision_of(decisions, department.name).state == DecisionState::refused;
}

bool is_only_skips(const DepartmentRecord& department) {
  return std::ranges::all_of(department.verdicts,
                             [](const VerdictRecord& verdict) { return verdict.outcome == Outcome::skipped; });
}

}  // namespace

ExitCode exit_code_for(const RunRecord& record, const Decisions& decisions) {
  const auto any = [&](auto question) { return std::ranges::any_of(record.departments, question); };
  if (record.error) {
    return record.error->error_class == ErrorClass::configuration ? ExitCode::bad_configuration : ExitCode::error;
  }
  if (any(is_broken)) return ExitCode::error;
  if (any(is_inconclusive)) return ExitCode::inconclusive;
  if (any([](const auto& department) { return has_verdict(department, Outcome::fail); }))
    return ExitCode::candidate_fails;
  if (!record.complete || record.departments.empty() || record.candidates.empty()) return ExitCode::not_tested;
  if (any([&](const auto& department) { return lacks_tests(record, department); })) return ExitCode::not_tested;
  if (any([&](const auto& department) { return is_refused(department, decisions); })) return ExitCode::policy;
  if (std::ranges::all_of(record.departments, is_only_skips)) return ExitCode::only_skips;
  return ExitCode::ok;
}

}  // namespace patchlab::reports
