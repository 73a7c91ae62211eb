// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::ntp {

// Kind "ntp.query": a client asks for the time (RFC 5905, mode 3) and gets one that is good for something. Whether a
// domain's server signs it ([MS-SNTP]) is not looked at. Parameters:
//   port         123
//   version      4 (default) or 3
//   max_stratum  default 15
//   offset_ms    how far the server's clock may be from that of the lab's host, beyond half of the time that the
//                question took; default: not looked at. Where a trial moves the clocks of machines, it is far away
// Observation: {"server", "requests", "errno", "strays", "reply": {"leap", "version", "stratum", "reference",
// "root_delay_ms", "root_dispersion_ms", "offset_ms", "delay_ms"}}. Reasons of failure: connection-refused, no-answer,
// unreachable, malformed-reply, kiss-o'-death, not-synchronised, stratum-too-high, offset-too-large.
[[nodiscard]] const Check& query();

}  // namespace patchlab::checks::ntp
