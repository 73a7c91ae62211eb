// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "promotion/approval/decisions.hpp"
#include "promotion/book/book.hpp"
#include "promotion/policy/demands.hpp"
#include "reports/record/record.hpp"

// What people decided (promotion/approval), as a policy asks about it (promotion/policy).
namespace patchlab::promotion {

// Each person once, with the best key that they used.
[[nodiscard]] std::vector<ApprovalGiven> approvals_given(const Decisions& decisions);
// Rejections that stand, and what makes the whole ledger unreadable: each of them stops a promotion by any policy.
[[nodiscard]] std::vector<std::string> objections_of(const Decisions& decisions);
// The digests of approvals, and of waivers that somebody else approved, ascending: what a promotion rests on.
[[nodiscard]] std::vector<std::string> counted_in(const Decisions& decisions);
// Whether a waiver counts, so that more approvals may be asked.
[[nodiscard]] bool is_anything_waived(const Decisions& decisions);

struct People {
  std::vector<ApprovalGiven> approvals;
  std::vector<std::string> objections;
  bool anything_waived = false;
  std::vector<std::string> counted;  // digests of the approvals and waivers that count, ascending
};
// What people decided about this department's set in this very record, under this policy. A ledger that cannot be read
// may hold a rejection: that is an objection.
[[nodiscard]] People people_on(const DecisionBook& book, const reports::RunRecord& record,
                               const reports::DepartmentRecord& department, const std::string& policy_digest,
                               Moment now);

}  // namespace patchlab::promotion
