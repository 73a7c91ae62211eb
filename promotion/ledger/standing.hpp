// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "promotion/gate/gate.hpp"
#include "promotion/ledger/ledger.hpp"

namespace patchlab::promotion {

// What the ledger says of a run. A ledger that is not there or is broken records nothing: that is said, and is no
// error.
[[nodiscard]] Standing standing_of(const reports::RunRecord& record, const Ledger& ledger);
// The same of entries that were read, in the order in which they were written.
[[nodiscard]] Standing standing_of(const reports::RunRecord& record, const std::vector<Ledger::NewEntry>& entries);

}  // namespace patchlab::promotion
