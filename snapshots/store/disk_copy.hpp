// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "lab/core/files.hpp"

namespace patchlab::snapshots {

// A new file (0600) with what is in `from`, which is read from its begin; what was at that path before is removed. The
// two share their blocks where the file system can do that (FICLONE), else holes stay holes. Not synced.
[[nodiscard]] Result<void> copy_disk(const FileDescriptor& from, const std::filesystem::path& to);

}  // namespace patchlab::snapshots
