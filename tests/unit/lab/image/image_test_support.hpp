// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace patchlab::lab::image::testing {

// A folder of its own for one test, gone afterwards, also when files in it are read-only.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "patchlab-image-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_, ignored)) {
      if (entry.is_directory()) std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all, ignored);
    }
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::filesystem::path& name, const std::string& text) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline constexpr const char* base_json = R"({
  "schema": "patchlab/image-base/v1", "packages": ["sysvinit-core", "qemu-guest-agent"], "kernel_package": "linux-image-cloud-amd64",
  "initramfs_package": "busybox-static", "modules": ["virtio", "virtio_blk"], "cmdline": "quiet", "disk_mib": 1024})";

inline constexpr const char* dns_json = R"({
  "schema": "patchlab/image-recipe/v1", "role": "dns", "description": "a name server", "packages": ["bind9"], "memory_mib": 256,
  "hostname": "dns1", "address": "10.20.0.10", "services": ["named"], "ready": {"tcp": [53], "udp": [53]},
  "credentials": [{"id": "ann", "user": "ann", "password": "p", "purpose": "tests"}]})";

}  // namespace patchlab::lab::image::testing
