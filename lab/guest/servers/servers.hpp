// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/core/host_state.hpp"
#include "lab/core/result.hpp"
#include "lab/guest/servers/collectors.hpp"

// How a Debian guest's servers are asked what they have in force, and what clients are offered in TLS
// (GuestAdapter::servers): by one script, with the means that the guest has. No password, key or hash leaves it.
namespace patchlab::lab::guest::servers {

[[nodiscard]] const std::vector<Collector>& collectors();
// $1: mark of sections, as of scripts::host_state. Prints them packed by gzip where the guest has that; above some
// size only "file <path>".
[[nodiscard]] std::string script();
// `parts_of`: splits what one server says at a mark. The kind "server" tells of each that is there whether it answers;
// kinds of one that does not answer have no rows. An Error: a server was not asked to the end, or is not understood.
[[nodiscard]] Result<HostState> state(const std::map<std::string, std::string>& sections, const std::string& mark,
                                      Parts (*parts_of)(const std::string& text, const std::string& mark));

}  // namespace patchlab::lab::guest::servers
