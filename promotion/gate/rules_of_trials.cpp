// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "promotion/gate/rules.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
using namespace reports;
namespace {

// What failed there, as in a signature.
std::vector<std::string> failures_in(const PhaseRecord& phase) {
  TrialRecord alone;
  alone.phases = {phase};
  return failure_signature(alone);
}

void look_at_phase(GateCase& gate, const TrialRecord& trial, const PhaseRecord& phase, ReasonCode code) {
  const auto about = [&](const std::string& check = {}) {
    return Subject{.department = gate.department.name,
                   .machine = phase.machine,
                   .check = check,
                   .phase = phase.phase,
                   .trial = trial.id};
  };
  if (phase.error)
    gate.block(code, about(), fmt::format("{} in {}: {}", phase.machine, phase.phase, phase.error->message));
  const bool may_be_waived = code == ReasonCode::final_trial_failed;
  const bool only_waived =
      may_be_waived && !phase.error && phase.outcome == Outcome::fail && gate.all_waived(failures_in(phase));
  if (phase.outcome != Outcome::pass && !only_waived) {
    gate.block(code, about(),
               fmt::format("{} in {} ended in {}", phase.machine, phase.phase, patchlab::to_string(phase.outcome)));
  }
  for (const auto& check : phase.checks) {
    if (check.outcome == Outcome::pass && !check.error) continue;
    const auto key = check_key(phase.machine, check.id);
    const auto text = fmt::format("{} in {} ended in {}", key, phase.phase,
                                  patchlab::to_string(check.error ? Outcome::error : check.outcome));
    if (may_be_waived && !check.error && check.outcome == Outcome::fail &&
        gate.is_accepted(code, about(check.id), key, text))
      continue;
    gate.block(code, about(check.id), text);
  }
  for (const auto& difference : phase.differences) {
    const auto key = difference_key(phase.machine, difference);
    const auto subject = about(gate.of_fact(key).check);
    switch (difference.finding) {
      case checks::state::FindingClass::breach: break;
      case checks::state::FindingClass::review:  // look_at_findings
      case checks::state::FindingClass::notice: continue;
    }
    const auto text = fmt::format("{} changed in {}", key, phase.phase);
    if (may_be_waived && gate.is_accepted(code, subject, key, text)) continue;
    gate.block(code, subject, text);
  }
}

// The try in its place decides. It must be there, and itself not be lost in a circle.
void look_at_lost(GateCase& gate, const TrialRecord& lost, ReasonCode code) {
  const auto place = std::ranges::find(gate.department.trials, lost.retried_as, &TrialRecord::id);
  if (place != gate.department.trials.end() && place->purpose == lost.purpose && place->id > lost.id) return;
  gate.block(code, gate.of_trial(lost.id),
             fmt::format("is said to be tried again as '{}', which is no later {} trial", lost.retried_as,
                         reports::to_string(lost.purpose)));
}

}  // namespace

// Everything planned for a trial was executed and passed; `code` says what it means when something did not.
void look_at_facts(GateCase& gate, const TrialRecord& trial, ReasonCode code) {
  if (trial.error) gate.block(code, gate.of_trial(trial.id), trial.error->message);
  const bool only_waived = code == ReasonCode::final_trial_failed && !trial.error && trial.outcome == Outcome::fail &&
                           gate.all_waived(failure_signature(trial));
  if (trial.outcome != Outcome::pass && !only_waived)
    gate.block(code, gate.of_trial(trial.id), fmt::format("ended in {}", patchlab::to_string(trial.outcome)));
  std::vector<std::string> department;
  for (const auto& machine : gate.department.machines) department.push_back(machine.name);
  if (!same_members(trial.machines, department)) {
    gate.block(code == ReasonCode::final_trial_failed ? ReasonCode::final_set_differs : code, gate.of_trial(trial.id),
               "did not run on the whole department");
  }
  const auto missing = missing_checks(gate.department, trial);
  if (!missing.empty()) {
    const auto& first = missing.front();
    gate.block(ReasonCode::coverage_missing,
               {.department = gate.department.name,
                .machine = first.machine,
                .check = first.check,
                .phase = first.phase,
                .trial = trial.id},
               fmt::format("{} planned checks were not executed, the first is {}/{} in {}", missing.size(),
                           first.machine, first.check, first.phase));
  }
  for (const auto& phase : trial.phases) look_at_phase(gate, trial, phase, code);
  for (const auto& install : trial.installs) {
    if (install.outcome == Outcome::pass || install.outcome == Outcome::skipped) continue;
    gate.block(code,
               {.department = gate.department.name,
                .machine = install.machine,
                .candidate = install.candidate,
                .trial = trial.id},
               fmt::format("installing {} on {} ended in {}", install.candidate, install.machine,
                           patchlab::to_string(install.outcome)));
  }
}

void look_at_baseline(GateCase& gate) {
  for (const auto& trial : gate.department.trials) {
    if (trial.purpose == Purpose::baseline && is_lost(trial)) look_at_lost(gate, trial, ReasonCode::baseline_broken);
  }
  const auto* baseline = trial_with_purpose(gate.department, Purpose::baseline);
  if (baseline == nullptr) return gate.block(ReasonCode::baseline_broken, gate.of_department(), "there is no baseline");
  look_at_facts(gate, *baseline, ReasonCode::baseline_broken);
  if (!baseline->candidates.empty())
    gate.block(ReasonCode::baseline_broken, gate.of_trial(baseline->id), "had candidates installed");
  gate.asked(ReasonCode::baseline_broken, gate.of_trial(baseline->id), "every check passed before any patch");
}

void look_at_control(GateCase& gate) {
  bool found = false;
  std::string of_run;
  for (const auto& trial : gate.department.trials) {
    if (trial.purpose != Purpose::control) continue;
    if (is_lost(trial)) {
      look_at_lost(gate, trial, ReasonCode::control_failed);
      continue;
    }
    found = true;
    if (!trial.reused_run.empty()) of_run = ", as run " + trial.reused_run + " saw of the same machines";
    look_at_facts(gate, trial, ReasonCode::control_failed);
    if (!trial.candidates.empty())
      gate.block(ReasonCode::control_failed, gate.of_trial(trial.id), "had candidates installed");
  }
  if (!found && gate.policy.control == ControlTrial::required) {
    gate.block(ReasonCode::control_failed, gate.of_department(),
               "there is no control trial (the same reboots without a patch)");
  }
  if (found) {
    gate.asked(ReasonCode::control_failed, gate.of_department(), "the same reboots without a patch passed" + of_run);
  }
}

}  // namespace patchlab::promotion
