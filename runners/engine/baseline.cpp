// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/baseline.hpp"

#include <fmt/format.h>

namespace patchlab::runners {
namespace {

bool may_be_chance(const reports::TrialRecord& trial) {
  if (!trial.error) return true;
  switch (trial.error->error_class) {
    case ErrorClass::infrastructure:
    case ErrorClass::guest:
    case ErrorClass::check:
    case ErrorClass::timeout:
    case ErrorClass::silent: return true;
    case ErrorClass::configuration:
    case ErrorClass::usage:
    case ErrorClass::bug:
    case ErrorClass::cancelled: break;
  }
  return false;
}

// What of it was no pass, for who has to mend the scenario or the lab.
Error what_did_not_pass(const reports::TrialRecord& trial) {
  for (const auto& phase : trial.phases) {
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::pass) continue;
      auto error = Error{
          ErrorClass::check,
          fmt::format("the baseline did not pass: '{}/{}' ended in {} before any patch was applied: {}", phase.machine,
                      check.id, to_string(check.outcome), check.error ? check.error->message : check.observed),
          {}};
      if (check.outcome == Outcome::skipped)
        error.hint = "a check that is skipped is looked at by nobody: make it look, or take it out of the scenario";
      return error;
    }
  }
  return infrastructure_error("the baseline did not pass");
}

}  // namespace

Baseline take_baseline(cell::CellClient& lab, const cell::CellJob& job, const std::function<bool()>& must_stop) {
  Baseline baseline;
  for (;;) {
    auto tried = lab.prepare(job);
    if (!tried) {
      baseline.error = std::move(tried).error().while_doing("preparing department '" + job.department + "'");
      return baseline;
    }
    baseline.tries.push_back(std::move(tried).value());
    const auto& last = baseline.tries.back();
    if (last.outcome == Outcome::pass) break;
    if (baseline.tries.size() > 1 || must_stop() || !may_be_chance(last)) {
      baseline.error = last.error ? *last.error : what_did_not_pass(last);
      return baseline;
    }
  }
  if (baseline.tries.size() > 1) {
    auto& lost = baseline.tries.front();
    lost.retried_as = baseline.tries.back().id;
    for (const auto& fact : lost.signature)
      baseline.flaky.push_back({reports::FlakeKind::in_control, fact, {}, {lost.id}, {lost.retried_as}});
  }
  return baseline;
}

}  // namespace patchlab::runners
