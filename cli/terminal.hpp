// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/core/exit_code.hpp"
#include "lab/core/json.hpp"
#include "lab/core/outcome.hpp"

namespace patchlab::cli {

// "patchlab: error: ..." line by line, then the hint; returns the exit code that fits the error's class. Class usage
// ends with 64 whatever `code` says.
ExitCode report(const Error& error);
ExitCode report(const Error& error, ExitCode code);
// "patchlab: warning: ...": what does not stop a command, and must not be overlooked.
void warn(const std::string& text);
// Of an input file: `bad` when the file is (missing, broken, no regular file), error when the host could not read it.
ExitCode report_input(const Error& error, ExitCode bad);

// A word with its colour when standard output is a terminal and NO_COLOR is not set; padded first, so that columns stay
// straight.
[[nodiscard]] std::string coloured(Outcome outcome, const std::string& text);

// Columns as wide as their widest cell; the first row is the heading. A cell may be followed by its outcome for colour.
// Texts are made printable.
struct Cell {
  std::string text;
  std::optional<Outcome> outcome;
  std::string below{};  // a line of its own under the row: only of the last cell
};
[[nodiscard]] std::string table(const std::vector<std::vector<Cell>>& rows);

// Requested by the first SIGINT or SIGTERM; a second one ends the process at once.
[[nodiscard]] std::stop_token interruption();

// The running binary, for child processes.
[[nodiscard]] std::string own_program();

}  // namespace patchlab::cli
