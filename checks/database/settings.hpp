// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// Kind "database.settings": what a user's session begins with: what the server's files, the database and the role came
// to together. By "reset_val" of pg_settings, since a driver changes some in its session (psqlODBC's own patience is
// statement_timeout); what it says while it connects shows nevertheless (psqlODBC: client_encoding, DateStyle in ISO).
// Of SQL Server what the whole instance goes by: "value_in_use" of sys.configurations, which every login may read.
// Parameters: those of Server (server.hpp) and
//   settings  {"fsync": "on", "lock_timeout": "0 ms", ...}: names and values with their unit, at least one
// Observation: that of observe.hpp and "settings": {name: value, only those that the server knows, and shows this
// user}. Reasons of failure: those of step_judge.hpp with the steps connect, query; settings-differ.
[[nodiscard]] const Check& settings();

}  // namespace patchlab::checks::database
