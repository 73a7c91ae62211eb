// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reports/record/record.hpp"

// Questions that gate, exit code and report writers ask of a record; all pure. Pointers live as long as the record
// does.
namespace patchlab::reports {

// What people call the scenario: by its title, else by its name; empty when the record says neither.
[[nodiscard]] const std::string& title_of(const RunRecord& record);
[[nodiscard]] const CandidateRecord* find_candidate(const RunRecord& record, const std::string& id);
[[nodiscard]] const MachineRecord* find_machine(const DepartmentRecord& department, const std::string& name);
[[nodiscard]] const TrialRecord* find_trial(const DepartmentRecord& department, const std::string& id);
// The first trial with this purpose that counts: a lost one does not.
[[nodiscard]] const TrialRecord* trial_with_purpose(const DepartmentRecord& department, Purpose purpose);
// The trial that holds the facts: itself, or the one whose results it reused (one step). Null when that one does not
// exist or differs in set or machines.
[[nodiscard]] const TrialRecord* facts_of(const DepartmentRecord& department, const TrialRecord& trial);
[[nodiscard]] const VerdictRecord* find_verdict(const DepartmentRecord& department, const std::string& candidate);
[[nodiscard]] const PhaseRecord* find_phase(const TrialRecord& trial, const std::string& phase,
                                            const std::string& machine);
[[nodiscard]] const checks::CheckResult* find_check(const PhaseRecord& phase, const std::string& id);

// The step in which a guest is looked at as a whole: what is there, and what changed.
inline constexpr const char* state_step = "state";
// What it costs to look at whole guests, besides their checks. Sums over machines, which work side by side.
struct StateCost {
  std::int64_t state_ms = 0;
  std::int64_t machines_ms = 0;  // of all steps of machines
};
// Nothing: no guest was looked at, or by a version that does not tell.
[[nodiscard]] std::optional<StateCost> cost_of_state(const RunRecord& record);
// "changes: 41 s of 812 s machine time (5.0 %)"
[[nodiscard]] std::string to_string(const StateCost& cost);

// Whether another try of it counts instead.
[[nodiscard]] inline bool is_lost(const TrialRecord& trial) { return !trial.retried_as.empty(); }
// "failed 1 time, passed 2 times (not reproduced)": for the reader.
[[nodiscard]] std::string counts_of(const FlakyRecord& flaky);
// Whether the control of this department failed on the same fact and passed, or the check did so at the baseline or in
// the control, asked again: what is flaky without a patch.
[[nodiscard]] bool is_flaky_without_patches(const DepartmentRecord& department, const std::string& fact);
// Facts that failed in the set that was to be promoted, and of which nobody knows why.
[[nodiscard]] std::vector<const FlakyRecord*> unexplained_flakes(const DepartmentRecord& department);

// Whether it tried a set of candidates, and another try of it does not count instead.
[[nodiscard]] bool is_trial_of_a_set(const TrialRecord& trial);

// Whether it began on a machine where an earlier run had installed a part of its set (ADR 28).
[[nodiscard]] bool began_with_another_run(const TrialRecord& trial);

// What failed, as one text per fact: "mail/deliver", "mail/state:service:postfix", "mail/install:KB-1". Reboots that
// repeat a failure do not repeat its key. TrialRecord::signature is this list, sorted.
// Sentences about configuration files of which machines kept their own version: what the package brings was not tested.
[[nodiscard]] std::vector<std::string> kept_configuration(const DepartmentRecord& department);
// Of these candidates: low, moderate, important, critical; "unknown" when one is of none that we know, or there is
// none.
[[nodiscard]] std::string worst_severity(const RunRecord& record, const std::vector<std::string>& candidates);
[[nodiscard]] std::string check_key(const std::string& machine, const std::string& check);
[[nodiscard]] std::string difference_key(const std::string& machine, const StateDifference& difference);
[[nodiscard]] std::string install_key(const std::string& machine, const std::string& candidate);
[[nodiscard]] std::vector<std::string> failure_signature(const TrialRecord& trial);
// The part before the first '/'.
[[nodiscard]] std::string machine_of_key(const std::string& key);

// The trial that a report tells something of: the one that the decision is about, else the last of a set, else the
// last, of those in which a phase `tells` it. Null: none does.
[[nodiscard]] const TrialRecord* trial_to_tell_of(const DepartmentRecord& department,
                                                  const std::function<bool(const PhaseRecord&)>& tells);

// A planned check that a trial has no result for, or only a not-reached one.
struct MissingCheck {
  std::string phase;
  std::string machine;
  std::string check;
  bool operator==(const MissingCheck&) const = default;
};
// Planned minus executed, over the phases planned for this trial and the machines that took part. A machine without
// planned checks is missing the check "*": nothing executed is never a pass.
[[nodiscard]] std::vector<MissingCheck> missing_checks(const DepartmentRecord& department, const TrialRecord& trial);
// Whether gaps in this trial are gaps in the run: the baseline, the control and what is promoted must be complete; a
// search trial may stop at its first failure.
[[nodiscard]] bool must_be_complete(const DepartmentRecord& department, const TrialRecord& trial);
// Of the phases that a policy plans, those of a trial with this purpose: "baseline" for the baseline; the control has
// no "after-install", as nothing is installed, unless there is no other phase; "after-removal" for a removal.
[[nodiscard]] std::vector<std::string> phases_for(Purpose purpose, std::vector<std::string> planned);
// Of "SET/NAME", as results beside the checks are called (PhaseRecord::beside): "SET".
[[nodiscard]] std::string beside_set(const std::string& id);
// Whether somebody who is told by it would have been: a failure, and UNKNOWN of a plugin, which monitoring tells as
// well.
[[nodiscard]] bool is_alarm(const checks::CheckResult& beside);
// What no trial of this department could see, as sentences: what machines do not have to be looked at by.
[[nodiscard]] std::vector<std::string> not_observed(const DepartmentRecord& department);
[[nodiscard]] std::vector<std::string> planned_phases(const DepartmentRecord& department, const TrialRecord& trial);

}  // namespace patchlab::reports
