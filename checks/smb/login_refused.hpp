// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::smb {

// "smb.login-refused": nobody gets into a share with a password made up for this try, as the user and, should the
// server turn strangers into guests, as a guest. Refused for lack of permission; any other refusal is a failure.
// A server that locks accounts counts the try: take a user whom no other check needs. Parameters: share, domain, port
// as in Account (parameters.hpp), and
//   user  default none: a session without a name (a null session) must be refused
// Steps: connect, list.
[[nodiscard]] const Check& login_refused();

}  // namespace patchlab::checks::smb
