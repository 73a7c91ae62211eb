// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::database {

// Kind "database.connections": a user gets so many sessions at the same time, each of which answers; one more is
// refused because there are too many (told by the server's text, of which drivers make SQLSTATE 08001); and when all
// were closed a session is to be had again. Asked alone: what it uses up others cannot have. Where clients that are
// not of this check have sessions that count as well, their number decides, and it ends in an error. Parameters: those
// of Server (server.hpp), and
//   sessions   2 to 100, what the role, the database or the server allows this user; one of them looks on
// Observation: that of observe.hpp, "sessions": how many answered, "refused": the step that was refused, or null,
// "again": the steps of the session after that, "remained": sessions of this check that were not over then, "others":
// {"before","when full","after": {"user","database","server"}}, sessions that are not of this check: of the same user,
// of the same database, all.
// Reasons of failure: those of step_judge.hpp with the steps connect, query; too-few-sessions, limit-not-kept,
// refused-for-another-reason, not-let-in-again, sessions-remained. Of an error: others-have-sessions.
[[nodiscard]] const Check& connections();

}  // namespace patchlab::checks::database
