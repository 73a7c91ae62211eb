// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::port {

// Kind "tls.handshakes": one client after the other comes to a TLS port, as often as it takes to meet what happens once
// in a hundred times. Each comes twice, the second time with the session of the first; every other one without the
// extended master secret (RFC 7627), as older clients do. Then some come whose bytes arrive in pieces: what they say is
// cut in the middle of the head of a record, as networks may. All must get in. Parameters:
//   port
//   starttls      as in tls.offered
//   version       "1.0", "1.1" or "1.2" (default)
//   rounds        so many clients (default 50, up to 1000)
//   suites        the cipher suites that they offer, in turn, by OpenSSL's names ("ECDHE-RSA-AES256-GCM-SHA384");
//                 default: all that this host knows, and the server chooses
//   resumes       whether the second visit takes up the session of the first (default true); false: not looked at
//   pieces        whether clients come whose bytes arrive in pieces (default true)
//   request       what each client says on its first visit, for which the server has an answer ("GET /
//   HTTP/1.0\r\n...") first_record  needs `request`: "whole": the answer does not begin with a record (RFC 5246, 6.2.1)
//   of one byte, as it
//                 does where a server parts it against CVE-2011-3389 and which some clients cannot put together again;
//                 "split": each does; default: only that there is an answer
// Observation: {"server", "full", "resumed", "pieces": how many got in, "planned": {the same}, "not_resumed": visits
// that began anew, "answered", "split": answers, and those that began with one byte, "trouble": {"what", "reason",
// "why"} of the first that did not get in}. It ends there.
// Reasons of failure: handshake-failed, resumption-failed, pieces-refused, not-resumed, not-answered, first-byte-apart,
// first-byte-not-apart, malformed-tls, those of starttls.hpp, and connection-refused, no-answer, unreachable,
// connection-broken.
[[nodiscard]] const Check& tls_handshakes();

}  // namespace patchlab::checks::port
