// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::kerberos {

// Kind "kerberos.ticket": who may have a ticket gets one from the controller (RFC 4120), of the encryption that is
// expected, and with it those that it is for. Parameters:
//   realm         "OFFICE.EXAMPLE"            port  (88)
//   user          "lab-user", or "host/web1.office.example"
//   password      or, for a login by certificate (PKINIT, RFC 4556), all three of
//   certificate, certificate_secret, authorities   PEM: the user's, its key, and whom the controller's must come from
//   controller    the name in the controller's certificate, for a login by certificate; default: its address
//   enctypes      what the client offers: ["aes256-cts-hmac-sha1-96"]; default: all that libkrb5 does
//   expect_enctype  of the session's key; default: not looked at
//   service       "cifs/file1.office.example": a ticket for it, with the first one; default: none
//   for_user      "alice": a ticket for the user itself, in the name of that one (S4U2self); default: none
//   refused       true: there must be no ticket, and the controller must say so (default false)
// Steps: connect, ticket, service, for user. Observation: {"server", "steps": [{"step", ...}]} as session.hpp says.
// Reasons of failure: connection-refused, no-answer, unreachable, ticket-refused, service-refused, for-user-refused,
// malformed-reply, enctype-differs, ticket-granted.
[[nodiscard]] const Check& ticket();

// Kind "kerberos.password": a user changes the password (RFC 3244), logs in with the new one, cannot any more with the
// old one, and changes it back. The domain's policy must let this user do so twice at once. Parameters: realm, port,
// user, password, and password_port (464). Steps: connect, change, new ticket, old ticket (refused), change back,
// ticket. Reasons of failure: those of the network, change-refused, new-password-refused, old-password-granted,
// change-back-refused, password-refused, malformed-reply.
[[nodiscard]] const Check& password();

}  // namespace patchlab::checks::kerberos
