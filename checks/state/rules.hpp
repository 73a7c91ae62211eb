// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/state/state_difference.hpp"

namespace patchlab::checks::state {

// One row of the table that says what a change means which nothing explains. All five columns are patterns of shells
// (fnmatch(3) without flags: '*' goes over slashes and line ends) for the whole text: "" is "was not there" or "is
// gone", "?*" is "there is something", "*" is anything. The first row that fits counts. docs/what-changed.md is printed
// from this table.
struct Rule {
  const char* kind;
  const char* item;
  const char* before;
  const char* after;
  const char* diff;  // of the difference's unified diff: "*\n+PermitRootLogin yes*"
  FindingClass finding;
  const char* why;  // in words, for the report
};

// In the order in which they are asked: those of Debian hosts, of Windows hosts, of what the roles' servers say of
// themselves.
[[nodiscard]] const std::vector<Rule>& rules();
// Those of Windows hosts (checks/state/windows_rules.cpp).
[[nodiscard]] const std::vector<Rule>& windows_rules();
// The rows that the collectors of roles bring (checks/state/role_rules.cpp).
[[nodiscard]] const std::vector<Rule>& role_rules();

// The first row that fits; nullptr: no row names it, and it keeps the class that its kind always had, which is breach.
[[nodiscard]] const Rule* rule_for(const StateDifference& difference);
// With class and words of its rule; as it was when there is none.
[[nodiscard]] StateDifference classified(StateDifference difference);

}  // namespace patchlab::checks::state
