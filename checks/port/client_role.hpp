// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::port {

// Kind "tls.client": the machine as a client of TLS. A page of it is asked by HTTP that makes it call back, as
// scenarios/windows-canary/calls.asp does; the check is the server that it calls, on the client's address, speaks one
// version alone and has a certificate of nobody. Parameters:
//   listen_port  where it is called
//   port         (80) of the page
//   path         "/canary/calls.asp?to={server}": {server} is "https://CLIENT:PORT/"
//   host         the name that the page is asked for by; default: the machine's address
//   version      the one that the server speaks: "1.0", "1.1", "1.2" (default) or "1.3"
// Observation: {"server", "page": {"status"} or {"trouble", "errno"}, "calls": [{"from", "got_in", "suite", "why"}]}.
// An Error: the port cannot be listened on.
// Reasons of failure: not-called, call-refused: no call came to the end of its handshake; page-failed: its status is
// not 200 although there was a call; malformed-http, and connection-refused, no-answer, unreachable, connection-broken
// of the page.
[[nodiscard]] const Check& tls_client_role();

}  // namespace patchlab::checks::port
