// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "promotion/chain/chain.hpp"
#include "promotion/installed/installed.hpp"

namespace patchlab::history {

// What an index keeps of one line of the ledger; what the line or its statement does not say is empty or 0.
struct LedgerEvent {
  std::uint64_t seq = 0;
  std::string time;  // RFC 3339
  std::string kind;  // word of promotion::ChainKind
  std::string by;
  std::string object;
  std::string department;  // empty: of none, or of several, as the begin and the end of a run are
  std::string set;         // digest of the SHA256SUMS that it is about
  std::string run;         // digest of a record
  std::string run_id;
  std::string about;   // digest of the statement that this one is about
  std::string reason;  // of a refusal its reasons, of a waiver also what it waives
  std::string ticket;
  std::string expires;
  std::string result;
  std::string policy;
  std::uint64_t serial = 0;
  bool complete = false;
  std::vector<promotion::MachineReport> machines{};  // of `deployed`
  std::string source{};                              // of `deployed`: where that was read from
  bool operator==(const LedgerEvent&) const = default;
};

// Of the lines behind the first `known` ones. An error when a statement is not there or cannot be read.
[[nodiscard]] Result<std::vector<LedgerEvent>> events_behind(const promotion::Chain& chain,
                                                             const promotion::ChainState& state, std::size_t known);

}  // namespace patchlab::history
