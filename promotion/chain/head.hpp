// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lab/core/result.hpp"

namespace patchlab::promotion {

inline const std::string no_hash(64, '0');

// How long a chain is, and the hash of its last line. Whoever noted one notices when the chain does not continue it.
struct ChainHead {
  std::uint64_t size = 0;
  std::string hash = no_hash;
  bool operator==(const ChainHead&) const = default;
};

// A head as a file to sign, to note and to send elsewhere: four lines,
//   patchlab ledger <hash of line 1>      which ledger it is
//   <size>
//   <hash of line `size`>
//   <time>                                when it was written
struct HeadNote {
  std::string ledger;
  ChainHead head;
  std::string time;
  bool operator==(const HeadNote&) const = default;
};
[[nodiscard]] std::string head_text(const HeadNote& note);
// Takes exactly what head_text writes.
[[nodiscard]] Result<HeadNote> parse_head(const std::string& text, const std::string& name);
// What people note: "<size>:<hash>".
[[nodiscard]] Result<ChainHead> parse_noted(const std::string& text);

}  // namespace patchlab::promotion
