// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/printable.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/core/json.hpp"

namespace patchlab {
namespace {

struct Range {
  char32_t first, last;
};
// Unicode: control characters (Cc), what is formatting only (Cf), line and paragraph separator, variation selectors,
// private use (terminals show them as they like), no characters.
constexpr std::array<Range, 24> active{{{0x0000, 0x001f}, {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
                                        {0x0600, 0x0605}, {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
                                        {0x115f, 0x1160}, {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f},
                                        {0x2028, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},   {0xe000, 0xf8ff},
                                        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
                                        {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff}}};

bool is_active(char32_t code) {
  for (const auto& range : active) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

// Of valid UTF-8.
struct Character {
  char32_t code;
  std::size_t bytes;
};
Character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  char32_t code = lead & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = (code << 6U) | (byte(i) & 0x3fU);
  return {code, bytes};
}

std::string escaped(char32_t code) {
  switch (code) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  const auto number = static_cast<std::uint32_t>(code);
  if (number < 0x100) return fmt::format("\\x{:02x}", number);
  return number < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

// RFC 8259 section 7: a surrogate pair beyond the basic plane.
std::string escaped_in_json(char32_t code) {
  const auto number = static_cast<std::uint32_t>(code);
  if (number < 0x10000) return fmt::format("\\u{:04x}", number);
  const auto rest = number - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10U), 0xdc00 + (rest & 0x3ffU));
}

template <class Replace>
std::string replaced(std::string_view bytes, const Replace& replace) {
  const auto text = to_valid_utf8(bytes);
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto [code, count] = character_at(text, at);
    if (is_active(code))
      shown += replace(code);
    else
      shown.append(text, at, count);
    at += count;
  }
  return shown;
}

}  // namespace

std::string printable(std::string_view text) { return replaced(text, escaped); }

std::string printable_lines(std::string_view text) {
  return replaced(text, [](char32_t code) { return code == '\n' ? std::string("\n") : escaped(code); });
}

std::string printable_json(std::string_view json) {
  return replaced(json, [](char32_t code) { return code == '\n' ? std::string("\n") : escaped_in_json(code); });
}

std::string printable_beyond_ascii(std::string_view text) {
  return replaced(text,
                  [](char32_t code) { return code < 0x7f ? std::string(1, static_cast<char>(code)) : escaped(code); });
}

}  // namespace patchlab
