// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/package_properties.hpp"

#include "lab/core/text.hpp"
#include "patches/msu/text_encoding.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t most_properties = 200;

}  // namespace

PackageProperties parse_package_properties(std::string_view bytes) {
  const std::string text = text_as_utf8(bytes);
  PackageProperties properties;
  for (std::string_view rest = text; !rest.empty() && properties.size() < most_properties;) {
    const auto end = rest.find('\n');
    const auto line = trimmed(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    auto value = trimmed(line.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    properties.emplace(lower_case(trimmed(line.substr(0, equals))), value);
  }
  return properties;
}

std::string property(const PackageProperties& properties, const std::string& key) {
  const auto found = properties.find(key);
  return found == properties.end() ? std::string() : found->second;
}

}  // namespace patchlab::patches
