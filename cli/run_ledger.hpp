// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "promotion/desk/desk.hpp"
#include "runners/engine/run.hpp"

namespace patchlab::cli {

// What stands around a run: before its first machine, and behind its last.
struct RunFrame {
  std::filesystem::path stage;  // absolute
  std::filesystem::path runs;   // folder of runs
  promotion::Scribe scribe;
};

// Tells the ledger of the stage that a run begins. The digest of the statement; an error means that it must not start.
[[nodiscard]] Result<std::string> begin_run(const RunFrame& frame, const reports::RunRecord& planned);

// What follows from what a run found: it is kept, written down, decided on and shown, in this order, so that nothing is
// decided that nobody could look at later. `begun`: what begin_run gave.
enum class Show { table, json };
[[nodiscard]] ExitCode end_run(const RunFrame& frame, const std::string& begun, const runners::FinishedRun& finished,
                               promotion::Desk::Ask ask, Show show);

}  // namespace patchlab::cli
