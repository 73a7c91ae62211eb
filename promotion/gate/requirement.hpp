// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace patchlab::promotion {

// What a promotion asks for. The words (to_string) are stable API; texts are derived and may change. The order here is
// the order in a decision: what makes everything below meaningless comes first.
enum class ReasonCode {
  policy_not_in_force,  // no policy of the stage is valid now: nobody says what a promotion needs
  policy_ambiguous,     // more than one is
  run_incomplete,       // interrupted, or ended with an error of its own
  not_recorded,         // the ledger does not have this run with this record: it was edited, or never ended
  evidence_changed,     // what the run kept is not what its record names: missing, edited, added, renamed
  stale,  // too old, from the future, failed in a later run, or a golden image or candidate is another one today
  older_than_published,      // the published version is of a run that ended later: going back is a decision of its own
  department_unknown,        // the record does not have it
  narrowed,                  // the run left something out, so the department was not tested as a whole
  not_asked,                 // the run was started with --controls
  carried_not_allowed,       // it was tested in another department, and that is not enough, or not any more
  carried_not_alike,         // or the machines there are not all like those here
  department_not_allowed,    // the policy does not have it
  scenario_not_allowed,      // the run is of a scenario that the policy does not take
  tool_version_not_allowed,  // it was made by a patchlab that the policy does not take
  machine_not_planned,       // the policy asks for a machine that took no part
  check_not_planned,         // the policy asks for a check that was not planned
  phase_not_planned,         // the policy asks for a restart, or a look, that was not planned
  coverage_shrunk,           // less is planned than when this department was promoted last
  coverage_unknown,          // what was planned then is not known any more
  fence_breach,              // something outside answered
  fence_unproven,            // a required probe was not tried, or could not be sent
  golden_image_changed,      // differs after the run, or nobody looked
  digest_mismatch,           // digests in the record, or of the bytes, are absent, malformed or contradict each other
  baseline_broken,           // no baseline, or not every check passed before any patch
  control_failed,          // the same reboots without a patch did not pass, or were not tried although the policy asks
  lab_error,               // the lab could not tell
  verdict_missing,         // a candidate of the run has no verdict, or more than one
  no_final_trial,          // nothing was tested as the exact set
  final_set_differs,       // the final trial tested another set, or not the whole department
  final_trial_failed,      // it did not pass as a whole
  not_reproduced,          // the very set failed, and passed when it was tried again: a person decides
  coverage_missing,        // a planned check or installation was not executed
  prerequisite_held_back,  // a promotable candidate needs one that is held back
  candidate_failed,        // about one candidate: it is held back, the rest may go
  candidate_undecided,     // about one candidate: error or not reached
  candidate_skipped,       // about one candidate: applies to nothing here
  nothing_to_promote,      // no candidate passed
  needs_decision,          // something changed that no package explains, and nobody accepted exactly that
  emergency_not_allowed,   // somebody asked for the emergency lane, which is not for this set
  review_overdue,          // an earlier emergency promotion was not reviewed in time
  rejected,                // somebody who may decide rejected it, or nobody can read what was decided
  approval_missing,        // too few people approved
  window_closed,           // the policy promotes at other times
  publish_failed,          // decided, and then the stage could not take it; the version before stays
  ledger_unusable,         // the ledger of the stage cannot be read, or takes nothing: what is done would not be known
  promotion_unclear,       // one was interrupted, and what is published is neither its version nor the one before
  // What people decided does not count, or is not there; the words are those of promotion/approval and
  // promotion/policy.
  statement_unreadable,  // the first four: nobody can say what the ledger holds, so nothing is promoted (65)
  unknown_kind,
  statement_edited,
  decisions_unreadable,
  unsigned_statement,
  signer_unknown,
  signer_differs,
  namespace_not_allowed,
  signer_not_in_force,
  other_history,
  approval_of_other_department,
  approval_of_other_run,
  approval_of_other_set,
  approval_of_other_policy,
  approval_not_distinct,
  security_key_not_touched,
  security_key_not_verified,
  withdrawn,
  withdrawal_of_nothing,
  withdrawal_not_by_author,
  waiver_of_other_run,
  waiver_expired,
  waiver_forbidden,
  waiver_out_of_scope,
  waiver_not_distinct,
  waiver_not_approved,
  waiver_not_in_policy,
  waiver_of_no_failure,
  waiver_too_long,
  waivers_too_many,
  check_changed,      // a check of the same name asks for something else than when this department was promoted last
  submitter_unknown,  // the policy asks that somebody of the list of signers submitted it
  ticket_missing,     // the policy asks that one who approves names the ticket of the change
  likeness_unknown,   // nobody knows, or not any more, how like production a golden machine is
  not_alike,          // it stands further from production than the policy takes
};
inline constexpr auto last_reason_code = ReasonCode::not_alike;
[[nodiscard]] const char* to_string(ReasonCode code);
// What people decide or the clock brings, without another run.
[[nodiscard]] bool is_for_people(ReasonCode code);
// What is said is no refusal of somebody, but data that cannot be trusted.
[[nodiscard]] bool is_about_broken_data(ReasonCode code);

// What a requirement is about. What does not apply is empty; all empty: nothing in particular.
struct Subject {
  std::string run;  // the run as a whole: its id
  std::string department;
  std::string machine;
  std::string check;  // or, as in a signature, what of the guest's state: "state:service:cron"
  std::string phase;  // of a trial, or of the fence: before, during, after
  std::string candidate;
  std::string trial;
  // Of a change that somebody has to look at: what changed, the digest of exactly that (reports/record/findings.hpp),
  // and all candidates that were there. `check` is then its name as waivers have it.
  std::string kind{};
  std::string item{};
  std::string digest{};
  std::vector<std::string> candidates{};
  bool operator==(const Subject&) const = default;
};
// The narrowest name: of the trial, the candidate, "department/machine/check", or the run.
[[nodiscard]] std::string to_string(const Subject& subject);

// One thing that a promotion needs. It is a value with everything in it, so that whoever shows it (explain, a report, a
// page) or answers it (a waiver) needs no second look.
struct Requirement {
  ReasonCode code = ReasonCode::run_incomplete;
  Subject subject;
  bool met = false;
  std::string text;      // for the reader: what was found, met or not
  std::string command;   // that would satisfy it; empty where no command does, or it is met
  std::string waived{};  // by whom, until when and why a failure counts as met that keeps its outcome; empty: none is
  bool operator==(const Requirement&) const = default;
};
// "code: subject: text".
[[nodiscard]] std::string to_string(const Requirement& requirement);

}  // namespace patchlab::promotion
