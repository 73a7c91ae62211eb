// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/bridge_fence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace patchlab::runners::cell {

std::optional<reports::FenceAttempt> bridge_attempt(lab::network::BridgeGuard& guard, const std::string& bridge,
                                                    std::vector<std::string>& troubles) {
  const auto found = guard.look();
  if (!found) {
    troubles.push_back(fmt::format("bridge '{}' cannot be looked at: {}", bridge, found.error().message));
    return std::nullopt;
  }
  return reports::FenceAttempt{
      .phase = {},
      .probe = "bridge",
      .target = bridge,
      .answered = !found->empty(),
      .evidence = found->empty() ? "is as it was laid" : fmt::format("has {}", fmt::join(*found, "; ")),
      .sent = true,
      .control = false,
      .trial = {},
      .device = bridge};
}

}  // namespace patchlab::runners::cell
