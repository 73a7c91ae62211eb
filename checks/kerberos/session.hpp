// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/result.hpp"

namespace patchlab::checks::kerberos {

// What is known of a realm, and who asks.
struct Realm {
  std::string address;  // IPv4 of the controller
  std::uint16_t port = 88;
  std::uint16_t password_port = 464;
  std::string name;                   // "OFFICE.EXAMPLE"
  std::string controller;             // the name in its certificate; empty: the address
  std::vector<std::string> enctypes;  // what the client offers; empty: all that libkrb5 does
};
struct Proof {
  std::string password;     // empty: by certificate
  std::string certificate;  // PEM, and the rest as well
  std::string key;
  std::string authorities;  // whom the controller's own certificate must come from
};

// One client of a realm by MIT's libkrb5, which knows this controller and no other: no file of the host, no name
// look-up and no cache but in memory. Its calls are not bounded in time: see unfinished.hpp. Not for several threads at
// once.
class Session {
 public:
  // An Error is trouble of this host.
  [[nodiscard]] static Result<std::unique_ptr<Session>> open(const Realm& realm, const std::string& user);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  // Each says how it went: {"ok": true, "enctype": "aes256-cts-hmac-sha1-96", "ticket_enctype": ..., "life_s": ...}, or
  // {"ok": false, "kind": "refused" | "unreachable" | "malformed", "code": ..., "why": ...}.
  [[nodiscard]] virtual Json get_ticket(const Proof& proof) = 0;
  // With that ticket.
  [[nodiscard]] virtual Json get_service(const std::string& service) = 0;
  // S4U2self ([MS-SFU] 3.1.5.1): for itself, in the name of somebody else.
  [[nodiscard]] virtual Json get_for(const std::string& user) = 0;
  // RFC 3244, with a ticket for that alone.
  [[nodiscard]] virtual Json change_password(const std::string& from, const std::string& to) = 0;
  // From here on MIT's GSSAPI in this process is that client too: KRB5_CONFIG and KRB5CCNAME name this session's
  // configuration and cache, as long as it lives. For the thread that has the session, in a worker process.
  [[nodiscard]] virtual Result<void> be_the_process() = 0;

 protected:
  Session() = default;
};

// The configuration of a Kerberos library, MIT's or Heimdal's, that knows this controller and no other.
[[nodiscard]] std::string configuration(const Realm& realm);

}  // namespace patchlab::checks::kerberos
