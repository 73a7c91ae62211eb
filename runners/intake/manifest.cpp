// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/intake/manifest.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <set>

#include "lab/core/text.hpp"
#include "runners/intake/ovf.hpp"

namespace patchlab::runners::intake {
namespace {

struct KindOfDigest {
  const char* word;
  DigestKind kind;
  std::size_t digits;
};
constexpr std::array<KindOfDigest, 3> kinds{
    {{"SHA1", DigestKind::sha1, 40}, {"SHA256", DigestKind::sha256, 64}, {"SHA512", DigestKind::sha512, 128}}};

// Nothing when it is no line of a manifest.
std::optional<ManifestLine> line_in(std::string_view text) {
  const auto open = text.find('(');
  // Names may hold brackets: the last one closes.
  const auto close = text.rfind(')');
  const auto equals = text.rfind('=');
  if (open == std::string_view::npos || close == std::string_view::npos || equals == std::string_view::npos ||
      close < open || equals < close || !trimmed(text.substr(close + 1, equals - close - 1)).empty())
    return std::nullopt;
  const auto word = trimmed(text.substr(0, open));
  for (const auto& kind : kinds) {
    if (word != kind.word) continue;
    ManifestLine line{kind.kind, std::string(text.substr(open + 1, close - open - 1)),
                      lower_case(trimmed(text.substr(equals + 1)))};
    if (line.digest.size() != kind.digits || line.digest.find_first_not_of("0123456789abcdef") != std::string::npos ||
        !is_package_name(line.file))
      return std::nullopt;
    return line;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<ManifestLine>> read_manifest(std::string_view text, const std::string& name) {
  std::vector<ManifestLine> lines;
  std::set<std::string> files;
  std::size_t number = 0;
  for (const auto part : split(text, '\n')) {
    ++number;
    if (trimmed(part).empty()) continue;
    auto line = line_in(part);
    if (!line)
      return configuration_error(
          fmt::format("'{}', line {}: '{}' is no digest of a file, such as 'SHA256(disk1.vmdk)= ...'", name, number,
                      part.substr(0, 80)),
          "export the machine anew");
    if (!files.insert(line->file).second)
      return configuration_error(fmt::format("'{}', line {}: names '{}' a second time", name, number, line->file));
    lines.push_back(std::move(*line));
  }
  if (lines.empty()) return configuration_error(fmt::format("'{}' names no file", name), "export the machine anew");
  return lines;
}

}  // namespace patchlab::runners::intake
