// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/kerberos/session.hpp"
#include "checks/ldap/session.hpp"
#include "checks/taken_steps.hpp"

// How checks of a directory begin: steps "connect", "tls", "ticket" and "service" (a login by Kerberos), "bind". A
// prefix tells the steps and reasons of another server.
namespace patchlab::checks::ldap {

// Who has the tickets of logins by Kerberos; null until there is one.
using Tickets = std::unique_ptr<kerberos::Session>;

struct Arrival {
  Login login;
  std::string address;     // of the server
  std::string controller;  // IPv4 that grants the tickets
  std::string prefix{};    // "", or "reader "
};
// True when it is logged in. `tickets` is made by the first login by Kerberos, is good for the next one, and must
// outlive `session`.
[[nodiscard]] bool arrive(const Arrival& arrival, Session& session, Tickets& tickets, TakenSteps& steps);

// Nothing when it is logged in, or was refused with this result if `expected` is not "success".
[[nodiscard]] std::optional<Judgement> judge_arrival(const Arrival& arrival, const Observation& seen,
                                                     const std::string& expected = "success");

}  // namespace patchlab::checks::ldap
