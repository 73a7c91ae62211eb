// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "promotion/gate/gate.hpp"

namespace patchlab::promotion {

bool is_for_people(ReasonCode code) {
  switch (code) {
    case ReasonCode::needs_decision:
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
    case ReasonCode::submitter_unknown:
    case ReasonCode::ticket_missing: return true;
    case ReasonCode::policy_not_in_force:
    case ReasonCode::policy_ambiguous:
    case ReasonCode::run_incomplete:
    case ReasonCode::carried_not_allowed:
    case ReasonCode::carried_not_alike:
    case ReasonCode::not_recorded:
    case ReasonCode::evidence_changed:
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
    case ReasonCode::likeness_unknown:
    case ReasonCode::not_alike:
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
  return fmt::format("{} by '{}' until {} ({}): {}; approved by '{}'", waived.is_a_failure() ? "waived" : "accepted",
                     waived.by, waived.until, waived.ticket, waived.reason, waived.approved_by);
}

std::string to_string(const Subject& subject) {
  if (!subject.trial.empty()) return subject.trial;
  if (!subject.candidate.empty()) return subject.candidate;
  auto text = subject.department;
  if (!subject.machine.empty()) text += "/" + subject.machine;
  if (!subject.kind.empty())
    text += fmt::format("/{} {}", subject.kind, subject.item);
  else if (!subject.check.empty())
    text += "/" + subject.check;
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
