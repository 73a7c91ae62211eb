// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/shipped_files.hpp"

#include <sstream>

namespace patchlab::patches {
namespace {

char kind_of(EntryType type) {
  switch (type) {
    case EntryType::file:
    case EntryType::hardlink: return 'f';
    case EntryType::folder: return 'd';
    case EntryType::symlink: return 'l';
    case EntryType::other: return 'o';
  }
  return 'o';
}

}  // namespace

Result<ShippedPackage> shipped_files(const std::filesystem::path& deb, const std::string& package,
                                     const DebLimits& limits) {
  PATCHLAB_ASSIGN(const auto layout, read_deb_layout(deb, limits));
  ShippedPackage shipped{.package = package, .files = {}, .conffiles = {}};
  const auto conffiles = [](const TarEntry& entry) {
    return plain_path(entry.path) == "conffiles" ? Content::keep : Content::skip;
  };
  PATCHLAB_TRY(walk_member(deb, layout.control, limits, conffiles, [&](TarEntry&& entry) -> Result<void> {
    if (plain_path(entry.path) != "conffiles" || entry.type != EntryType::file) return {};
    std::istringstream lines(entry.content);
    // "remove-on-upgrade /etc/x": a flag, and a path that the package does not bring (deb-conffiles(5)).
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with('/')) shipped.conffiles.insert(line);
    }
    return {};
  }));
  std::map<std::string, std::string> links;
  const auto digests = [](const TarEntry&) { return Content::digest; };
  PATCHLAB_TRY(walk_member(deb, layout.data, limits, digests, [&](TarEntry&& entry) -> Result<void> {
    const auto path = "/" + plain_path(entry.path);
    if (path == "/") return {};
    if (entry.type == EntryType::hardlink) links[path] = "/" + plain_path(entry.target);
    shipped.files[path] = {.kind = kind_of(entry.type),
                           .mode = entry.mode,
                           .user_id = static_cast<std::uint32_t>(entry.user_id),
                           .group_id = static_cast<std::uint32_t>(entry.group_id),
                           .user = entry.user,
                           .group = entry.group,
                           .target = entry.type == EntryType::symlink ? entry.target : std::string(),
                           .sha256 = entry.type == EntryType::file ? entry.content : std::string()};
    return {};
  }));
  for (const auto& [path, target] : links) {
    if (const auto found = shipped.files.find(target); found != shipped.files.end())
      shipped.files[path] = found->second;
  }
  return shipped;
}

}  // namespace patchlab::patches
