// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/apt_output.hpp"

#include <fmt/format.h>

#include <charconv>

#include "lab/core/digest.hpp"

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

bool is_security_origin(std::string_view origin) {
  return origin.find("Security:") != std::string_view::npos || origin.find("-security") != std::string_view::npos;
}

Result<std::vector<AptPackage>> parse_show(std::string_view text) {
  PATCHLAB_ASSIGN(const auto stanzas, parse_control(text));
  std::vector<AptPackage> packages;
  for (const auto& stanza : stanzas) {
    AptPackage package{
        field(stanza, "Package"), field(stanza, "Version"),     field(stanza, "Architecture"), source_of(stanza),
        field(stanza, "Depends"), field(stanza, "Pre-Depends"), field(stanza, "SHA256"),       0};
    const std::string size = field(stanza, "Size");
    std::from_chars(size.data(), size.data() + size.size(), package.bytes);
    // An installed version shows up without a file: it is no offer.
    if (is_sha256(package.sha256)) packages.push_back(std::move(package));
  }
  return packages;
}

}  // namespace patchlab::patches
