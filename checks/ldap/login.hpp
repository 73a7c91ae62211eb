// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::ldap {

enum class Tls { none, starttls, ldaps };
enum class Method { simple, gssapi, gss_spnego };
// What the security layer of a SASL login does with each message: nothing, a signature, or encryption.
enum class Layer { none, sign, seal };

// How a client reaches a directory, and who it is. Parameters:
//   login         "simple" (default; RFC 4513 section 5.1), "gssapi" (RFC 4752) or "gss-spnego" ([MS-SPNG]): the latter
//                 by a Kerberos ticket, never by NTLM
//   tls           "ldaps", "starttls" or "none"; default: ldaps for a simple login, none for the others, which take no
//                 other
//   port          default: 636 for ldaps, else 389
//   server        "dc1.office.example": the name in the certificate or ticket
//   authorities   PEM: the certificate must come from these, be valid by the clock of the lab's host, and have the name
//                 `server`; default: any certificate will do
//   user          simple: whatever the server takes as a name: a DN, "lab-user@office.example", "OFFICE\\lab-user";
//   else
//                 "lab-user"
//   password
//   realm, kerberos_port (88)   of the controller, which is the machine itself; not for a simple login
//   layer         "sign" (default), "seal" or "none"; not for a simple login
struct Login {
  Method method = Method::simple;
  Tls tls = Tls::ldaps;
  std::uint16_t port = 636;
  std::string server;
  std::string authorities;
  std::string user;
  std::string password;
  std::string realm;
  std::uint16_t kerberos_port = 88;
  Layer layer = Layer::sign;
};
// `given`: all of it. `made_up`: a simple login whose password is not in the parameters.
enum class Password { given, made_up };
[[nodiscard]] Login read_login(JsonReader& reader, Password password = Password::given);

// "a simple login as 'lab-user' by TLS"
[[nodiscard]] std::string described(const Login& login);

}  // namespace patchlab::checks::ldap
