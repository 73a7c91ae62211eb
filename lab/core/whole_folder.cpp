// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/whole_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab {

namespace fs = std::filesystem;

Result<void> make_folder_whole(const fs::path& path, const std::function<Result<void>(const fs::path&)>& fill) {
  PATCHLAB_ASSIGN(const auto place, absolute_path(path));
  const auto target = place.has_filename() ? place : place.parent_path();
  if (status_of(target).type() != fs::file_type::not_found)
    return configuration_error(fmt::format("'{}' is there already", target.string()), "name a folder that is not");
  const auto making = target.parent_path() / fmt::format(".{}.{}", target.filename().string(), ::getpid());
  PATCHLAB_TRY(create_folders(making));
  auto filled = fill(making);
  if (filled) filled = sync_path(making);
  if (filled) {
    std::error_code code;
    fs::rename(making, target, code);
    if (!code) return sync_path(target.parent_path());
    filled = errno_error("renaming to '" + target.string() + "'", code.value());
  }
  static_cast<void>(remove_tree(making));
  return filled;
}

}  // namespace patchlab
