// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "checks/check.hpp"
#include "lab/core/result.hpp"

// What others than this lab's checks would have seen of the same faults at the same moments: plugins of a monitoring, a
// bare probe of ports. They are checks of kind `command`, as data (scenarios/faults/beside), and decide nothing.
namespace patchlab::runners {

// By the role of the machine: checks with ids "SET/NAME", sorted by set.
using Beside = std::map<std::string, std::vector<checks::CheckSpec>>;

// `folder`: ROLE.json for each role of machines {"SET": [{"id", "kind", "with", "timeout_s"}, ...], ...}; other files
// are programs. All problems in one error.
[[nodiscard]] Result<Beside> read_beside(const std::filesystem::path& folder);

}  // namespace patchlab::runners
