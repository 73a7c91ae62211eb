// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "cli/commands.hpp"

namespace patchlab::cli {

// The whole program: parses the arguments, runs one command, returns its exit code (lab/core/exit_code.hpp). Results go
// to standard output, everything else to standard error.
[[nodiscard]] int run_application(int argc, char** argv);

// What a line that begins with this word is parsed by: of all that add_commands adds, only the command of that name and
// those that are added with it, which makes no difference to it. All of them where no command has that name.
void add_commands_for(CLI::App& app, Chosen& chosen, std::string_view word);

}  // namespace patchlab::cli
