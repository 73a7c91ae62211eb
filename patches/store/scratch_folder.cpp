// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/store/scratch_folder.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::patches {
namespace {

void remove_old_leftovers(const std::filesystem::path& parent) {
  const auto yesterday = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24);
  for (const auto& entry : entries_of(parent).value_or({})) {
    std::error_code ignored;
    const auto written = std::filesystem::last_write_time(entry, ignored);
    if (!ignored && written < yesterday) static_cast<void>(remove_tree(entry));
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
