// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "promotion/signature/ssh_signature.hpp"
#include "promotion/statement/statement.hpp"
#include "promotion/trust/trust.hpp"

// What people decided about one run in one department: which of their statements count, and why others do not. A pure
// function over values: what the ledger holds, who could sign what when, what is asked, and the time. How many
// approvals are needed, by which keys, and what may be waived for how long is a policy's (promotion/policy) and is
// asked by the gate; what nobody may allow is decided here:
//
// - Submitter, author of a waiver and approver are different people; a person with two keys is one.
// - A waiver counts only once somebody else approved who had seen it. Waiving alone never lets anything pass.
// - Who ever waived something of a set is its approver never more, also when the waiver was withdrawn or is over.
// - A rejection holds for the run and for the set, also when that runs again, until its author withdraws it.
// - Error, fence, golden image, baseline and control are never waived: nothing was observed that one could accept.
// - A document that cannot be read, or is not what was signed, blocks: it could be a rejection.
//
// So the history can only be made worse: adding whatever is no approval and no withdrawal of a rejection never lets a
// promotion pass that was blocked (tests/unit/promotion/desk, PeopleAtTheGate.OnlyAnApproval...).
namespace patchlab::promotion {

using Moment = std::chrono::system_clock::time_point;

// Why a statement does not count. The words (to_string) are stable API. The first group means that the ledger is not
// what it should be: nothing is promoted at all (exit code 65). The others are about one statement.
enum class WhyNot {
  statement_unreadable,
  unknown_kind,
  statement_edited,  // other bytes than were signed, or than the ledger's line names
  unsigned_statement,
  signer_unknown,         // no key of the trust in force then
  signer_differs,         // the key of somebody else than the statement says
  namespace_not_allowed,  // this signer may not sign that kind, or signed it as another kind
  signer_not_in_force,    // too early, or too late
  other_history,          // its author saw another ledger than this one
  approval_of_other_department,
  approval_of_other_run,
  approval_of_other_set,
  approval_of_other_policy,
  approval_not_distinct,
  rejected,  // of a promotion: somebody rejected it
  withdrawn,
  waiver_of_other_run,  // or of another department, set or policy
  waiver_expired,
  waiver_forbidden,
  waiver_out_of_scope,  // names what did not fail, or not so
  waiver_not_distinct,  // by who submitted the set
  waiver_not_approved,  // nobody else approved who had seen it
  withdrawal_of_nothing,
  withdrawal_not_by_author,
};
[[nodiscard]] const char* to_string(WhyNot why);
// Nobody can say what the ledger holds: nothing may be promoted.
[[nodiscard]] bool breaks_everything(WhyNot why);

// One line of the ledger about a statement, with what was found. Made by examine().
struct LedgerStatement {
  std::uint64_t seq = 0;  // number of the line, from 1
  Moment time;            // of the line
  std::string line_kind;  // as the line says
  std::string line_by;    // as the line says
  std::string object;     // as the line says: the digest
  std::string found;      // the digest of the bytes that are there
  std::optional<Statement> statement;
  std::string unreadable;  // why there is no statement
  bool kind_is_known = true;
  std::optional<SshSignature> signature;
  std::string unsigned_why;  // why there is no signature
  std::string not_good;      // what ssh-keygen says against the signature at that time; empty: it is good
};

// What is there to be waived, or never is.
enum class FailureKind { check, finding, error, fence, golden, baseline, control, other };
[[nodiscard]] bool may_be_waived(FailureKind kind);
struct Failure {
  FailureKind kind = FailureKind::other;
  std::string machine;
  std::string name;     // of the check, or key of the finding
  std::string outcome;  // "fail", "review"
  bool operator==(const Failure&) const = default;
};

struct DecisionQuestion {
  std::string department;
  std::string run;                          // digest of the run object
  std::string set;                          // digest of the department's SHA256SUMS
  std::string policy;                       // digest
  std::vector<std::string> policy_signers;  // who put it in force: see signers_of_policy (promotion/chain)
  std::vector<std::string> submitters;      // as the lab recorded; those of submit statements come on top
  std::vector<Failure> failures;            // all that the run found against this department
  Moment now;
  // The line with which this department was promoted last; 0: it never was. Who approved before may again, since
  // another one is published than they knew of.
  std::uint64_t promoted = 0;
};

struct Approval {
  std::string by;
  std::uint64_t seq = 0;
  Moment at;
  std::string object;
  std::string reason;
  std::string ticket;
  std::uint64_t seen = 0;  // lines of the ledger that the author had seen
  std::optional<SecurityKeyUse> security_key;
  std::uint64_t again = 0;  // the line in which the same person approved first: counts as one
};
struct Rejection {
  std::string by;
  std::uint64_t seq = 0;
  Moment at;
  std::string object;
  std::string reason;
  std::string run;  // which was rejected: the one that is asked about, or another of the same set
};
struct Waiver {
  std::string by;
  std::uint64_t seq = 0;
  Moment at;
  Moment until;  // does not count from then on
  std::string object;
  std::string reason;
  std::string ticket;
  std::vector<Waived> waives;
  std::string approved_by;  // somebody else who had seen it; empty: it does not count yet
  // Withdrawn, expired, or by who submitted: it excuses nothing, and keeps its place among those of the set.
  bool is_over = false;
};
struct NotCounted {
  WhyNot why = WhyNot::statement_unreadable;
  std::uint64_t seq = 0;  // line; 0 when it is not about one
  std::string by;
  std::string object;
  std::string text;  // for the reader, with the next step where there is one
  // It names this department with the run or the set in question, or nobody can say: worth showing.
  bool concerns = false;
};

struct Decisions {
  std::vector<Approval> approvals;
  std::vector<Rejection> rejections;
  // Of this very run and set, by line. `approved_by` says which count, of those that are not over.
  std::vector<Waiver> waivers;
  std::vector<NotCounted> not_counted;  // by line
  std::vector<std::string> submitters;
  std::vector<std::string> policy_signers;
  // Who signed a waiver of the set or of the run, whatever became of it: taking one back never asks for less.
  std::vector<std::string> waiver_authors;
  Moment now;  // that of the question, or of the last line: a clock that was set back makes nothing valid again
  [[nodiscard]] bool is_broken() const;
  // The waiver that counts for a failure, or nullptr.
  [[nodiscard]] const Waiver* waiver_of(const Failure& failure) const;
};

// `statements`: in the order of the ledger. `hashes`: of each line of the ledger, its newline included. A time of the
// question before the last line's is taken for that: a clock that was set back makes nothing valid again.
[[nodiscard]] Decisions decisions_about(const DecisionQuestion& question,
                                        const std::vector<LedgerStatement>& statements,
                                        const std::vector<std::string>& hashes, const Trust& trust);

// Makes the value for one line: `bytes` and `signature` (armoured, or empty) as they are there. Asks ssh-keygen with
// the trust of the line's time. An error is about the host alone.
struct LedgerDocument {
  std::uint64_t seq = 0;
  Moment time;
  std::string kind;
  std::string by;
  std::string object;
  std::string bytes;
  std::string signature;
};
[[nodiscard]] Result<LedgerStatement> examine(ProcessRunner& processes, const LedgerDocument& document,
                                              const Trust& trust);

}  // namespace patchlab::promotion
