// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "reports/record/record.hpp"

namespace patchlab::cli {

// A run as people name it: its folder, its run.json, or its id below `runs`; "latest" is the newest there.
[[nodiscard]] Result<std::filesystem::path> find_run(const std::string& name,
                                                     const std::filesystem::path& runs);  // its run.json
[[nodiscard]] Result<reports::RunRecord> read_run(const std::string& name, const std::filesystem::path& runs);

}  // namespace patchlab::cli
