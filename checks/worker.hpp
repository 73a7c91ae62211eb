// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

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

// The request as the worker reads it.
[[nodiscard]] Json worker_request(const CheckSpec& spec, const Target& target);

}  // namespace patchlab::checks
