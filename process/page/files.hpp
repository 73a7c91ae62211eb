// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/core/json.hpp"
#include "process/page/facts.hpp"

// Files that other commands wrote, as values. Errors (configuration) name the file and each place in it: a scan that is
// only half understood would hide what is missing.
namespace patchlab::process::page {

[[nodiscard]] Result<ScanFile> read_scan(const Json& json, const std::string& file_name);
[[nodiscard]] Result<AcquiredFile> read_acquired(const Json& json, const std::string& file_name);

}  // namespace patchlab::process::page
