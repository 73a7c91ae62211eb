// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/held_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <utility>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view lock_ending = ".lock";
// Who looks for abandoned ones has each lock for a moment.
constexpr Milliseconds until_they_have_looked{5000};
constexpr int most_names = 100;

fs::path lock_of(fs::path folder) { return folder += lock_ending; }

bool is_ours(const fs::path& path, mode_t kind) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == kind && status.st_uid == ::geteuid();
}

}  // namespace

// Nothing: there is something of that name.
Result<std::optional<HeldFolder>> HeldFolder::try_make(const fs::path& folder, unsigned mode) {
  PATCHLAB_ASSIGN(auto lock,
                  FileLock::take(lock_of(folder), FileLock::Mode::exclusive, {.limit = until_they_have_looked}));
  if (::mkdir(folder.c_str(), mode) == 0) return std::optional(HeldFolder(folder, std::move(lock)));
  const auto trouble = errno;
  ::unlink(lock_of(folder).c_str());
  if (trouble == EEXIST) return std::optional<HeldFolder>();
  return errno_error(fmt::format("making the folder '{}'", folder.string()), trouble);
}

Result<HeldFolder> HeldFolder::make(const fs::path& folder) {
  PATCHLAB_TRY(create_folders(folder.parent_path()));
  PATCHLAB_ASSIGN(auto made, try_make(folder, 0777));
  if (!made) {
    return infrastructure_error(fmt::format("there is a '{}' already, and nobody works in it", folder.string()),
                                "look what is in it, then remove it");
  }
  return std::move(*made);
}

Result<HeldFolder> HeldFolder::make_in(const fs::path& parent, const std::string& prefix) {
  PATCHLAB_TRY(create_folders(parent));
  remove_abandoned(parent, prefix);
  std::random_device random;
  for (int tries = 0; tries < most_names; ++tries) {
    PATCHLAB_ASSIGN(auto made, try_make(parent / fmt::format("{}{:08x}", prefix, random()), 0700));
    if (made) return std::move(*made);
  }
  return infrastructure_error(fmt::format("no name is free for a folder in '{}'", parent.string()));
}

HeldFolder::HeldFolder(HeldFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}

// The lock last: killed in between, what is left has one.
HeldFolder::~HeldFolder() {
  if (path_.empty()) return;
  if (remove_tree(path_)) ::unlink(lock_of(path_).c_str());
}

void HeldFolder::keep() {
  ::unlink(lock_of(path_).c_str());
  lock_.reset();
  path_.clear();
}

std::vector<fs::path> remove_abandoned(const fs::path& parent, const std::string& prefix) {
  std::vector<fs::path> removed;
  for (const auto& entry : entries_of(parent).value_or({})) {
    const auto name = entry.filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(lock_ending) || !is_ours(entry, S_IFREG)) continue;
    const auto lock = FileLock::try_take(entry, FileLock::Mode::exclusive);
    if (!lock || !*lock) continue;
    const auto folder = parent / name.substr(0, name.size() - lock_ending.size());
    if (is_ours(folder, S_IFDIR)) {
      if (!remove_tree(folder)) continue;
      removed.push_back(folder);
    }
    ::unlink(entry.c_str());
  }
  return removed;
}

}  // namespace patchlab
