// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// What a server must refuse: a patch that opens it is as bad as one that closes it.

// Kind "database.login-refused": a login with a password made up for this try must be refused, in words that say so
// (SQLSTATE class 28). Any other trouble is a failure of its own. A server that locks accounts counts the try.
// With a `password`, which is the user's, it is the database that must be refused to them.
// Parameters: those of Server (server.hpp), `password` as said. Observation: that of observe.hpp.
// Reasons of failure: wrong-password-accepted; with a password login-accepted, password-refused; those of
// step_judge.hpp with the step connect.
[[nodiscard]] const Check& login_refused();

// Kind "database.denied": a user who can log in has no right to a query (SQLSTATE 42501, or 42000 for servers that
// know no finer one). Parameters: those of Server, and
//   query   runs inside a transaction that is rolled back, should the server allow it
// Observation: that of observe.hpp. Reasons of failure: query-allowed, refused-for-another-reason; those of
// step_judge.hpp with the steps connect, begin.
[[nodiscard]] const Check& denied();

}  // namespace patchlab::checks::database
