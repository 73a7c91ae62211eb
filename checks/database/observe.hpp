// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "checks/check.hpp"
#include "checks/database/odbc_session.hpp"

namespace patchlab::checks::database {

// What all kinds of database check observe: {"server","version","steps","stopped_at_deadline"}, and what `talk` adds.
// `talk` runs when the connection stands. Its last argument is the deadline of the whole check.
using Talk = std::function<Result<void>(OdbcSession& session, Json& observation, Deadline deadline)>;
[[nodiscard]] Result<Observation> observe_server(const Target& target, const Server& server, Milliseconds limit,
                                                 const Talk& talk, WaitFor wait_for = WaitFor::database);

// The first value of each row, null for NULL.
[[nodiscard]] Json first_column(const Rows& rows);

}  // namespace patchlab::checks::database
