// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::ldap {

// Kind "ldap.replication": what is changed at the machine's directory is read at another one soon. Take a second check,
// of the other machine, for the other direction. Parameters: those of Login (login.hpp) for the machine, and
//   to            IPv4 of the other server
//   to_port       default: `port`
//   to_server     its name, as `server` is the machine's
//   container     "OU=patchlab,DC=office,DC=example": where an object with a name of its own is made, and removed again
//   object_class  of that object, whose name is a cn, and which may have a description (default "contact")
//   entry         or, in place of a container, the name of an object that is there:
//   attribute     of it that is given another value, and then what it had (default "description")
//   within_s      how long the change may take (default 10, up to 3600); `timeout_s` must be longer
// Login at both servers is by the same user; tickets are granted by the machine itself. Nothing is written before both
// are there. Steps: connect, tls, ticket, service, bind, the same of the other server ("reader connect" ...), read (an
// entry's attribute), write, arrive, clean up. The value is unlike that of any other try. Observation: {"server",
// "reader", "steps"}. Reasons of failure: those of ldap.bind up to bind-refused, of the other server with "reader-"
// before them; read-refused, write-refused, not-replicated, reader-search-refused, clean-up-refused. That the check
// has less time than `within_s` is an error.
[[nodiscard]] const Check& replication();

}  // namespace patchlab::checks::ldap
