// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/release.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

struct DebianRelease {
  std::string_view codename;
  int number;
};
constexpr std::array<DebianRelease, 8> debian_releases{{{"jessie", 8},
                                                        {"stretch", 9},
                                                        {"buster", 10},
                                                        {"bullseye", 11},
                                                        {"bookworm", 12},
                                                        {"trixie", 13},
                                                        {"forky", 14},
                                                        {"duke", 15}}};

}  // namespace

std::string release_of(const std::vector<StatusEntry>& status) {
  const auto found = std::ranges::find(status, "base-files", &StatusEntry::package);
  if (found == status.end()) return {};
  const auto& version = found->version;
  const auto digits = version.find_first_not_of("0123456789");
  const auto rest = digits == std::string::npos ? std::string() : version.substr(digits);
  const bool is_debian = digits != 0 && (rest.empty() || rest.front() == '.' || rest.front() == '+') &&
                         rest.find("ubuntu") == std::string::npos;
  return is_debian ? "Debian " + version.substr(0, digits) : "base-files " + version;
}

std::string codename_of(const std::string& release) {
  const auto found = std::ranges::find_if(
      debian_releases, [&](const DebianRelease& one) { return release == fmt::format("Debian {}", one.number); });
  return found == debian_releases.end() ? std::string() : std::string(found->codename);
}

std::map<std::string, std::set<std::string>> releases_in(std::string_view index_targets) {
  std::map<std::string, std::set<std::string>> found;
  while (!index_targets.empty()) {
    const auto line = index_targets.substr(0, index_targets.find('\n'));
    index_targets.remove_prefix(std::min(index_targets.size(), line.size() + 1));
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos || !line.starts_with("Debian")) continue;
    const auto codename = trimmed(line.substr(tab + 1));
    const auto release =
        std::ranges::find(debian_releases, codename.substr(0, codename.find_first_of("-/")), &DebianRelease::codename);
    if (release != debian_releases.end()) found[fmt::format("Debian {}", release->number)].emplace(codename);
  }
  return found;
}

}  // namespace patchlab::patches
