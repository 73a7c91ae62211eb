// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>

#include "lab/core/result.hpp"

namespace patchlab {

// A new folder, whole or not at all: `fill` puts things into a folder beside it, which then becomes `path` by one
// rename; what is left of it after an error is removed. An error (configuration) when something is there already.
[[nodiscard]] Result<void> make_folder_whole(const std::filesystem::path& path,
                                             const std::function<Result<void>(const std::filesystem::path&)>& fill);

}  // namespace patchlab
