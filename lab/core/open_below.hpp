// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/core/files.hpp"

namespace patchlab {

// A regular file below a folder, opened for reading with no symbolic link anywhere on the way and no way out
// (openat2(2), RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS): what is opened lies in that folder even if somebody exchanges
// its parts meanwhile. The folder itself may be no link either. Errors as of open_input.
[[nodiscard]] Result<InputFile> open_input_below(const std::filesystem::path& folder,
                                                 const std::filesystem::path& relative);

// SHA-256 of what is open, from where it stands to its end; `name` is for the error.
[[nodiscard]] Result<std::string> sha256_of_open(const InputFile& input, const std::string& name);

}  // namespace patchlab
