// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// Kind "database.write": inserts a row with a unique text into a table of the site's and commits; a second connection
// must see it; it is deleted again and gone. Shows what a temporary table cannot: rights on tables, read-only servers,
// full table spaces, triggers and constraints that a patch broke. Parameters: those of Server (server.hpp), and
//   table    name, also "schema.table"; every other column of it must have a default
//   column   name of a column for 60 characters of text
// Observation: that of observe.hpp with the writer's steps, "inserted", "second": {"steps","seen":[texts]} and
// "rows_after_delete". Reasons of failure: those of step_judge.hpp with the writer's steps connect, insert, delete,
// count and the second connection's connect, select; row-not-seen, row-altered, row-survived-delete.
[[nodiscard]] const Check& write();

}  // namespace patchlab::checks::database
