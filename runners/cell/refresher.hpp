// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "lab/process/process.hpp"
#include "reports/record/record.hpp"
#include "runners/cell/protocol.hpp"

namespace patchlab::runners::cell {

// New disks for golden images: those of the machines with candidates installed, as <folder>/<machine>.qcow2, which
// stand on nothing.
struct RefreshJob {
  TrialJob trial;                // what is installed where
  std::filesystem::path folder;  // below the cell's evidence
};
void to_json(Json& json, const RefreshJob& job);
[[nodiscard]] RefreshJob refresh_job_from_json(const Json& json);

struct Refreshed {
  reports::TrialRecord made;
  std::map<std::string, std::string> dpkg_status{};  // by machine, of those with a new disk
  // Of a department that starts from the new disks, with all checks; nothing: they were not made.
  std::optional<reports::TrialRecord> baseline;
};
void to_json(Json& json, const Refreshed& refreshed);
[[nodiscard]] Result<Refreshed> refreshed_from_json(const Json& json);

// `disk` with everything that it stands on, as one file.
[[nodiscard]] ProcessSpec flatten_process(const std::filesystem::path& disk, const std::filesystem::path& to);

}  // namespace patchlab::runners::cell
