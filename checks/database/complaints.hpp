// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/json.hpp"

// What it means that a step of an OdbcSession did not work. Of PostgreSQL by SQLSTATE, and by text where a connection
// failed: psqlODBC answers each of those with 08001. Of SQL Server by "numbers" (its documentation, "Database engine
// events and errors"): FreeTDS knows a SQLSTATE for few of them, and texts are in the language of the login. All are
// pure.
namespace patchlab::checks::database {

// What is awaited before a connection counts as refused.
enum class WaitFor {
  server,   // that it takes connections
  database  // that it has opened the database as well, of which SQL Server says no more than that it cannot be opened
};
// The server, or the database, has started and says that it is not there yet: while it recovers, or upgrades itself
// behind an update ("script upgrade mode").
[[nodiscard]] bool is_not_ready(const Json& step, WaitFor wait_for);

// A login was refused, for whatever reason it has: the user, the password, where it came from, the database.
[[nodiscard]] bool is_refused_login(const Json& step);
// The password was what was refused, or the user is not known: nobody tells these apart to a stranger.
[[nodiscard]] bool is_wrong_password(const Json& step);
// Neither, but that this account is disabled, locked, has an old password or is of a domain that is not trusted: SQL
// Server says it by numbers of their own.
[[nodiscard]] bool is_about_the_account(const Json& step);
// The user was let in, and the database was not opened for them. PostgreSQL: no right to connect. SQL Server (4060): no
// right, or there is no such database, or it is not open.
[[nodiscard]] bool is_refused_database(const Json& step);
// No right to what a statement asked for.
[[nodiscard]] bool is_missing_right(const Json& step);
// The server gave the statement up, in favour of another session's.
[[nodiscard]] bool is_deadlock(const Json& step);
// Of SQL Server: its database was not opened.
[[nodiscard]] bool is_database_not_open(const Json& step);

}  // namespace patchlab::checks::database
