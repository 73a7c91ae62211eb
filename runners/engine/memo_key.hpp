// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/json.hpp"

namespace patchlab::runners {

// Under which an answer to a search trial is shared between departments: equal keys, equal inputs. Made of what is sent
// to the cell (the wire form of CellJob and TrialJob), less what is known to decide nothing: so a new field counts
// until somebody says that it does not. Machines that do not take part in the trial do not count.
[[nodiscard]] std::string memo_key(const Json& cell, const Json& trial);

}  // namespace patchlab::runners
