// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msi/summary_information.hpp"

#include <fmt/format.h>

#include "lab/core/json.hpp"
#include "patches/bytes/byte_source.hpp"
#include "patches/msu/text_encoding.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t header_bytes = 48;  // up to and with the offset of the first section
constexpr std::uint32_t text_type = 30;   // VT_LPSTR
constexpr std::size_t most_properties = 200;

std::string text_at(std::string_view section, std::size_t at) {
  const std::size_t bytes = u32_at(section, at + 4);
  if (at + 8 > section.size()) return {};
  auto text = section.substr(at + 8, bytes);  // substr cuts what reaches beyond the end
  text = text.substr(0, text.find('\0'));
  const auto valid = to_valid_utf8(text);
  return valid == text ? valid : latin1_as_utf8(text);
}

}  // namespace

Result<SummaryInformation> parse_summary_information(std::string_view bytes, const std::string& name) {
  const auto damaged = [&] {
    return configuration_error(fmt::format("'{}': its summary information is damaged", name));
  };
  if (bytes.size() < header_bytes || u16_at(bytes, 0) != 0xfffe) return damaged();
  const std::size_t start = u32_at(bytes, 44);
  if (start < header_bytes || start + 8 > bytes.size()) return damaged();
  const auto section = bytes.substr(start);
  const std::size_t count = u32_at(section, 4);
  if (count > most_properties || 8 + count * 8 > section.size()) return damaged();
  SummaryInformation summary;
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = u32_at(section, 8 + i * 8);
    const std::size_t at = u32_at(section, 12 + i * 8);
    if (at + 4 > section.size()) return damaged();
    if (u32_at(section, at) == text_type) summary.emplace(number, text_at(section, at));
  }
  return summary;
}

std::string summary_text(const SummaryInformation& summary, SummaryProperty wanted) {
  const auto found = summary.find(static_cast<std::uint32_t>(wanted));
  return found == summary.end() ? std::string() : found->second;
}

}  // namespace patchlab::patches
