// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/process/process.hpp"

namespace patchlab::testing {

// Whether a program of the host cannot be started: the reason to skip a test that needs it.
inline bool is_missing(const std::string& program) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = {"--version"};
  return std::holds_alternative<NotStarted>(host_processes().run(spec).end);
}

}  // namespace patchlab::testing
