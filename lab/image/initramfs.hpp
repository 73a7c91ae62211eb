// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::lab::image {

// A cpio archive in the "newc" format, the one the kernel unpacks
// (Documentation/driver-api/early-userspace/buffer-format). Every entry belongs to root and has time 0, so the same
// input gives the same bytes.
class CpioArchive {
 public:
  void add_folder(const std::string& path);
  void add_file(const std::string& path, std::string_view content, bool executable);
  // The archive with its trailer; nothing may be added afterwards.
  [[nodiscard]] std::string finish() &&;

 private:
  void add(const std::string& path, unsigned mode, std::string_view content);
  std::string bytes_;
  unsigned next_inode_ = 1;
};

// busybox, /init, and the modules with /modules/order. `kernel_files` is the unpacked kernel package; modules are found
// by name.
[[nodiscard]] Result<std::string> make_initramfs(const std::filesystem::path& busybox,
                                                 const std::filesystem::path& init,
                                                 const std::filesystem::path& kernel_files,
                                                 const std::vector<std::string>& modules);

}  // namespace patchlab::lab::image
