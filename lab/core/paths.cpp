// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/paths.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "lab/core/files.hpp"

namespace patchlab {
namespace {

namespace fs = std::filesystem;

Error path_error(const char* action, const fs::path& path, const std::error_code& code) {
  return configuration_error(fmt::format("{} '{}': {}", action, path.string(), code.message()),
                             "is the name right? names are taken from the folder you are in");
}

Result<void> check_text(const fs::path& path) {
  if (path.empty()) return configuration_error("an empty path names nothing");
  if (path.native().find('\0') != std::string::npos)
    return configuration_error(fmt::format("the path '{}' has a NUL character in it", path.c_str()));
  return {};
}

std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(::dup(folder)), ::closedir);
  if (!listing) return names;
  while (const auto* entry = ::readdir(listing.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

// Folders without write permission are ours as well: published versions.
Result<void> remove_below(int parent, const std::string& name, const fs::path& shown) {
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return errno_error("removing '" + shown.string() + "'", errno);
  const FileDescriptor folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder.valid()) return errno_error("removing '" + shown.string() + "'", errno);
  static_cast<void>(::fchmod(folder.get(), 0700));
  for (const auto& entry : names_in(folder.get())) PATCHLAB_TRY(remove_below(folder.get(), entry, shown / entry));
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    return errno_error("removing '" + shown.string() + "'", errno);
  return {};
}

}  // namespace

bool is_there(const fs::path& path) {
  std::error_code code;
  return check_text(path).has_value() && fs::exists(path, code);
}
bool is_folder(const fs::path& path) {
  std::error_code code;
  return check_text(path).has_value() && fs::is_directory(path, code);
}
bool is_file(const fs::path& path) {
  std::error_code code;
  return check_text(path).has_value() && fs::is_regular_file(path, code);
}

Result<fs::path> absolute_path(const fs::path& path) {
  PATCHLAB_TRY(check_text(path));
  std::error_code code;
  auto absolute = fs::absolute(path, code);
  if (code) return path_error("finding", path, code);
  return absolute;
}

Result<fs::path> resolved_path(const fs::path& path) {
  PATCHLAB_TRY(check_text(path));
  std::error_code code;
  auto resolved = fs::weakly_canonical(path, code);
  if (code) return path_error("finding", path, code);
  return resolved;
}

Result<std::vector<fs::path>> entries_of(const fs::path& folder) {
  PATCHLAB_TRY(check_text(folder));
  std::vector<fs::path> entries;
  std::error_code code;
  for (auto at = fs::directory_iterator(folder, code); !code && at != fs::directory_iterator(); at.increment(code))
    entries.push_back(at->path());
  if (code) return path_error("reading the folder", folder, code);
  std::ranges::sort(entries);
  return entries;
}

Result<std::vector<fs::path>> entries_below(const fs::path& folder) {
  PATCHLAB_TRY(check_text(folder));
  std::vector<fs::path> entries;
  std::error_code code;
  for (auto at = fs::recursive_directory_iterator(folder, code); !code && at != fs::recursive_directory_iterator();
       at.increment(code))
    entries.push_back(at->path());
  if (code) return path_error("reading the folder", folder, code);
  std::ranges::sort(entries);
  return entries;
}

fs::file_status status_of(const fs::path& path) {
  std::error_code code;
  return fs::symlink_status(path, code);
}

Result<void> remove_tree(const fs::path& path) {
  PATCHLAB_TRY(check_text(path));
  return remove_below(AT_FDCWD, path.string(), path);
}

}  // namespace patchlab
