// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "promotion/statement/statement.hpp"

// What a lab and the desk of its stage say to each other when a run begins or ends (docs/two-users.md). One JSON object
// on one line each, read strictly by both. Pure functions.
namespace patchlab::promotion {

inline constexpr const char* handover_schema = "patchlab/handover/v1";
inline constexpr std::size_t longest_message = 256U << 10U;  // bytes, without the line end
inline constexpr std::size_t longest_answer = 16U << 20U;    // of the desk, which may ask for many files
inline constexpr std::uint64_t largest_record = 64U << 20U;  // bytes of a run.json

// "ssh-ed25519 AAAA..." of the lab, when it will sign; empty: it will not.
using KeyText = std::string;

// --- of the lab
struct BeginOffer {
  std::vector<StatementSubject> subjects;
  KeyText key;
};
struct EndOffer {
  std::string id;   // of the run
  std::string run;  // digest of its run.json
  std::uint64_t bytes = 0;
  bool promote = false;  // whether it is asked for
  KeyText key;
};
using Offer = std::variant<BeginOffer, EndOffer>;
// A statement as it is to stand in the ledger.
struct HandedStatement {
  std::string statement;
  std::string signature;  // armoured; empty: not signed
};
// A file that the desk asked for; its bytes follow.
struct HandedFile {
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string missing;  // why it does not come; then no bytes follow
};

// --- of the desk
// What a statement needs that only the ledger knows.
struct Ready {
  SeenLedger ledger;
  std::string by;             // whose the key is; empty: there is none
  std::string policy;         // digest of that in force; of a begin; empty: nobody can say
  std::uint64_t attempt = 0;  // of a begin
  std::string begun;          // of an end: the statement with which the run began
  std::uint64_t ended = 0;    // of an end: the line that has it already; 0: none
};
struct Written {
  std::uint64_t line = 0;  // the newest
  std::vector<std::string> notes;
  std::vector<std::string> wants;  // digests of files
};
struct Settled {
  int exit_code = 0;
  std::vector<std::string> notes;
};

[[nodiscard]] std::string to_line(const Offer& offer);
[[nodiscard]] std::string to_line(const HandedStatement& handed);
[[nodiscard]] std::string to_line(const HandedFile& file);
[[nodiscard]] std::string to_line(const Ready& ready);
[[nodiscard]] std::string to_line(const Written& written);
[[nodiscard]] std::string to_line(const Settled& settled);
[[nodiscard]] std::string to_line(const Error& refusal);

// Errors (configuration) name what is wrong. Of the desk's lines: its refusal comes back as the error that it is.
[[nodiscard]] Result<Offer> offer_from(const std::string& line);
[[nodiscard]] Result<HandedStatement> statement_from(const std::string& line);
[[nodiscard]] Result<HandedFile> file_from(const std::string& line);
[[nodiscard]] Result<Ready> ready_from(const std::string& line);
[[nodiscard]] Result<Written> written_from(const std::string& line);
[[nodiscard]] Result<Settled> settled_from(const std::string& line);

// Ids of runs become names of folders: letters, digits, '-' and '_', beginning with a letter or digit, at most 64.
[[nodiscard]] bool is_run_id(std::string_view text);

}  // namespace patchlab::promotion
