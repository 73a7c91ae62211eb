// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/record.hpp"

namespace patchlab::reports {

// RFC 4180: one row per verdict ("verdict"), check ("check"), unexpected change ("state") and fence attempt ("fence"),
// for an auditor's spreadsheet. Cells that a spreadsheet would take for a formula get an apostrophe in front: guests
// can write into them.
[[nodiscard]] std::string csv_table(const RunRecord& record, const Decisions& decisions = {});

}  // namespace patchlab::reports
