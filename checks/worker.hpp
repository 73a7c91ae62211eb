// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "checks/check.hpp"

namespace patchlab::checks {

using FindCheck = std::function<const Check*(const std::string& kind)>;

// What `patchlab check-worker` does: reads one request {"target","kind","parameters","deadline_ms"} as JSON from
// standard input, observes, and writes one line {"observation": ..., "took_ms": ...} or {"error": ...} to standard
// output. The exit code is 0 whenever such a line was written. A process of its own, because protocol libraries crash,
// hang, print and keep global state; and because what a guest answers may take it over: see process::confine for what
// it then has.
int check_worker_main(const FindCheck& find);

// The program to start as a check worker of `patchlab`, the path of that program: patchlab-check-worker beside it, or
// in
// ../libexec/patchlab; where there is neither, `patchlab` itself, which does the same. A night starts thousands of
// them, and of the libraries of patchlab, which take most of such a start, checks need half.
[[nodiscard]] std::filesystem::path check_worker_of(const std::filesystem::path& patchlab);

// The request as the worker reads it.
[[nodiscard]] Json worker_request(const CheckSpec& spec, const Target& target);

}  // namespace patchlab::checks
