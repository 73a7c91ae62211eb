// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/apt_output.hpp"

#include <fmt/format.h>

#include <charconv>

#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"
#include "patches/deb/version.hpp"

namespace patchlab::patches {
namespace {

// Takes what stands between `open` and `close` at the beginning of the text; empty when there is nothing of the kind.
std::string_view take_bracketed(std::string_view& text, char open, char close) {
  if (!text.starts_with(open)) return {};
  const auto end = text.find(close);
  if (end == std::string_view::npos) return {};
  const auto inner = text.substr(1, end - 1);
  text.remove_prefix(end + 1);
  while (text.starts_with(' ')) text.remove_prefix(1);
  return inner;
}

Result<AptUpdate> parse_install_line(std::string_view line) {
  const auto unknown = [&] {
    return infrastructure_error(fmt::format("apt-get printed a line that is not understood: '{}'", line));
  };
  std::string_view rest = line.substr(5);  // after "Inst "
  const auto space = rest.find(' ');
  if (space == std::string_view::npos) return unknown();
  AptUpdate update;
  const auto name = rest.substr(0, space);
  update.package = std::string(name.substr(0, name.find(':')));
  rest.remove_prefix(space + 1);
  update.before = std::string(take_bracketed(rest, '[', ']'));
  std::string_view offer = take_bracketed(rest, '(', ')');
  const auto after_version = offer.find(' ');
  const auto bracket = offer.rfind('[');
  if (after_version == std::string_view::npos || bracket == std::string_view::npos || !offer.ends_with(']'))
    return unknown();
  update.after = std::string(offer.substr(0, after_version));
  update.architecture = std::string(offer.substr(bracket + 1, offer.size() - bracket - 2));
  if (bracket > after_version + 1)
    update.origin = std::string(offer.substr(after_version + 1, bracket - after_version - 2));
  if (!is_package_name(update.package) || !is_architecture(update.architecture)) return unknown();
  return update;
}

}  // namespace

Result<std::vector<AptUpdate>> parse_simulation(std::string_view text) {
  std::vector<AptUpdate> updates;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with("Inst ")) continue;
    PATCHLAB_ASSIGN(auto update, parse_install_line(line));
    updates.push_back(std::move(update));
  }
  return updates;
}

std::vector<AptRemoval> parse_removals(std::string_view text) {
  std::vector<AptRemoval> removals;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with("Remv ") && !line.starts_with("Purg ")) continue;
    line.remove_prefix(5);
    const auto name = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), name.size() + 1));
    const auto colon = name.find(':');
    removals.push_back({std::string(name.substr(0, colon)), std::string(take_bracketed(line, '[', ']')),
                        colon == std::string_view::npos ? "" : std::string(name.substr(colon + 1))});
  }
  return removals;
}

std::vector<std::string> parse_kept_back(std::string_view text) {
  std::vector<std::string> names;
  bool listed = false;
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with("  ")) {
      listed = line.find("have been kept back") != std::string_view::npos ||
               line.find("deferred due to phasing") != std::string_view::npos;
      continue;
    }
    while (listed && !line.empty()) {
      const auto word = line.substr(0, line.find(' '));
      if (!word.empty()) names.emplace_back(word);
      line.remove_prefix(std::min(line.size(), word.size() + 1));
    }
  }
  return names;
}

std::vector<AptPolicy> parse_policy(std::string_view text) {
  std::vector<AptPolicy> all;
  const auto value_in = [](std::string_view line, std::string_view key) {
    const auto value = trimmed(line.substr(line.find(key) + key.size()));
    return value == "(none)" ? std::string() : std::string(value);
  };
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) continue;
    if (line.front() != ' ') {
      all.push_back({std::string(line.substr(0, line.find(':'))), {}, {}, {}});
    } else if (all.empty()) {
      continue;
    } else if (line.starts_with("  Installed:")) {
      all.back().installed = value_in(line, "Installed:");
    } else if (line.starts_with("  Candidate:")) {
      all.back().candidate = value_in(line, "Candidate:");
    } else if ((line.starts_with("     ") || line.starts_with(" *** ")) && line.size() > 5 && line[5] != ' ') {
      const auto rest = line.substr(5);
      const auto space = rest.find(' ');
      if (space == std::string_view::npos) continue;
      AptPolicy::Version version{std::string(rest.substr(0, space)), 0};
      const auto number = trimmed(rest.substr(space + 1));
      std::from_chars(number.data(), number.data() + number.size(), version.priority);
      all.back().versions.push_back(std::move(version));
    }
  }
  return all;
}

std::string pinned_away(const AptPolicy& policy) {
  std::string newest;
  for (const auto& [version, priority] : policy.versions) {
    if (priority >= 0 && priority < 500) continue;
    if (policy.installed.empty() || compare_versions(version, policy.installed) <= 0) continue;
    if (!policy.candidate.empty() && compare_versions(version, policy.candidate) <= 0) continue;
    if (newest.empty() || compare_versions(version, newest) > 0) newest = version;
  }
  return newest;
}

bool is_security_origin(std::string_view origin) {
  return origin.find("Security:") != std::string_view::npos || origin.find("-security") != std::string_view::npos;
}

Result<std::vector<AptPackage>> parse_show(std::string_view text) {
  PATCHLAB_ASSIGN(const auto stanzas, parse_control(text));
  std::vector<AptPackage> packages;
  for (const auto& stanza : stanzas) {
    AptPackage package{field(stanza, "Package"),
                       field(stanza, "Version"),
                       field(stanza, "Architecture"),
                       source_of(stanza),
                       field(stanza, "Depends"),
                       field(stanza, "Pre-Depends"),
                       field(stanza, "SHA256"),
                       0,
                       stanza};
    const std::string size = field(stanza, "Size");
    std::from_chars(size.data(), size.data() + size.size(), package.bytes);
    // An installed version shows up without a file: it is no offer.
    if (is_sha256(package.sha256)) packages.push_back(std::move(package));
  }
  return packages;
}

}  // namespace patchlab::patches
