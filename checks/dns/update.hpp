// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::dns {

// Kind "dns.update": whether a client may change a zone by a dynamic update (RFC 2136). A record of a name made up for
// this try, "patchlab-<random>.<zone> TXT", is added, asked for and taken away again. Parameters:
//   zone
//   allowed  (false) whether it may; otherwise the server must say that it refuses (REFUSED, NOTAUTH or NOTIMP)
//   port     (53); over UDP
// Reasons of failure: update-accepted, update-refused, update-not-seen, update-not-removed, update-answer-unexpected,
// malformed-reply, connection-closed, wrong-id, and those of reason_for_errno().
[[nodiscard]] const Check& update();

}  // namespace patchlab::checks::dns
