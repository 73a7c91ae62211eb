// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

// One line of the chain: one event. Its bytes are the only form that there is, so a reader in another language compares
// hashes of what it reads and writes nothing anew.
//
//   {"seq":7,"prev":"<64 hex>","time":"2026-11-28T08:00:00.000Z","kind":"approve","object":"<64 hex>","by":"bob@x"}
namespace patchlab::promotion {

// What happened. The words (to_string) are stable API, and so is the meaning of each; docs/evidence.md.
enum class ChainKind {
  imported,  // the ledger of an older version, as a file; only as the first line
  repair,    // a line that a crash left unfinished was cut off; the object is what was there of it
  begin,     // a run begins: before its first machine starts
  run,       // it ended; its statement names the begin
  submit,    // decisions of people
  approve,
  reject,
  waive,
  withdraw,
  policy,  // a policy, or who may sign, came into force
  trust,
  promote_begun,     // a promotion will switch a department; nothing is changed yet
  promote_switched,  // the department's link leads to the new version
  promote_done,      // and what lies there was read back
  promote_refused,   // refused, or one that had begun was given up: the version before is what is published
  deployed,          // machines of production said what they have of a promotion that was done
};
[[nodiscard]] const char* to_string(ChainKind kind);
[[nodiscard]] std::optional<ChainKind> chain_kind_from(std::string_view word);

// Whose doing an event is.
enum class ChainFamily {
  keeping,     // of the ledger itself: import, repair
  lab,         // begin, run
  people,      // submit, approve, reject, waive, withdraw
  rules,       // what people decide by: policy, trust
  promotion,   // promote-...
  production,  // deployed: what came of it
};
[[nodiscard]] ChainFamily family_of(ChainKind kind);

struct ChainLine {
  std::uint64_t seq = 0;  // from 1, without gaps; below 2^53
  std::string prev;       // SHA-256 of the line before, its newline included; 64 zeros for the first
  std::string time;       // RFC 3339, UTC with "Z", seconds or milliseconds; never before that of the line before
  ChainKind kind = ChainKind::begin;
  std::string object;  // SHA-256 of the statement or file that it is about
  std::string by;      // who: as in the list of signers
  bool operator==(const ChainLine&) const = default;
};

// With its newline.
[[nodiscard]] std::string line_text(const ChainLine& line);
// Without the newline. Takes exactly what line_text writes: these keys in this order, no spaces, no escapes, numbers
// without leading zeros. The error says at which character the first difference is.
[[nodiscard]] Result<ChainLine> parse_chain_line(std::string_view text);

// Strict RFC 3339: "2026-11-28T08:00:00Z" or with exactly three decimals; a day that the calendar has, no leap second.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> chain_time(std::string_view text);

}  // namespace patchlab::promotion
