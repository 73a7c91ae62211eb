// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/names.hpp"
#include "lab/core/result.hpp"

// What somebody says of a set of patches, as bytes that are signed: in-toto Statement v1
// (https://github.com/in-toto/attestation, spec/v1/statement.md) on one line of compact JSON. Pure functions; all of
// them may be called from any thread.
namespace patchlab::promotion {

// Who says what. The first five are for people (and submit for automation), the last for whoever installs, the others
// for the lab and the desk.
enum class StatementKind {
  approve,
  reject,
  waive,
  withdraw,
  submit,
  begin,
  run,
  promote,
  refuse,
  rollback,
  policy,
  trust,
  deployed,
};
inline constexpr std::array all_statement_kinds{StatementKind::approve,  StatementKind::reject,  StatementKind::waive,
                                                StatementKind::withdraw, StatementKind::submit,  StatementKind::begin,
                                                StatementKind::run,      StatementKind::promote, StatementKind::refuse,
                                                StatementKind::rollback, StatementKind::policy,  StatementKind::trust,
                                                StatementKind::deployed};
[[nodiscard]] const char* to_string(StatementKind kind);
[[nodiscard]] std::optional<StatementKind> statement_kind_from(std::string_view word);
// approve, reject, waive, withdraw: what a promotion depends on.
[[nodiscard]] bool is_decision(StatementKind kind);

// "patchlab.approve.v1": one SSHSIG namespace for each kind, so that stock ssh-keygen itself refuses the signature of
// somebody whose line in allowed_signers does not allow that kind.
[[nodiscard]] std::string signature_namespace(StatementKind kind);

// What can be shown and signed alike: not empty, UTF-8, at most `longest` bytes, no blank at either end, and no
// character that is not seen, breaks the line or changes the direction of writing.
[[nodiscard]] bool is_plain_text(std::string_view text, std::size_t longest);

struct StatementSubject {
  std::string name;    // a department; of policy and trust: what is signed, by name
  std::string sha256;  // of its set (SHA256SUMS); of policy and trust: of the document
  bool operator==(const StatementSubject&) const = default;
};

// The newest line of the ledger that the author saw. Who signs a decision is a witness of the history before it.
struct SeenLedger {
  std::uint64_t size = 0;  // lines; below 2^53
  std::string hash;        // SHA-256 of the last of them, 64 zeros when there was none
  bool operator==(const SeenLedger&) const = default;
};

// One failure that a waiver names, exactly: either a check or a finding on one machine, and what became of it.
struct Waived {
  std::string machine;
  std::string check;    // name of the check, or empty
  std::string finding;  // key of the finding, or empty
  std::string outcome;  // as in the record: fail, review
  bool operator==(const Waived&) const = default;
  auto operator<=>(const Waived&) const = default;
};
// "mail/large-delivery", "mail: finding service/postfix.service"
[[nodiscard]] std::string to_string(const Waived& waived);

// A member that is absent from the document is nullopt. Which kind needs and allows which: statement_keys().
struct Statement {
  StatementKind kind = StatementKind::approve;
  std::vector<StatementSubject> subjects;  // exactly one; of begin and run: one for each department
  std::string by;
  std::optional<std::string> run;     // digest of the run object
  std::optional<std::string> policy;  // digest of the policy that the author saw
  std::optional<SeenLedger> ledger;
  std::optional<std::string> reason;
  std::optional<std::string> ticket;
  std::optional<std::string> expires;  // RFC 3339 with Z
  std::optional<std::vector<Waived>> waives;
  std::optional<std::string> withdraws;  // digest of the statement that is withdrawn
  std::optional<std::string> id;         // of the run, for people
  std::optional<std::string> begin;      // digest of the statement with which the run began
  std::optional<std::string> promotion;  // digest of the statement of the promotion that is given up, or was installed
  std::optional<std::string> submitter;
  std::optional<std::string> scenario;                 // digest
  std::optional<std::vector<std::string>> candidates;  // digests, ascending
  std::optional<bool> complete;
  std::optional<std::string> result;               // of the run, as in its record
  std::optional<std::vector<std::string>> failed;  // "machine/check", ascending
  std::optional<std::uint64_t> attempt;
  std::optional<std::vector<std::string>> decisions;  // digests of the statements used, ascending
  std::optional<std::string> manifest;                // digest
  std::optional<std::vector<std::string>> reasons;    // "code: subject: text", in order
  std::optional<std::uint64_t> serial;                // of the version of the stage
  std::optional<std::uint64_t> version;               // of a policy or of the trust
  std::optional<std::vector<std::string>> asked;      // what narrowed a run, as on the command line: "--role dns"
  // Of a promotion through the emergency lane: until when somebody must have reviewed it, RFC 3339 with Z. Then reason
  // and ticket are there as well; of any other promotion none of the three is.
  std::optional<std::string> review_by;
  std::optional<std::string> report;  // digest of what machines said (promotion/installed)
  bool operator==(const Statement&) const = default;
};

inline constexpr std::size_t longest_statement = 64U << 10U;       // bytes, with the final newline
inline constexpr std::uint64_t largest_number = 9007199254740991;  // 2^53 - 1: what every JSON reader keeps

// Which keys the predicate of a kind must and may have, besides `kind` and `by`, in the order in which they are
// written.
struct StatementKeys {
  std::vector<std::string> required;
  std::vector<std::string> optional;
};
[[nodiscard]] StatementKeys statement_keys(StatementKind kind);

// The bytes: one line with its newline. An error (configuration) for a value that read_statement would refuse.
[[nodiscard]] Result<std::string> write_statement(const Statement& statement);
// Strictly what write_statement writes, byte for byte: no key twice, no space, no other order, no number above 2^53, no
// control character, no second line. Else other programs could read something else than what we read. An error
// (configuration) names `file_name`, the place and what is allowed. Takes time and memory in proportion to the bytes,
// which may be anybody's.
[[nodiscard]] Result<Statement> read_statement(std::string_view bytes, const std::string& file_name);

}  // namespace patchlab::promotion
