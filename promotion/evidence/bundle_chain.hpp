// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "promotion/chain/chain.hpp"

namespace patchlab::promotion {

// A chain of which statements were left out: of a bundle (docs/evidence.md). Hashes, times and order of all lines are
// those of Chain; what hangs on a statement is asked of those that are there.
struct BundleChain {
  ChainState state;
  std::vector<bool> lacks;  // by line: its statement is not there
};

// Whether a bundle can do without the statement of such a line at all. Who submitted, rejected, waived or withdrew
// something can matter to a promotion however long ago that was.
[[nodiscard]] bool may_be_left_out(ChainKind kind);

// An error says the line and the reason. `folder`: with ledger.jsonl and objects.
[[nodiscard]] Result<BundleChain> read_bundle_chain(const std::filesystem::path& folder);

// "<folder>/ledger.jsonl:7: the line <why>"
[[nodiscard]] Error broken_line(const std::filesystem::path& folder, std::uint64_t line, const std::string& why);

}  // namespace patchlab::promotion
