// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/state/state_difference.hpp"
#include "lab/core/json.hpp"

namespace patchlab::checks::state {

// Differences a scenario accepts, as ECMAScript regular expressions that must match a difference's whole item (a
// service's name, a listener's "tcp 0.0.0.0:25 master", a MAC, a normalised log line, a package). In a scenario, under
// "allow":
//   {"services": ["cups-browsed"], "listeners": ["tcp .*:9100 .*"], "error_kinds": [".*certificate will expire.*"],
//    "files": [{"match": "/etc/cups/.*", "why": "the package's script writes the queues anew"}],
//    "findings": [{"kind": "sysctl", "match": "vm\\..*", "why": "tuned by the package for the memory it finds"}]}
// What is found on the whole guest is accepted with a reason only.
struct AllowedFinding {
  std::string kind;  // of a difference: sysctl, account, ...; of files: empty
  std::string match;
  std::string why;
  bool operator==(const AllowedFinding&) const = default;
};
struct Allowances {
  std::vector<std::string> services;
  std::vector<std::string> listeners;
  std::vector<std::string> addresses;
  std::vector<std::string> error_kinds;
  std::vector<std::string> installed;
  std::vector<std::string> facts;
  std::vector<AllowedFinding> files{};  // by absolute path: kinds file, set-uid, capability, acl, world-writable
  std::vector<AllowedFinding> findings{};
  bool operator==(const Allowances&) const = default;

  // An expression that does not compile matches nothing; reading refuses it.
  [[nodiscard]] bool covers(const StateDifference& difference) const;
};

// Strict: unknown keys, wrong types and expressions that do not compile become problems with pointers.
[[nodiscard]] Allowances read_allowances(const Json& json, const std::string& pointer,
                                         std::vector<JsonProblem>& problems);
void to_json(Json& json, const Allowances& allowances);

}  // namespace patchlab::checks::state
