// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"
#include "checks/command/parameters.hpp"

namespace patchlab::checks::command_kind {

// Bytes kept of what it says, of standard output and of standard error each; who says more floods.
inline constexpr std::size_t most_output = 256U << 10U;

// Executes process::brought_program(), and tells how it ended:
//
//   {"program": name, "end": "exit" | "signal" | "deadline" | "flood" | "not-started" | "left-processes",
//    "code": exit code or number of the signal, "output", "errors": what it said,
//    "performance": [...], "why": of "not-started"}
//
// Only in a confined worker: what is left of the program dies with that. An error says that it is none.
[[nodiscard]] Result<Observation> execute(const Target& target, const Parameters& parameters, Milliseconds deadline);

}  // namespace patchlab::checks::command_kind
