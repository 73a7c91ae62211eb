// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/deadline.hpp"
#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

namespace patchlab::checks::port {

[[nodiscard]] const std::vector<std::string>& tls_versions();  // "1.0" to "1.3"

// One handshake that offers one version of TLS and nothing else, with every cipher that this host knows and no opinion
// on the certificate. On a socket on which the server waits for it. The result:
//   "ended"  "offered": it went through; "refused": the server said no, or ended the connection; "no-answer";
//            "malformed": what came is no TLS
//   "why"    in OpenSSL's or the system's words, unless offered
//   "cipher", "certificate": {"subject", "issuer" (RFC 2253), "names" ("DNS:...", "IP:..."; sorted), "not_before",
//            "not_after" (RFC 3339), "days_left" (whole ones, below zero when it is over), "is_valid_yet", "sha256",
//            "key_sha256" (of the public key's DER form)}
// An Error when this host cannot speak the version.
[[nodiscard]] Result<Json> shake_hands(int socket, const std::string& version, const Deadline& deadline);

}  // namespace patchlab::checks::port
