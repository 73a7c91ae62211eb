// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>

#include "process/scan/scan.hpp"

// When scans here met a vulnerability first: days to act in are counted from then. A note of the lab's own, one file.
namespace patchlab::process {

// By CVE; by "?" and the item for what an update closes when nobody says what that is.
using FirstNamed = std::map<std::string, Day>;

// Empty when there is no note yet. One that cannot be read is an error: without it every day would begin anew.
[[nodiscard]] Result<FirstNamed> read_first_named(const std::filesystem::path& file);
// Adds those of the result, with their days; a day that is noted never becomes later. Scans exclude each other.
[[nodiscard]] Result<void> note_first_named(const std::filesystem::path& file, const ScanResult& result);

}  // namespace patchlab::process
