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

Baseline take_baseline(cell::CellClient& lab, const cell::CellJob& job, const std::function<bool()>& must_stop,
                       BaselineStates* states) {
  Baseline baseline;
  auto& tries = baseline.tries;
  auto wanted = job;
  if (states != nullptr) wanted.kept_baseline = states->bring();
  const bool began_with_kept = wanted.kept_baseline.has_value();
  for (;;) {
    const bool is_kept = wanted.kept_baseline.has_value();
    auto tried = lab.prepare(wanted);
    if (!tried) {
      if (is_kept && !must_stop()) states->refuse();
      baseline.error = std::move(tried).error().while_doing("preparing department '" + job.department + "'");
      return baseline;
    }
    tries.push_back(std::move(tried).value());
    const auto& last = tries.back();
    if (began_with_kept && !is_kept) tries.front().retried_as = last.id;
    if (last.outcome == Outcome::pass) break;
    if (is_kept && !must_stop()) {
      states->refuse();
      wanted.kept_baseline.reset();
      continue;
    }
    const auto booted = tries.size() - (began_with_kept ? 1 : 0);
    if (booted > 1 || must_stop() || !may_be_chance(last)) {
      baseline.error = last.error ? *last.error : what_did_not_pass(last);
      return baseline;
    }
  }
  const auto& counts = tries.back();
  if (states != nullptr && !wanted.kept_baseline) states->keep(counts);
  for (std::size_t i = 0; i + 1 < tries.size(); ++i) {
    auto& lost = tries[i];
    lost.retried_as = counts.id;
    if (i == 0 && began_with_kept) continue;  // what went on from elsewhere says nothing of these machines
    for (const auto& fact : lost.signature)
      baseline.flaky.push_back({reports::FlakeKind::in_control, fact, {}, {lost.id}, {lost.retried_as}});
  }
  return baseline;
}

}  // namespace patchlab::runners
