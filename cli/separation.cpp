// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/separation.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>

#include "lab/core/paths.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

std::optional<Hole> hole_at(const fs::path& place, const HostUser& user, bool leads_there) {
  struct stat info {};
  // A link counts as what it leads to where it leads there, and as itself inside.
  if ((leads_there ? ::stat(place.c_str(), &info) : ::lstat(place.c_str(), &info)) != 0) return std::nullopt;
  if (S_ISLNK(info.st_mode)) return std::nullopt;  // who may exchange it is said by its folder
  const auto name = place.string();
  if (info.st_uid == user.id) {
    return Hole{place, fmt::format("belongs to '{}'", user.name),
                "patchlab stage setup gives a stage to the user who promotes"};
  }
  // In a folder with this bit nobody exchanges what is somebody else's.
  const bool sticky = leads_there && S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  const bool by_group = (info.st_mode & S_IWGRP) != 0 && std::ranges::count(user.groups, info.st_gid) > 0;
  if (sticky || (!by_group && (info.st_mode & S_IWOTH) == 0)) return std::nullopt;
  return Hole{place, fmt::format("may be written by '{}' (mode {:04o})", user.name, info.st_mode & 07777U),
              fmt::format("chmod go-w '{}'", name)};
}

}  // namespace

std::optional<HostUser> host_user(const std::string& name) {
  const auto* entry = ::getpwnam(name.c_str());
  if (entry == nullptr) return std::nullopt;
  HostUser user{entry->pw_name, entry->pw_uid, {}};
  int count = 64;
  user.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &count) < 0) {
    user.groups.resize(static_cast<std::size_t>(count));
    static_cast<void>(::getgrouplist(name.c_str(), entry->pw_gid, user.groups.data(), &count));
  }
  user.groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return user;
}

std::string name_of_user(uid_t id) {
  const auto* entry = ::getpwuid(id);
  return entry == nullptr ? fmt::format("uid {}", id) : std::string(entry->pw_name);
}

std::vector<Hole> ways_to_write(const fs::path& path, const HostUser& user) {
  std::vector<Hole> holes;
  const auto look = [&](const fs::path& place, bool leads_there) {
    if (auto hole = hole_at(place, user, leads_there)) holes.push_back(std::move(*hole));
  };
  // What is not there yet is made by who owns what leads there.
  for (auto place = path.parent_path();; place = place.parent_path()) {
    look(place, true);
    if (place == place.parent_path()) break;
  }
  look(path, false);
  if (!is_folder(path)) return holes;
  // Also a file whose folder is not theirs: who owns one can change its mode, and then its bytes.
  for (const auto& entry : entries_below(path).value_or({})) look(entry, false);
  return holes;
}

}  // namespace patchlab::cli
