// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/store/scratch_folder.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "lab/core/files.hpp"

namespace patchlab::patches {
namespace {

void remove_old_leftovers(const std::filesystem::path& parent) {
  std::error_code ignored;
  const auto yesterday = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24);
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    const auto written = entry.last_write_time(ignored);
    if (!ignored && written < yesterday) std::filesystem::remove_all(entry.path(), ignored);
  }
}

}  // namespace

Result<ScratchFolder> ScratchFolder::create(const std::filesystem::path& parent) {
  PATCHLAB_TRY(create_folders(parent));
  remove_old_leftovers(parent);
  std::string pattern = (parent / "work-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return errno_error("creating a folder in '" + parent.string() + "'", errno);
  return ScratchFolder(std::filesystem::path(pattern));
}

ScratchFolder& ScratchFolder::operator=(ScratchFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace patchlab::patches
