// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/check.hpp"

namespace patchlab::checks {

// All kinds built into this binary, sorted by kind; never null.
[[nodiscard]] const std::vector<const Check*>& all_checks();
// Null when there is no such kind.
[[nodiscard]] const Check* find_check(const std::string& kind);

}  // namespace patchlab::checks
