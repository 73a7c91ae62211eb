// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace patchlab::cli {

// The whole program: parses the arguments, runs one command, returns its exit code (lab/core/exit_code.hpp). Results go
// to standard output, everything else to standard error.
[[nodiscard]] int run_application(int argc, char** argv);

}  // namespace patchlab::cli
