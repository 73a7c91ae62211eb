// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// Kind "database.isolation": what two sessions of one user see of each other. The first one writes a row with a unique
// text and changes it; the second one
//   - must not see what is not committed;
//   - sees, later in the same transaction, what was committed meanwhile, when its transactions are "read committed" by
//     themselves, and does not when they are "repeatable read" (or "serializable", which cannot be told apart here);
//   - must read the same again in a transaction that it made repeatable read, and must not change there what was
//     changed meanwhile (SQLSTATE 40001);
//   - must not change a row that an open transaction changed: it waits, and is given a second for that, in which the
//     server must say that it waits for the first session; or it is refused because of the lock (55P03); and when the
//     first session has given its change up, it can.
// In the end the row is gone.
// Parameters: those of Server (server.hpp) and of Table (table.hpp), and
//   level          "read committed" (default) or "repeatable read": how sessions of this user begin
//   second_writer  "waits" (default) or "refused"
// Observation: that of observe.hpp, "second": {"steps"}, and what was read: "uncommitted", "committed", "repeatable",
// "repeated", "after" (each [texts]), "texts": what the row was changed to, in order; and "blocked": whether the server
// named the first session as the one that the second writer waited for (pg_blocking_pids); without it nobody saw.
// Reasons of failure: those of step_judge.hpp; dirty-read, commit-not-seen, commit-seen, row-altered,
// read-not-repeatable, stale-write-accepted, lock-ignored, lock-refused, lock-waited, lock-remained,
// refused-for-another-reason, row-survived-delete.
[[nodiscard]] const Check& isolation();

}  // namespace patchlab::checks::database
