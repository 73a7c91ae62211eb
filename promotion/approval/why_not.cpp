// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/approval/decisions.hpp"

namespace patchlab::promotion {

const char* to_string(WhyNot why) {
  switch (why) {
    case WhyNot::statement_unreadable: return "statement-unreadable";
    case WhyNot::unknown_kind: return "unknown-kind";
    case WhyNot::statement_edited: return "statement-edited";
    case WhyNot::unsigned_statement: return "unsigned";
    case WhyNot::signer_unknown: return "signer-unknown";
    case WhyNot::signer_differs: return "signer-differs";
    case WhyNot::namespace_not_allowed: return "namespace-not-allowed";
    case WhyNot::signer_not_in_force: return "signer-not-in-force";
    case WhyNot::other_history: return "other-history";
    case WhyNot::approval_of_other_department: return "approval-of-other-department";
    case WhyNot::approval_of_other_run: return "approval-of-other-run";
    case WhyNot::approval_of_other_set: return "approval-of-other-set";
    case WhyNot::approval_of_other_policy: return "approval-of-other-policy";
    case WhyNot::approval_not_distinct: return "approval-not-distinct";
    case WhyNot::rejected: return "rejected";
    case WhyNot::withdrawn: return "withdrawn";
    case WhyNot::waiver_of_other_run: return "waiver-of-other-run";
    case WhyNot::waiver_expired: return "waiver-expired";
    case WhyNot::waiver_forbidden: return "waiver-forbidden";
    case WhyNot::waiver_out_of_scope: return "waiver-out-of-scope";
    case WhyNot::waiver_not_distinct: return "waiver-not-distinct";
    case WhyNot::waiver_not_approved: return "waiver-not-approved";
    case WhyNot::withdrawal_of_nothing: return "withdrawal-of-nothing";
    case WhyNot::withdrawal_not_by_author: return "withdrawal-not-by-author";
  }
  return "";
}

bool breaks_everything(WhyNot why) {
  return why == WhyNot::statement_unreadable || why == WhyNot::unknown_kind || why == WhyNot::statement_edited;
}

bool may_be_waived(FailureKind kind) {
  switch (kind) {
    case FailureKind::check:
    case FailureKind::finding: return true;
    case FailureKind::error:
    case FailureKind::fence:
    case FailureKind::golden:
    case FailureKind::baseline:
    case FailureKind::control:
    case FailureKind::other: return false;
  }
  return false;
}

}  // namespace patchlab::promotion
