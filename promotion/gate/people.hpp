// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "promotion/gate/requirement.hpp"
#include "promotion/policy/demands.hpp"

namespace patchlab::promotion {

// A failure, or a change that nothing explains, that somebody accepted, that the policy lets be accepted, and that
// somebody else approved having seen it. It keeps its outcome: it failed, and does not stand in the way.
struct WaivedFailure {
  std::string key;      // as in a signature: "mail/deliver"
  std::string outcome;  // as in the record: "fail", "review"
  std::string by;
  std::string approved_by;
  std::string until;  // RFC 3339; does not count from then on
  std::string reason;
  std::string ticket;
  std::uint64_t line = 0;  // of the ledger
  bool operator==(const WaivedFailure&) const = default;
  // Else a change that failed nobody, and that a person had to look at.
  [[nodiscard]] bool is_a_failure() const { return outcome == "fail"; }
};
// "waived by 'carol' until 2026-12-12T00:00:00Z (CHG0043): known limit; approved by 'bob'"
[[nodiscard]] std::string to_string(const WaivedFailure& waived);

// A statement of somebody that does not count.
struct NotCountedHere {
  ReasonCode code = ReasonCode::statement_unreadable;
  std::string text;
  bool of_a_waiver = false;  // else of an approval
  std::string by{};          // of a rejection: whose
  bool operator==(const NotCountedHere&) const = default;
};

// What people decided about one set of a department, in one run, under the policy in force.
struct PeopleOn {
  std::vector<std::string> set;  // ids of its candidates, ascending
  std::vector<ApprovalGiven> approvals;
  std::vector<WaivedFailure> waived;
  // Those that count as soon as somebody else approves who has seen them.
  std::vector<WaivedFailure> unapproved{};
  bool anything_waived = false;  // or ever was, whatever became of it
  // Who asked for the set: whether somebody of a list of signers did, and the names that are in none.
  bool submitter_is_known = false;
  std::vector<std::string> unknown_submitters{};
  // Each stops the promotion under every policy: rejections that stand, and what nobody can read (it could be one).
  std::vector<NotCountedHere> objections;
  // Why others do not count. They matter only when one more that counts would help.
  std::vector<NotCountedHere> not_counted;
  // Who may sign an approval now, and would count: neither submitted, nor waived, nor approved.
  std::vector<std::string> could_approve{};
  // Who may sign a waiver now, and would count: neither submitted, nor approved.
  std::vector<std::string> could_waive{};
  std::vector<std::string> counted;  // digests of the approvals and waivers that count, ascending
};

}  // namespace patchlab::promotion
