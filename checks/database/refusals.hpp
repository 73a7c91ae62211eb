// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// What a server must refuse: a patch that opens it is as bad as one that closes it.

// Kind "database.login-refused": a login with a password made up for this try must be refused, in words that say so
// (SQLSTATE class 28). Any other trouble is a failure of its own. A server that locks accounts counts the try.
// With a `password`, which is the user's, it is the database that must be refused to them. SQL Server says the same of
// one that is not there; so the user asks it in another session, in the database "master", what it is. Parameters:
// those of Server (server.hpp), `password` as said. Observation: that of observe.hpp, and "elsewhere" where that was
// asked: that of observe.hpp and "database": {"access": "0", "status": "ONLINE"}, empty for NULL. Reasons of failure:
// wrong-password-accepted, refused-for-another-reason; with a password login-accepted, password-refused; those of
// step_judge.hpp with the step connect.
[[nodiscard]] const Check& login_refused();

// Kind "database.denied": a user who can log in has no right to a query (SQLSTATE 42501, or 42000 for servers that
// know no finer one; of SQL Server by number: 229, 230, 262, 297, 300, 916, 15247). Parameters: those of Server, and
//   query   runs inside a transaction that is rolled back, should the server allow it
// Observation: that of observe.hpp. Reasons of failure: query-allowed, refused-for-another-reason; those of
// step_judge.hpp with the steps connect, begin.
[[nodiscard]] const Check& denied();

}  // namespace patchlab::checks::database
