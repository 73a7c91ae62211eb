// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/own_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace patchlab::promotion {
namespace {

Error refused(const std::filesystem::path& folder, const std::string& why, std::string hint) {
  return infrastructure_error(fmt::format("'{}' {}: nothing is written into it", folder.string(), why),
                              std::move(hint));
}

Result<void> look_at(const std::filesystem::path& folder, Links links, struct stat& info) {
  const bool seen = (links == Links::follow ? ::stat(folder.c_str(), &info) : ::lstat(folder.c_str(), &info)) == 0;
  if (!seen) return errno_error("looking at '" + folder.string() + "'", errno);
  if (S_ISLNK(info.st_mode)) {
    return refused(folder, "is a symbolic link, where the stage has folders of its own",
                   "look who made it, remove it, then try again");
  }
  if (!S_ISDIR(info.st_mode)) return refused(folder, "is no folder", "move it away, then try again");
  return {};
}

}  // namespace

Result<void> make_own_folder(const std::filesystem::path& folder, Links links, unsigned mode) {
  if (const auto parent = folder.parent_path(); !parent.empty() && ::access(parent.c_str(), F_OK) != 0)
    PATCHLAB_TRY(make_own_folder(parent, Links::follow));
  if (::mkdir(folder.c_str(), mode) == 0) {
    if (::chmod(folder.c_str(), mode) != 0) return errno_error("changing the mode of '" + folder.string() + "'", errno);
  } else if (errno != EEXIST) {
    return errno_error("creating folder '" + folder.string() + "'", errno);
  }
  struct stat info {};
  PATCHLAB_TRY(look_at(folder, links, info));
  if (info.st_uid != ::geteuid() && info.st_uid != 0)
    return refused(folder, fmt::format("belongs to another user (uid {})", info.st_uid), "work as that user");
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return refused(folder, fmt::format("may be written by others (mode {:04o})", info.st_mode & 07777U),
                   fmt::format("chmod go-w '{}'", folder.string()));
  }
  return {};
}

}  // namespace patchlab::promotion
