// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/book/failures.hpp"

#include <algorithm>

#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

using reports::Purpose;

// What a failure of a trial of this purpose is, whatever failed; nullopt: the failure's own kind.
std::optional<FailureKind> kind_in(Purpose purpose) {
  switch (purpose) {
    case Purpose::baseline: return FailureKind::baseline;
    case Purpose::control: return FailureKind::control;
    case Purpose::batch:
    case Purpose::search:
    case Purpose::confirm:
    case Purpose::final:
    case Purpose::removal: return std::nullopt;
  }
  return FailureKind::other;
}

FailureKind kind_of(Outcome outcome, FailureKind of_fail) {
  switch (outcome) {
    case Outcome::fail: return of_fail;
    case Outcome::error: return FailureKind::error;
    case Outcome::pass:
    case Outcome::skipped:
    case Outcome::not_reached: return FailureKind::other;
  }
  return FailureKind::other;
}

}  // namespace

std::vector<Failure> failures_of(const reports::DepartmentRecord& department) {
  std::vector<Failure> failures;
  const auto add = [&](Failure failure) {
    if (std::ranges::find(failures, failure) == failures.end()) failures.push_back(std::move(failure));
  };
  for (const auto& trial : department.trials) {
    if (reports::is_lost(trial) || trial.purpose == Purpose::removal) continue;
    const auto always = kind_in(trial.purpose);
    if (trial.error) add({FailureKind::error, {}, trial.id, "error"});
    for (const auto& phase : trial.phases) {
      if (phase.error) add({FailureKind::error, phase.machine, phase.phase, "error"});
      for (const auto& check : phase.checks) {
        const auto outcome = check.error ? Outcome::error : check.outcome;
        if (outcome == Outcome::pass) continue;
        add({always.value_or(kind_of(outcome, FailureKind::check)), phase.machine, check.id,
             patchlab::to_string(outcome)});
      }
      for (const auto& difference : phase.differences) {
        auto key = reports::difference_key(phase.machine, difference);
        if (key.starts_with(phase.machine + "/")) key.erase(0, phase.machine.size() + 1);
        add({always.value_or(FailureKind::finding), phase.machine, key, patchlab::to_string(Outcome::fail)});
      }
    }
  }
  return failures;
}

std::vector<std::string> tested_set(const reports::DepartmentRecord& department) {
  if (department.final_trial.empty()) return {};
  const auto* trial = reports::find_trial(department, department.final_trial);
  return trial == nullptr ? std::vector<std::string>() : trial->candidates;
}

}  // namespace patchlab::promotion
