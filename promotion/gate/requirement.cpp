// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "promotion/gate/gate.hpp"

namespace patchlab::promotion {

const char* to_string(ReasonCode code) {
  switch (code) {
    case ReasonCode::policy_not_in_force: return "policy-not-in-force";
    case ReasonCode::policy_ambiguous: return "policy-ambiguous";
    case ReasonCode::run_incomplete: return "run-incomplete";
    case ReasonCode::not_recorded: return "not-recorded";
    case ReasonCode::stale: return "stale";
    case ReasonCode::older_than_published: return "older-than-published";
    case ReasonCode::department_unknown: return "department-unknown";
    case ReasonCode::narrowed: return "narrowed";
    case ReasonCode::not_asked: return "not-asked";
    case ReasonCode::department_not_allowed: return "department-not-allowed";
    case ReasonCode::scenario_not_allowed: return "scenario-not-allowed";
    case ReasonCode::tool_version_not_allowed: return "tool-version-not-allowed";
    case ReasonCode::machine_not_planned: return "machine-not-planned";
    case ReasonCode::check_not_planned: return "check-not-planned";
    case ReasonCode::phase_not_planned: return "phase-not-planned";
    case ReasonCode::coverage_shrunk: return "coverage-shrunk";
    case ReasonCode::coverage_unknown: return "coverage-unknown";
    case ReasonCode::fence_breach: return "fence-breach";
    case ReasonCode::fence_unproven: return "fence-unproven";
    case ReasonCode::golden_image_changed: return "golden-image-changed";
    case ReasonCode::digest_mismatch: return "digest-mismatch";
    case ReasonCode::baseline_broken: return "baseline-broken";
    case ReasonCode::control_failed: return "control-failed";
    case ReasonCode::lab_error: return "lab-error";
    case ReasonCode::verdict_missing: return "verdict-missing";
    case ReasonCode::no_final_trial: return "no-final-trial";
    case ReasonCode::final_set_differs: return "final-set-differs";
    case ReasonCode::final_trial_failed: return "final-trial-failed";
    case ReasonCode::not_reproduced: return "not-reproduced";
    case ReasonCode::coverage_missing: return "coverage-missing";
    case ReasonCode::prerequisite_held_back: return "prerequisite-held-back";
    case ReasonCode::candidate_failed: return "candidate-failed";
    case ReasonCode::candidate_undecided: return "candidate-undecided";
    case ReasonCode::candidate_skipped: return "candidate-skipped";
    case ReasonCode::nothing_to_promote: return "nothing-to-promote";
    case ReasonCode::emergency_not_allowed: return "emergency-not-allowed";
    case ReasonCode::review_overdue: return "review-overdue";
    case ReasonCode::rejected: return "rejected";
    case ReasonCode::approval_missing: return "approval-missing";
    case ReasonCode::window_closed: return "window-closed";
    case ReasonCode::publish_failed: return "publish-failed";
    case ReasonCode::ledger_unusable: return "ledger-unusable";
    case ReasonCode::promotion_unclear: return "promotion-unclear";
    case ReasonCode::statement_unreadable: return "statement-unreadable";
    case ReasonCode::unknown_kind: return "unknown-kind";
    case ReasonCode::statement_edited: return "statement-edited";
    case ReasonCode::decisions_unreadable: return "decisions-unreadable";
    case ReasonCode::unsigned_statement: return "unsigned";
    case ReasonCode::signer_unknown: return "signer-unknown";
    case ReasonCode::signer_differs: return "signer-differs";
    case ReasonCode::namespace_not_allowed: return "namespace-not-allowed";
    case ReasonCode::signer_not_in_force: return "signer-not-in-force";
    case ReasonCode::other_history: return "other-history";
    case ReasonCode::approval_of_other_department: return "approval-of-other-department";
    case ReasonCode::approval_of_other_run: return "approval-of-other-run";
    case ReasonCode::approval_of_other_set: return "approval-of-other-set";
    case ReasonCode::approval_of_other_policy: return "approval-of-other-policy";
    case ReasonCode::approval_not_distinct: return "approval-not-distinct";
    case ReasonCode::security_key_not_touched: return "security-key-not-touched";
    case ReasonCode::security_key_not_verified: return "security-key-not-verified";
    case ReasonCode::withdrawn: return "withdrawn";
    case ReasonCode::withdrawal_of_nothing: return "withdrawal-of-nothing";
    case ReasonCode::withdrawal_not_by_author: return "withdrawal-not-by-author";
    case ReasonCode::waiver_of_other_run: return "waiver-of-other-run";
    case ReasonCode::waiver_expired: return "waiver-expired";
    case ReasonCode::waiver_forbidden: return "waiver-forbidden";
    case ReasonCode::waiver_out_of_scope: return "waiver-out-of-scope";
    case ReasonCode::waiver_not_distinct: return "waiver-not-distinct";
    case ReasonCode::waiver_not_approved: return "waiver-not-approved";
    case ReasonCode::waiver_not_in_policy: return "waiver-not-in-policy";
    case ReasonCode::waiver_of_no_failure: return "waiver-of-no-failure";
    case ReasonCode::waiver_too_long: return "waiver-too-long";
    case ReasonCode::waivers_too_many: return "waivers-too-many";
    case ReasonCode::check_changed: return "check-changed";
    case ReasonCode::submitter_unknown: return "submitter-unknown";
  }
  return "unknown";
}

bool is_for_people(ReasonCode code) {
  switch (code) {
    case ReasonCode::emergency_not_allowed:
    case ReasonCode::review_overdue:
    case ReasonCode::rejected:
    case ReasonCode::approval_missing:
    case ReasonCode::window_closed:
    case ReasonCode::unsigned_statement:
    case ReasonCode::signer_unknown:
    case ReasonCode::signer_differs:
    case ReasonCode::namespace_not_allowed:
    case ReasonCode::signer_not_in_force:
    case ReasonCode::other_history:
    case ReasonCode::approval_of_other_department:
    case ReasonCode::approval_of_other_run:
    case ReasonCode::approval_of_other_set:
    case ReasonCode::approval_of_other_policy:
    case ReasonCode::approval_not_distinct:
    case ReasonCode::security_key_not_touched:
    case ReasonCode::security_key_not_verified:
    case ReasonCode::withdrawn:
    case ReasonCode::withdrawal_of_nothing:
    case ReasonCode::withdrawal_not_by_author:
    case ReasonCode::waiver_of_other_run:
    case ReasonCode::waiver_expired:
    case ReasonCode::waiver_forbidden:
    case ReasonCode::waiver_out_of_scope:
    case ReasonCode::waiver_not_distinct:
    case ReasonCode::waiver_not_approved:
    case ReasonCode::waiver_not_in_policy:
    case ReasonCode::waiver_of_no_failure:
    case ReasonCode::waiver_too_long:
    case ReasonCode::waivers_too_many:
    case ReasonCode::check_changed:
    case ReasonCode::submitter_unknown: return true;
    case ReasonCode::policy_not_in_force:
    case ReasonCode::policy_ambiguous:
    case ReasonCode::run_incomplete:
    case ReasonCode::not_recorded:
    case ReasonCode::stale:
    case ReasonCode::older_than_published:
    case ReasonCode::department_unknown:
    case ReasonCode::narrowed:
    case ReasonCode::not_asked:
    case ReasonCode::department_not_allowed:
    case ReasonCode::scenario_not_allowed:
    case ReasonCode::tool_version_not_allowed:
    case ReasonCode::machine_not_planned:
    case ReasonCode::check_not_planned:
    case ReasonCode::phase_not_planned:
    case ReasonCode::coverage_shrunk:
    case ReasonCode::coverage_unknown:
    case ReasonCode::fence_breach:
    case ReasonCode::fence_unproven:
    case ReasonCode::golden_image_changed:
    case ReasonCode::digest_mismatch:
    case ReasonCode::baseline_broken:
    case ReasonCode::control_failed:
    case ReasonCode::lab_error:
    case ReasonCode::verdict_missing:
    case ReasonCode::no_final_trial:
    case ReasonCode::final_set_differs:
    case ReasonCode::final_trial_failed:
    case ReasonCode::not_reproduced:
    case ReasonCode::coverage_missing:
    case ReasonCode::prerequisite_held_back:
    case ReasonCode::candidate_failed:
    case ReasonCode::candidate_undecided:
    case ReasonCode::candidate_skipped:
    case ReasonCode::nothing_to_promote:
    case ReasonCode::publish_failed:
    case ReasonCode::ledger_unusable:
    case ReasonCode::promotion_unclear:
    case ReasonCode::statement_unreadable:
    case ReasonCode::unknown_kind:
    case ReasonCode::statement_edited:
    case ReasonCode::decisions_unreadable: return false;
  }
  return false;
}

bool is_about_broken_data(ReasonCode code) {
  return code == ReasonCode::statement_unreadable || code == ReasonCode::unknown_kind ||
         code == ReasonCode::statement_edited || code == ReasonCode::decisions_unreadable;
}

std::string to_string(const WaivedFailure& waived) {
  return fmt::format("waived by '{}' until {} ({}): {}; approved by '{}'", waived.by, waived.until, waived.ticket,
                     waived.reason, waived.approved_by);
}

std::string to_string(const Subject& subject) {
  if (!subject.trial.empty()) return subject.trial;
  if (!subject.candidate.empty()) return subject.candidate;
  auto text = subject.department;
  if (!subject.machine.empty()) text += "/" + subject.machine;
  if (!subject.check.empty()) text += "/" + subject.check;
  if (!text.empty()) return text;
  return subject.run.empty() ? "run" : subject.run;
}

std::string to_string(const Requirement& requirement) {
  return fmt::format("{}: {}: {}", to_string(requirement.code), to_string(requirement.subject), requirement.text);
}

void refuse(Decision& decision, Requirement unmet) {
  unmet.met = false;
  std::erase_if(decision.requirements, [&](const Requirement& other) { return other.met && other.code == unmet.code; });
  decision.requirements.push_back(std::move(unmet));
  std::ranges::stable_sort(decision.requirements, {}, &Requirement::code);
  decision.promotable.clear();
  decision.by.clear();
}

ExitCode exit_code_of(const Decision& decision) {
  if (decision.promotes()) return ExitCode::ok;
  const auto blocking = decision.blocking();
  return std::ranges::any_of(blocking, is_about_broken_data, &Requirement::code) ? ExitCode::bad_data
                                                                                 : ExitCode::policy;
}

bool Decision::promotes() const { return !promotable.empty() && std::ranges::all_of(requirements, &Requirement::met); }

std::vector<Requirement> Decision::blocking() const {
  std::vector<Requirement> unmet;
  std::ranges::remove_copy_if(requirements, std::back_inserter(unmet), &Requirement::met);
  return unmet;
}

std::vector<std::string> Decision::reasons() const {
  std::vector<std::string> texts;
  for (const auto& requirement : blocking()) texts.push_back(to_string(requirement));
  for (const auto& requirement : held_back) texts.push_back(to_string(requirement));
  return texts;
}

}  // namespace patchlab::promotion
