// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::smb {

// "smb.encryption": whether a share can be used without encryption, as two clients of the same user see it: one that
// encrypts when the server wants it (SMB 3), and one that cannot (SMB 2.1, which has none). Whether a server offers it
// is a matter of smb.dialects. Parameters: those of Account (parameters.hpp), and
//   encryption   "not-required" (default): both get in; "required": the second one is refused
// Steps: connect, list, list plain. Reasons of failure: those of judging.hpp; plain-refused, plain-accepted,
// refused-for-another-reason.
[[nodiscard]] const Check& encryption();

}  // namespace patchlab::checks::smb
