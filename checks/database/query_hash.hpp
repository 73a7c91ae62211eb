// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// Kind "database.query-hash": a golden query through ODBC whose rows must hash to a recorded value. Parameters: those
// of Server (server.hpp) and
//   query    one SELECT with ORDER BY (results have no order without); values should be cast to text. Or how one would
//   be
//            executed: "EXPLAIN (COSTS OFF) SELECT ...", which SQL Server does not know
//   sha256   of the canonical text of all rows (canonical_rows.hpp). To get it: run the check once with 64 zeros and
//            take "sha256" from the observation after looking at "sample", or use psql and sha256sum as described there
//   rows     how many are expected
//   time_zone  of the session while it asks; without it the server's, in which times with a zone are written as text.
//   Not
//              for SQL Server, whose sessions have none
// The query runs in a transaction that is rolled back.
// Observation: {"server","version","steps","columns","rows","sha256","sample","cut_off","stopped_at_deadline"}.
// Reasons of failure: those of step_judge.hpp with the steps connect, begin, "time zone", query; too-many-rows,
// row-count-differs, hash-differs.
[[nodiscard]] const Check& query_hash();

}  // namespace patchlab::checks::database
