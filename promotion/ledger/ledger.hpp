// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

// Append-only record of runs, verdicts and promotions: JSON lines, each with the hash of the one before, so that an
// edit, a deletion or a reordering anywhere shows. Cutting off the end shows only against a head that was noted
// elsewhere.
namespace patchlab::promotion {

struct LedgerEntry {
  std::uint64_t seq = 0;       // from 1, without gaps
  std::string time;            // RFC 3339 UTC
  std::string kind;            // run, verdict, promotion
  Json payload;                // small: names and digests
  std::string payload_digest;  // SHA-256 of the payload's compact JSON
  std::string prev;            // hash of the entry before; 64 zeros for the first
  std::string hash;            // of everything above
};

struct LedgerHead {
  std::uint64_t seq = 0;  // 0: an empty ledger
  std::string hash;       // 64 zeros for an empty ledger
  bool operator==(const LedgerHead&) const = default;
};

class Ledger {
 public:
  // Names the file; it is created by the first append.
  explicit Ledger(std::filesystem::path file) : file_(std::move(file)) {}

  struct NewEntry {
    std::string time;
    std::string kind;
    Json payload;
  };
  // All of them in one locked, synced write, or none. Refuses to write behind a chain that does not verify. A last line
  // that a crash left unfinished was never acknowledged and is removed.
  [[nodiscard]] Result<LedgerHead> append(const std::vector<NewEntry>& entries);

  // The whole chain; an error names the first line that does not fit and says why. A last line that a crash left
  // unfinished was never acknowledged: whoever proves a ledger refuses it, whoever asks what happened leaves it out.
  enum class Unfinished { refused, left_out };
  [[nodiscard]] Result<std::vector<LedgerEntry>> read(Unfinished last_line = Unfinished::refused) const;
  // Verifies the chain and, when given, that it still contains `known` (a head noted earlier): detects a cut-off end.
  [[nodiscard]] Result<LedgerHead> verify(const std::optional<LedgerHead>& known = std::nullopt) const;

 private:
  std::filesystem::path file_;
};

}  // namespace patchlab::promotion
