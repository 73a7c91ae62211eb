// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "lab/core/exit_code.hpp"

namespace patchlab::cli {

// `lab cache`: the states of machines that runs kept (snapshots/store/state_store.hpp).
struct LabCache {
  std::optional<std::uint64_t> most_mib{};    // all of them together; absent: nothing is trimmed for that
  std::optional<std::uint64_t> most_hours{};  // each of them
  bool json = false;
};
[[nodiscard]] ExitCode show_lab_cache(const LabCache& wanted);

}  // namespace patchlab::cli
