// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab {

// One installed package/update as the guest itself lists it.
using InstalledSet = std::map<std::string, std::string>;  // "bind9:amd64" -> "1:9.18.33-1~deb12u2"

// What a patch did not have to touch, in a canonical, sorted, comparable shape; volatile facts (pids, ephemeral ports)
// are left out. Guest adapters collect it, checks/state compares two of them: it lives here so that neither needs the
// other.
struct HostState {
  std::map<std::string, std::string> services;  // name -> "running" | "stopped" | "failed" | "absent" ...
  std::vector<std::string> listeners;           // "tcp 0.0.0.0:25 master", sorted
  std::vector<std::string> addresses;           // "<mac> 10.20.0.14/24", sorted
  std::vector<std::string>
      error_kinds;  // normalised error-level log lines: numbers, times, pids, paths' variable parts taken out
  std::map<std::string, std::string> facts;  // what else the family watches: "firewall DomainProfile" -> "on"
  // What collectors saw, kind by kind: id -> value, both canonical: "account" -> {"root" -> "uid 0, ..."}. Of a kind that
  // stands in `absent_sources` there are none.
  std::map<std::string, std::map<std::string, std::string>> rows;
  // What the guest does not have to tell by: "kernel" -> "there is no dmesg". Nothing above is of these.
  std::map<std::string, std::string> absent_sources;
  bool operator==(const HostState&) const = default;
};
void to_json(Json& json, const HostState& state);

}  // namespace patchlab
