// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/result.hpp"

namespace patchlab {

// SHA-1 as 40 lower-case hex digits, read in blocks. It proves nothing: update servers of Windows know files by it, and
// nothing else is to use it.
[[nodiscard]] Result<std::string> sha1_of_file(const std::filesystem::path& path);

}  // namespace patchlab
