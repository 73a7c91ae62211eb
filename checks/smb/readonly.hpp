// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::smb {

// "smb.readonly": a user reads a share and cannot write to it. Parameters: those of Account (parameters.hpp), and
// known_files as in smb.access. Steps: connect, list, known file ..., write (refused), and "clean up" when it was not.
[[nodiscard]] const Check& readonly();

}  // namespace patchlab::checks::smb
