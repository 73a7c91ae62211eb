// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "cli/desk_line.hpp"
#include "promotion/desk/desk.hpp"
#include "runners/engine/run.hpp"

namespace patchlab::cli {

// What stands around a run: before its first machine, and behind its last.
struct RunFrame {
  std::filesystem::path stage;  // absolute
  std::filesystem::path runs;   // folder of runs
  promotion::Scribe scribe;
  DeskCommand desk{};  // who writes that stage's ledger, when we do not
};

// Tells the ledger of the stage, or its desk, that a run begins. The digest of the statement, empty when the desk has
// it; an error means that it must not start.
[[nodiscard]] Result<std::string> begin_run(const RunFrame& frame, const reports::RunRecord& planned);

// What follows from what a run found: it is kept, written down, decided on and shown, in this order, so that nothing is
// decided that nobody could look at later. `begun`: what begin_run gave.
enum class Show { table, json };

// The end of a run that lies in `folder` of the archive, to the desk, and what the desk says of it. Again it changes
// nothing.
[[nodiscard]] Result<ExitCode> hand_over_end(const RunFrame& frame, const reports::RunRecord& record,
                                             const std::filesystem::path& folder, bool promote);

[[nodiscard]] ExitCode end_run(const RunFrame& frame, const std::string& begun, const runners::FinishedRun& finished,
                               promotion::Desk::Ask ask, Show show);

}  // namespace patchlab::cli
