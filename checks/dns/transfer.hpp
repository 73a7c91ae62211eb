// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::dns {

// Kind "dns.transfer": a zone is handed over whole (AXFR, RFC 5936), as to another server of it. That it is refused is
// asked for by "dns.query" with the type AXFR. Parameters:
//   zone
//   records  how many there are, the SOA record counted once
//   sha256   of them: in presentation form with TTL, a line each, sorted bytewise; without the signatures of DNSSEC and
//            what goes with them (RRSIG, NSEC, NSEC3), which change by themselves, and those do not count
//   port     (53)
// Reasons of failure: transfer-refused, transfer-incomplete (no SOA at the end), record-count-differs, zone-differs,
// malformed-reply, connection-closed, and those of reason_for_errno().
[[nodiscard]] const Check& transfer();

}  // namespace patchlab::checks::dns
