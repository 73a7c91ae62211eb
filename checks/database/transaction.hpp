// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// Kind "database.transaction": through ODBC creates a temporary table ("#..." on SQL Server), inserts a row with a
// unique text in a transaction, reads it back, rolls back, and the row must be gone. Parameters: those of Server
// (server.hpp). Observation:
// {"server","version","steps","inserted","seen":[texts],"rows_after_rollback","stopped_at_deadline"}. Reasons of
// failure: those of step_judge.hpp with the steps connect, create, begin, insert, select, rollback, count, drop;
// row-not-seen, row-altered, row-survived-rollback.
[[nodiscard]] const Check& transaction();

}  // namespace patchlab::checks::database
