// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

// That a unit failed is told by systemd once, and by nobody else: it is written down in the outbox's folder,
// units/*.json, before anybody waits for the lock, and whoever has the lock next tells it.
namespace patchlab::process {

struct FailedUnit {
  std::string unit;        // "patchlab-nightly.service"
  std::string invocation;  // of it, by systemd; of the same one it is written down once
  std::string result;      // "exit-code, exited 7"; empty: not said
  bool operator==(const FailedUnit&) const = default;
};

// Makes the folder when it is missing. Needs no lock: whole or not at all, beside whoever works there.
[[nodiscard]] Result<void> write_down(const std::filesystem::path& outbox, const FailedUnit& unit);

struct FailedUnits {
  std::vector<FailedUnit> units;             // in the order of their files' names
  std::vector<std::filesystem::path> files;  // of these; to be removed when they are told
  std::vector<std::string> broken;           // files that cannot be read, sentences
};
// Empty when there is no folder.
[[nodiscard]] Result<FailedUnits> written_down(const std::filesystem::path& outbox);

}  // namespace patchlab::process
