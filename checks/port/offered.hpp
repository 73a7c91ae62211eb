// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::port {

// Kind "tls.offered": which versions of TLS a port speaks, and with which certificate. Each version is asked for alone,
// on a connection of its own. Parameters:
//   port
//   starttls    "none" (TLS from the first byte, default), "smtp", "imap" or "pop3"
//   versions    which are offered, of "1.0", "1.1", "1.2", "1.3"; all others must be refused
//   subject, issuer  of the server's certificate, in the form of RFC 2253: "CN=mail1.corp.example"
//   names       all of its names: "DNS:mail1.corp.example", "IP:10.20.0.14"
//   days_left   at least so many days until it ends, by the clock of who looks
//   sha256, key_sha256  of the certificate and of its public key (DER)
// What is not given of the certificate is not looked at. Reasons of failure: version-refused, version-offered,
// certificate-missing, not-yet-valid (when days_left is asked for), too-few-days-left, subject-differs, issuer-differs,
// names-differ, certificate-differs, key-differs, malformed-tls, those of starttls.hpp, and connection-refused,
// no-answer, unreachable, connection-broken.
[[nodiscard]] const Check& tls_offered();

}  // namespace patchlab::checks::port
