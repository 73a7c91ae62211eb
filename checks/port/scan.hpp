// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::port {

// Kind "tls.scan": what a TLS port agrees to, in detail: each cipher suite of each version, each group for the exchange
// of keys, and how large the prime of a classical one is. As far as this host's OpenSSL speaks them: it has no RC4, no
// export suites, no SSL 3. Parameters:
//   port
//   starttls   as in tls.offered
//   suites     {"1.2": ["ECDHE-RSA-AES256-GCM-SHA384", ...], "1.3": ["TLS_AES_256_GCM_SHA384", ...]}: all that are
//              agreed to, by OpenSSL's names; a version that is not named is refused
//   groups     all that are agreed to, of "P-256", "P-384", "P-521", "X25519", "X448"; default: not looked at
//   dh_bits    the size of the prime, exactly, where a suite with a classical exchange is agreed to; default: not
//   looked at
// Observation: {"server", "suites": {version: [...]}, "groups": [...], "dh_bits": number or null, "refused": {version
// or group: why}, "trouble": {"what", "reason", "why"}}. Suites stand in the order in which the server prefers them.
// Reasons of failure: suite-refused, suite-offered, group-refused, group-offered, dh-bits-differ, malformed-tls, those
// of starttls.hpp, and connection-refused, no-answer, unreachable, connection-broken.
[[nodiscard]] const Check& tls_scan();

}  // namespace patchlab::checks::port
