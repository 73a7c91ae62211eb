// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::http {

// Kind "http.get": one page, as a client asks for it by HTTP/1.1 (RFC 9112). No cache, no proxy, no name is looked up:
// whatever host a page leads to, the machine itself is asked. What it thinks of the certificate is not asked here
// (tls.offered). Parameters:
//   port          (80; 443 with tls)
//   tls           whether the page comes by TLS (default false), of any version and with any certificate
//   host          the name that the client asks for, in the request and in TLS; default: the machine's address
//   path          "/ecp/?x=1" (default "/")
//   expect_status the status of the answer (default 200)
//   contains      texts that must be in the page, byte for byte
//   redirects     so many of them are followed, up to 10 (default 0: they are answers as others are)
//   user, password  who asks (basic authentication); both or none
// Observation: {"url", "status", "bytes", "sha256", "cut", "beginning", "title", "contains": {"text": bool},
// "location", "server"}, or {"url", "trouble", "why"}. A page is read up to 4 MiB; what is not seen until then is not
// there. Reasons of failure: connection-refused, no-answer, unreachable, connection-broken, tls-failed, malformed-http,
// too-many-redirects, status-differs, text-missing.
[[nodiscard]] const Check& get();

}  // namespace patchlab::checks::http
