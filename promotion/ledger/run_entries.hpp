// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "promotion/ledger/ledger.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {

// What a run adds to the ledger: one entry for the run and one per verdict. All of them carry the digest of the record,
// so each can be checked against the run folder.
[[nodiscard]] std::vector<Ledger::NewEntry> ledger_entries(const reports::RunRecord& record, const std::string& time);
// What a promotion asked for afterwards adds, whatever came of it.
[[nodiscard]] Ledger::NewEntry promotion_entry(const reports::RunRecord& record, const std::string& department,
                                               const reports::PromotionRecord& promotion, const std::string& time);

}  // namespace patchlab::promotion
