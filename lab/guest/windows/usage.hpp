// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/result.hpp"
#include "lab/core/usage.hpp"

namespace patchlab::lab::guest::windows {

struct UsageReplies {
  std::string memory;     // Command::memory
  std::string pools;      // Command::memory_pools
  std::string processes;  // Command::process_usage
  std::string disks;      // Command::disk_usage
};

// What a machine uses up: memory, the system's pools, and by name of the program memory of its own, threads and
// handles; disks. Programs of one name are one, as most services are in "svchost.exe".
[[nodiscard]] Result<Usage> usage_from(const UsageReplies& replies);

}  // namespace patchlab::lab::guest::windows
