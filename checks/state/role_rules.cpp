// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/rules.hpp"

namespace patchlab::checks::state {

// What servers say of their configuration and what they offer to clients.
const std::vector<Rule>& role_rules() {
  static const std::vector<Rule> table{};
  return table;
}

}  // namespace patchlab::checks::state
