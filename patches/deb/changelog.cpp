// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/changelog.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "patches/deb/version.hpp"

namespace patchlab::patches {
namespace {

constexpr std::array<std::string_view, 5> urgencies{"low", "medium", "high", "emergency", "critical"};

std::ptrdiff_t rank_of(std::string_view urgency) {
  const auto found = std::find(urgencies.begin(), urgencies.end(), urgency);
  return found == urgencies.end() ? -1 : found - urgencies.begin();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void add_cves(std::string_view line, std::set<std::string>& found) {
  for (auto at = line.find("CVE-"); at != std::string_view::npos; at = line.find("CVE-", at + 4)) {
    auto end = at + 4;
    while (end < line.size() && is_digit(line[end])) ++end;
    if (end != at + 8 || end >= line.size() || line[end] != '-') continue;
    const auto number = ++end;
    while (end < line.size() && is_digit(line[end])) ++end;
    if (end - number >= 4) found.emplace(line.substr(at, end - at));
  }
}

// "bind9 (1:9.18.49-1~deb12u3) bookworm-security; urgency=high"
struct Heading {
  std::string_view version;
  std::string urgency;
};
std::optional<Heading> heading_in(std::string_view line) {
  if (line.empty() || line.front() == ' ' || line.front() == '\t') return std::nullopt;
  const auto open = line.find(" (");
  const auto close = line.find(')', open);
  if (open == std::string_view::npos || close == std::string_view::npos) return std::nullopt;
  Heading heading{line.substr(open + 2, close - open - 2), {}};
  const auto key = line.find("urgency=", close);
  if (key == std::string_view::npos) return heading;
  for (const char c : line.substr(key + 8)) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower < 'a' || lower > 'z') break;
    heading.urgency += lower;
  }
  return heading;
}

}  // namespace

ChangelogFacts changelog_facts(std::string_view changelog, std::string_view installed) {
  std::set<std::string> cves;
  ChangelogFacts facts;
  while (!changelog.empty()) {
    const auto line = changelog.substr(0, changelog.find('\n'));
    changelog.remove_prefix(std::min(changelog.size(), line.size() + 1));
    if (const auto heading = heading_in(line)) {
      if (!installed.empty() && compare_versions(heading->version, installed) <= 0) break;
      if (rank_of(heading->urgency) > rank_of(facts.urgency)) facts.urgency = heading->urgency;
    }
    add_cves(line, cves);
  }
  facts.cves.assign(cves.begin(), cves.end());
  return facts;
}

Result<std::optional<std::string>> changelog_of(const std::filesystem::path& deb, const std::string& package,
                                                const DebLimits& limits) {
  PATCHLAB_ASSIGN(const auto layout, read_deb_layout(deb, limits));
  const std::string folder = "usr/share/doc/" + package + "/";
  std::optional<std::string> debian;
  std::optional<std::string> native;
  const auto wanted = [&](const TarEntry& entry) {
    const auto path = plain_path(entry.path);
    return path == folder + "changelog.Debian.gz" || path == folder + "changelog.gz" ? Content::keep : Content::skip;
  };
  PATCHLAB_TRY(walk_member(deb, layout.data, limits, wanted, [&](TarEntry&& entry) -> Result<void> {
    const auto path = plain_path(entry.path);
    if (entry.type != EntryType::file) return {};
    if (path == folder + "changelog.Debian.gz") debian = std::move(entry.content);
    if (path == folder + "changelog.gz") native = std::move(entry.content);
    return {};
  }));
  const auto& found = debian ? debian : native;
  if (!found) return std::optional<std::string>();
  constexpr std::size_t most = 32U << 20U;
  PATCHLAB_ASSIGN(auto text, unpacked_gzip(*found, most));
  return std::optional(std::move(text));
}

}  // namespace patchlab::patches
