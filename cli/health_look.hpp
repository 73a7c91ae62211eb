// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "cli/feeds_argument.hpp"
#include "process/health/health.hpp"

namespace patchlab::cli {

struct HealthQuestion {
  std::filesystem::path stage = "production";
  FeedsArgument feeds;
  int warning_h = 26;
  int critical_h = 50;
  int free_gib = 20;
};
// The night, the feeds, the disk. What cannot be looked at is unknown.
[[nodiscard]] std::vector<process::HealthFact> health_of(const HealthQuestion& question);

}  // namespace patchlab::cli
