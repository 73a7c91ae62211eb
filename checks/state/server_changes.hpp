// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/state/state_difference.hpp"
#include "lab/core/host_state.hpp"

namespace patchlab::checks::state {

// What servers say of themselves, compared: `rows` hold the kind "server", by name "answers" or why not, and kinds that
// begin with its name and a hyphen. Of one that did not answer both times that alone is told, and never nothing; where
// it answered neither time, who took the baseline said so. Classified; of one kind no more than a bound, and then what
// is left in one row of the gravest class.
[[nodiscard]] std::vector<StateDifference> compare_servers(HostState before, HostState after);

// Which of them did not answer: "postgresql" -> "does not answer: ...", and what there was nothing to ask with.
[[nodiscard]] std::map<std::string, std::string> servers_not_asked(const HostState& state);

// The folder of a server's configuration by the kind of its rows, "/etc/postfix/"; empty: these are no settings.
[[nodiscard]] std::string folder_of_settings(const std::string& kind);

}  // namespace patchlab::checks::state
