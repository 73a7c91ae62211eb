// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/record.hpp"

namespace patchlab::reports {

// RFC 4180 for an auditor's spreadsheet, with the mark of UTF-8 in front, without which Excel takes it for something
// else. A row per fact of facts.hpp ("run", "department", "fence", "decision", "verdict", "checked", "flaky"), and rows
// of what was seen: "check", "try", "slowness", "state", "attempt", "requirement". No cell is a formula, not even where
// a spreadsheet splits at semicolons: guests can write into cells.
[[nodiscard]] std::string csv_table(const RunRecord& record, const Decisions& decisions = {});

}  // namespace patchlab::reports
