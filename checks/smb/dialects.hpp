// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::smb {

// "smb.dialects": which versions of the protocol a server speaks, each asked for alone on a connection of its own.
// Needs no account. Parameters:
//   dialects  which are spoken, of "1", "2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"; all others must be refused
//   encryption  "offered" or "not-offered", by those of SMB 3 that are spoken; default: not looked at
//   signing   "required" or "not-required" of those that are spoken; default: not looked at
//   port      default 445
// Observation: {"server", "dialects": {"2.1": {"reply" (hex), "text"} or {"trouble", and "errno" unless the server
// closed the connection}}}. A server that closes the connection refuses; one that does not answer does not.
// Reasons of failure: dialect-refused, dialect-spoken, signing-differs, encryption-differs, malformed-reply, and that
// of the network.
[[nodiscard]] const Check& dialects_spoken();

}  // namespace patchlab::checks::smb
