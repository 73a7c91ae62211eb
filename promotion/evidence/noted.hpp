// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "promotion/chain/head.hpp"

namespace patchlab::promotion {

// A head that was noted outside of what is proven with it: "<size>:<hash>", or a file with that or with a head as
// docs/evidence.md has it. With a signature beside it (<file>.sig) it may be a witness's.
struct NotedHead {
  std::string name;  // for messages
  ChainHead head;
  std::string ledger;     // hash of line 1; empty: not said
  std::string text;       // of a file: what is signed
  std::string signature;  // empty: none; then it counts by the word of whoever gives it
};
[[nodiscard]] Result<NotedHead> read_noted(const std::string& argument);

}  // namespace patchlab::promotion
