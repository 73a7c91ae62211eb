// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "lab/core/result.hpp"

// What the program comes with: recipes, candidates, templates.
namespace patchlab::cli {

// The folder that holds `scenarios/` for the program at `program` (absolute): PREFIX/share/patchlab for
// PREFIX/bin/patchlab, or the checkout that it was built in, at most three folders above it. Configuration error, which
// names where it was looked for, when there is neither.
[[nodiscard]] Result<std::filesystem::path> share_folder(const std::filesystem::path& program);

}  // namespace patchlab::cli
