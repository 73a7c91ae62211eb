// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "lab/core/result.hpp"

// Questions about paths that people wrote. std::filesystem throws when a name is too long, links lead in a circle or a
// folder may not be entered; here that is an answer.
namespace patchlab {

// Something is there that can be looked at, links followed.
[[nodiscard]] bool is_there(const std::filesystem::path& path);
[[nodiscard]] bool is_folder(const std::filesystem::path& path);
[[nodiscard]] bool is_file(const std::filesystem::path& path);  // a regular one

// From the folder that we are in. An error for an empty path, and for one with a NUL in it.
[[nodiscard]] Result<std::filesystem::path> absolute_path(const std::filesystem::path& path);
// The same with "..", "." and links resolved, as far as there is something.
[[nodiscard]] Result<std::filesystem::path> resolved_path(const std::filesystem::path& path);

// What lies in a folder, sorted by name. The error says why it cannot be read: configuration when the path is wrong.
[[nodiscard]] Result<std::vector<std::filesystem::path>> entries_of(const std::filesystem::path& folder);

// Everything below it, folders included, sorted by path. Links are not followed.
[[nodiscard]] Result<std::vector<std::filesystem::path>> entries_below(const std::filesystem::path& folder);
// Of the thing itself, links not followed; `none` when that cannot be said.
[[nodiscard]] std::filesystem::file_status status_of(const std::filesystem::path& path);

// Removes a file, or a folder with all that is in it. Links are removed, never followed.
[[nodiscard]] Result<void> remove_tree(const std::filesystem::path& path);

}  // namespace patchlab
