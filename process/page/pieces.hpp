// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/page/parts.hpp"

// Parts of pages that show one thing, wherever it is shown.
namespace patchlab::process::page {

// A card in a list; `mine`: it waits for who looks.
void write_waiting_set(Page& page, const WaitingSet& one, bool mine);
// A row for each department, a column for each step.
void write_steps(Page& page, const Facts& facts, const std::vector<std::string>& departments);
void write_runs(Page& page, const std::vector<history::RunRow>& runs);
// Those that began and have no end.
void write_open_runs(Page& page, const History& history);
[[nodiscard]] Tone tone_of(const history::RunRow& run);
[[nodiscard]] std::string promoted_text(const history::RunRow& run);

}  // namespace patchlab::process::page
