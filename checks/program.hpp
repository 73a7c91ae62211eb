// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks {

// How a program travels to the process that executes it. What comes back has the bytes of its digest, or is an error.
[[nodiscard]] Json check_program_json(const CheckProgram& program);
[[nodiscard]] Result<CheckProgram> check_program_from(const Json& json);

}  // namespace patchlab::checks
