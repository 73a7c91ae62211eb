// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/host_state.hpp"
#include "lab/core/result.hpp"

// What Debian's tools print, read without opinion. Pure: no guest needed.
namespace patchlab::lab::guest::debian {

// Text between lines that start with `mark` and a space; the name is the rest of that line. Sections of one name are joined.
[[nodiscard]] std::map<std::string, std::string> sections(const std::string& text, const std::string& mark);

// dpkg-query's answer in the shape of scripts::installed_format. Removed packages are left out; whatever is not properly installed
// carries its state: "1.2-3 (half-configured)", "1.2-3 (reinst-required)".
[[nodiscard]] Result<InstalledSet> installed_set(const std::string& text);

// ss -H -tulpn -> "tcp 0.0.0.0:25 master", sorted, each once.
[[nodiscard]] std::vector<std::string> listeners(const std::string& text);
// ip -j addr -> "52:54:00:14:00:10 10.20.0.10/24", sorted; and the IPv4 default routes of /proc/net/route -> "default via 10.20.0.1 eth0".
[[nodiscard]] Result<std::vector<std::string>> addresses(const std::string& ip_json, const std::string& route_table);
// "<exit code> <name>" lines of sysvinit's status actions (LSB 3.1: 0 running, 1 and 2 dead but files remain, 3 not running).
[[nodiscard]] std::map<std::string, std::string> script_states(const std::string& text);
// systemctl list-units lines: running, exited and failed units. Those on their way (timers start and end units at any time) are left out.
[[nodiscard]] std::map<std::string, std::string> unit_states(const std::string& text);
// systemctl show's blocks, one for each of `services`, in that order.
[[nodiscard]] std::map<std::string, std::string> asked_unit_states(const std::string& text, const std::vector<std::string>& services);

}  // namespace patchlab::lab::guest::debian
