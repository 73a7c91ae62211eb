// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/file_lock.hpp"

namespace patchlab {

// A folder that somebody works in, removed with this object. Beside it lies `<folder>.lock`, taken before the folder is
// made and removed behind it: whenever its holder is killed, what is left can be told from what is in use, and
// remove_abandoned takes it away.
class HeldFolder {
 public:
  // What is above `folder` is made as well. An error when it is there already (infrastructure), or somebody
  // works in it and has not ended after 5 s (timeout).
  [[nodiscard]] static Result<HeldFolder> make(const std::filesystem::path& folder);
  // In `parent`, with a name of its own behind `prefix` and for its owner alone. What is abandoned there under that
  // prefix is removed on the way.
  [[nodiscard]] static Result<HeldFolder> make_in(const std::filesystem::path& parent, const std::string& prefix);
  HeldFolder(HeldFolder&& other) noexcept;
  HeldFolder& operator=(HeldFolder&&) = delete;
  ~HeldFolder();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Leaves it there: nobody works in it any more, and nobody takes it for abandoned.
  void keep();

 private:
  HeldFolder(std::filesystem::path path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  static Result<std::optional<HeldFolder>> try_make(const std::filesystem::path& folder, unsigned mode);

  std::filesystem::path path_;  // empty: moved from, or kept
  std::optional<FileLock> lock_;
};

// Removes what was made by the same user as HeldFolder in `parent` under names that begin with `prefix`, and whose
// holder is gone. Returns the folders that were removed.
std::vector<std::filesystem::path> remove_abandoned(const std::filesystem::path& parent,
                                                    const std::string& prefix = {});

}  // namespace patchlab
