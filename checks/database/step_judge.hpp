// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/check.hpp"

namespace patchlab::checks::database {

// The first of these steps that did not work, as a failure; nothing when all did. Reasons:
//   timeout            the server did not answer by the deadline ("stopped_at_deadline" in the observation, or
//                      HYT00/HYT01)
//   deadlock           the server gave the step up, in favour of another session
//   server-not-ready   on connecting, until the deadline: it starts, recovers, or upgrades itself
//   database-not-open  on connecting to SQL Server (4060): the database is not there, not open, or not this user's
//   login-refused      on connecting (complaints.hpp)
//   <step>-failed      anything else, with SQLSTATE and message
// A step missing although none before it failed is an error.
[[nodiscard]] std::optional<Judgement> judge_steps(const std::vector<std::string>& steps, const Json& observation);

// Of a step that is to be refused, and was for a reason that is not the one: "refused-for-another-reason"; "timeout"
// where the deadline had cut the connections, as the server refused nothing then.
[[nodiscard]] std::string refused_or_late(const Json& observation);

// What the server said to one step, for the reader.
[[nodiscard]] std::string told_of(const Json& step);

}  // namespace patchlab::checks::database
