// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/book/failures.hpp"

#include <algorithm>
#include <set>

#include "reports/record/anew.hpp"
#include "reports/record/findings.hpp"
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

// "mail/deliver", "mail/state:service:postfix" of a signature.
Failure failure_from(const std::string& fact) {
  const auto machine = reports::machine_of_key(fact);
  const auto name = fact.size() > machine.size() ? fact.substr(machine.size() + 1) : std::string();
  return {name.starts_with("state:") ? FailureKind::finding : FailureKind::check, machine, name,
          patchlab::to_string(Outcome::fail)};
}

}  // namespace

std::vector<Failure> failures_of(const reports::DepartmentRecord& department) {
  std::vector<Failure> failures;
  const auto add = [&](Failure failure) {
    if (std::ranges::find(failures, failure) == failures.end()) failures.push_back(std::move(failure));
  };
  const auto add_what_stands_of = [&](const reports::TrialRecord& anew) {
    for (const auto& fact : reports::not_seen_again(department.trials, anew)) {
      if (auto failure = failure_from(fact); !failure.name.starts_with("install:")) add(std::move(failure));
    }
    for (const auto& finding : reports::findings_of_set(department, anew.candidates)) {
      if (std::ranges::count(finding.trials, anew.id) == 0) continue;
      add({FailureKind::finding, finding.machine, reports::finding_name(finding.difference),
           checks::state::to_string(finding.difference.finding)});
    }
  };
  for (const auto& trial : department.trials) {
    if (reports::was_installed_anew(trial)) add_what_stands_of(trial);
    if (reports::is_lost(trial) || trial.purpose == Purpose::removal) continue;
    const auto always = kind_in(trial.purpose);
    if (trial.error) add({FailureKind::error, {}, trial.id, "error"});
    for (const auto& phase : trial.phases) {
      if (phase.error) add({FailureKind::error, phase.machine, phase.phase, "error"});
      for (const auto& check : phase.checks) {
        const auto outcome = check.error ? Outcome::error : check.outcome;
        // Asked again it passed: nobody knows why it failed, and that can be accepted like any failure.
        if (outcome == Outcome::pass && checks::is_flaky(check) && !always)
          add({FailureKind::check, phase.machine, check.id, patchlab::to_string(Outcome::fail)});
        if (outcome == Outcome::pass) continue;
        add({always.value_or(kind_of(outcome, FailureKind::check)), phase.machine, check.id,
             patchlab::to_string(outcome)});
      }
      for (const auto& difference : phase.differences) {
        if (!difference.is_failure()) {
          // Without a patch it is nobody's, and nobody has to accept it.
          if (reports::is_trial_of_a_set(trial))
            add({FailureKind::finding, phase.machine, reports::finding_name(difference),
                 checks::state::to_string(difference.finding)});
          continue;
        }
        auto key = reports::difference_key(phase.machine, difference);
        if (key.starts_with(phase.machine + "/")) key.erase(0, phase.machine.size() + 1);
        add({always.value_or(FailureKind::finding), phase.machine, key, patchlab::to_string(Outcome::fail)});
      }
    }
  }
  for (const auto& flaky : department.flaky) {
    const auto failure = failure_from(flaky.fact);
    if (flaky.kind == reports::FlakeKind::not_reproduced && !failure.name.starts_with("install:")) add(failure);
  }
  return failures;
}

std::vector<std::vector<std::string>> tested_sets(const reports::DepartmentRecord& department) {
  std::set<std::vector<std::string>> sets;
  for (const auto& trial : department.trials) {
    if (!reports::is_trial_of_a_set(trial) || trial.machines.size() != department.machines.size()) continue;
    auto set = trial.candidates;
    std::ranges::sort(set);
    sets.insert(std::move(set));
  }
  return {sets.begin(), sets.end()};
}

std::vector<std::string> tested_set(const reports::DepartmentRecord& department) {
  if (department.final_trial.empty()) return {};
  const auto* trial = reports::find_trial(department, department.final_trial);
  return trial == nullptr ? std::vector<std::string>() : trial->candidates;
}

}  // namespace patchlab::promotion
