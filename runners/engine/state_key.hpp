// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/json.hpp"

namespace patchlab::runners {

// Under which the baseline of a department is kept: equal keys, equal machines in an equal department, made in the same
// way. Made of what is sent to the cell (the wire form of CellJob), less what is known to decide nothing, and of what
// made it (the program, the hypervisor, the host). So a new field counts until somebody says that it does not.
[[nodiscard]] std::string state_key(const Json& cell, const std::string& made_by);

}  // namespace patchlab::runners
