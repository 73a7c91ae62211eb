// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "lab/core/result.hpp"

// libvirt gives all files that a clone starts from to QEMU's user when it starts it, and takes back only the clone's
// own (of those below, it cannot know who else reads them). So the lab remembers whose they were, in a file that a
// clean-up after a crash finds too.
namespace patchlab::lab::libvirt {

// Writes user and group of the files to `record`. Of a file that one of the earlier records has, it writes what that
// says: another clone of the same golden domain may be running, and the file be given away already. Earlier records
// that are gone or damaged count for nothing.
[[nodiscard]] Result<void> remember_owners(const std::vector<std::filesystem::path>& files,
                                           const std::filesystem::path& record,
                                           const std::vector<std::filesystem::path>& earlier = {});
// Gives them back what `record` says, where it differs. Files that are gone are no error. Goes on after an error and
// returns the first one.
[[nodiscard]] Result<void> restore_owners(const std::filesystem::path& record);

}  // namespace patchlab::lab::libvirt
