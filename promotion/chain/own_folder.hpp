// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "lab/core/files.hpp"

namespace patchlab::promotion {

// A folder of the stage that only its owner writes, and that is ours or root's: made (with this mode, whatever the
// umask says) when it is missing; folders on the way to it with 0755. What others may write they could exchange between
// our looking and our writing. With Links::refuse a symbolic link is refused too: it leads to a folder that is not the
// stage's.
[[nodiscard]] Result<void> make_own_folder(const std::filesystem::path& folder, Links links, unsigned mode = 0755);

}  // namespace patchlab::promotion
