// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/gate/gate.hpp"

namespace patchlab::promotion {

// Where running again is the way: nothing else can fill in what this run does not have.
std::string command_for(ReasonCode code, const reports::RunRecord& record) {
  switch (code) {
    case ReasonCode::run_incomplete:
    case ReasonCode::evidence_changed:
    case ReasonCode::stale:
    case ReasonCode::narrowed:
    case ReasonCode::not_asked:
    case ReasonCode::fence_unproven:
    case ReasonCode::golden_image_changed:
    case ReasonCode::digest_mismatch:
    case ReasonCode::lab_error:
    case ReasonCode::verdict_missing:
    case ReasonCode::no_final_trial:
    case ReasonCode::final_set_differs:
    case ReasonCode::coverage_missing:
    case ReasonCode::carried_not_allowed:
    case ReasonCode::carried_not_alike:
    case ReasonCode::scenario_not_allowed:
    case ReasonCode::tool_version_not_allowed:
    case ReasonCode::machine_not_planned:
    case ReasonCode::check_not_planned:
    case ReasonCode::phase_not_planned:
    case ReasonCode::coverage_shrunk:
    case ReasonCode::candidate_undecided: return "patchlab run SCENARIO";
    case ReasonCode::likeness_unknown:
    case ReasonCode::not_alike: return "patchlab run SCENARIO --facts FOLDER";
    case ReasonCode::approval_missing:
    case ReasonCode::check_changed: return "patchlab approve " + record.id;
    case ReasonCode::submitter_unknown: return "patchlab submit " + record.id;
    case ReasonCode::ticket_missing: return "patchlab approve " + record.id;
    case ReasonCode::waiver_expired:
    case ReasonCode::waiver_too_long:
    case ReasonCode::waiver_of_other_run: return "patchlab waive " + record.id;
    case ReasonCode::waiver_not_approved:
    case ReasonCode::approval_of_other_run:
    case ReasonCode::approval_of_other_set:
    case ReasonCode::approval_of_other_policy:
    case ReasonCode::approval_of_other_department:
    case ReasonCode::approval_not_distinct:
    case ReasonCode::security_key_not_touched:
    case ReasonCode::security_key_not_verified: return "patchlab approve " + record.id;
    case ReasonCode::signer_unknown:
    case ReasonCode::signer_not_in_force:
    case ReasonCode::namespace_not_allowed: return "patchlab trust check FILE";
    case ReasonCode::statement_unreadable:
    case ReasonCode::unknown_kind:
    case ReasonCode::statement_edited:
    case ReasonCode::decisions_unreadable: return "patchlab verify STAGE";
    case ReasonCode::unsigned_statement:
    case ReasonCode::signer_differs:
    case ReasonCode::other_history:
    case ReasonCode::withdrawn:
    case ReasonCode::withdrawal_of_nothing:
    case ReasonCode::withdrawal_not_by_author:
    case ReasonCode::waiver_forbidden:
    case ReasonCode::waiver_out_of_scope:
    case ReasonCode::waiver_not_distinct:
    case ReasonCode::waiver_not_in_policy:
    case ReasonCode::waiver_of_no_failure:
    case ReasonCode::waivers_too_many: break;
    case ReasonCode::window_closed:
    case ReasonCode::publish_failed:
    case ReasonCode::ledger_unusable: return "patchlab promote " + record.id;
    case ReasonCode::promotion_unclear: return "patchlab verify STAGE";
    case ReasonCode::older_than_published: return "patchlab promote " + record.id + " --rollback REASON";
    // What was found stands, whoever asks again: the image, the patch or the lab must become another one first.
    case ReasonCode::not_recorded:
    case ReasonCode::department_unknown:
    case ReasonCode::policy_not_in_force:
    case ReasonCode::policy_ambiguous:
    case ReasonCode::department_not_allowed:
    case ReasonCode::coverage_unknown:
    case ReasonCode::emergency_not_allowed:
    case ReasonCode::review_overdue:
    case ReasonCode::rejected:
    case ReasonCode::fence_breach:
    case ReasonCode::baseline_broken:
    case ReasonCode::control_failed:
    case ReasonCode::final_trial_failed:
    case ReasonCode::not_reproduced:
    case ReasonCode::prerequisite_held_back:
    case ReasonCode::candidate_failed:
    case ReasonCode::candidate_skipped:
    case ReasonCode::nothing_to_promote:
    case ReasonCode::needs_decision: break;  // its command names the change
  }
  return {};
}

}  // namespace patchlab::promotion
