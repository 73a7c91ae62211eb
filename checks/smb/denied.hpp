// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::smb {

// "smb.denied": a user who may not enter a share is refused for lack of permission; any other refusal is a failure.
// Parameters: those of Account (parameters.hpp), and
//   allowed_share  a share which the same user can list: shows that it is the share that refuses, not a broken password
//   data base. Default: not tried.
// Steps: connect, list allowed share, list.
[[nodiscard]] const Check& denied();

}  // namespace patchlab::checks::smb
