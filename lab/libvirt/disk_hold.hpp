// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "lab/core/files.hpp"

namespace patchlab::lab::libvirt {

// Keeps QEMU from opening files for writing as long as this lives, so that nobody starts a golden domain meanwhile. It
// is the lock that QEMU itself holds on the disks below a running clone (block/file-posix.c: byte 200 and up say what
// is not shared with others, byte 100 and up what is in use; bit 1 is writing). Other programs are not stopped by it.
class DiskHold {
 public:
  // A configuration error when a QEMU writes to one of them.
  [[nodiscard]] static Result<DiskHold> take(const std::vector<std::filesystem::path>& files);

 private:
  std::vector<FileDescriptor> files_;
};

}  // namespace patchlab::lab::libvirt
