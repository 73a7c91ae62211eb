// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/network/bridge_guard.hpp"
#include "reports/record/record.hpp"

namespace patchlab::runners::cell {

// What the guard of a lab's bridge sees now, as an attempt named "bridge" without phase and trial. Nothing, and a
// trouble: it could not be seen.
[[nodiscard]] std::optional<reports::FenceAttempt> bridge_attempt(lab::network::BridgeGuard& guard,
                                                                  const std::string& bridge,
                                                                  std::vector<std::string>& troubles);

}  // namespace patchlab::runners::cell
