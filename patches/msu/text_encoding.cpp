// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/text_encoding.hpp"

#include <cstdint>

#include "lab/core/json.hpp"

namespace patchlab::patches {
namespace {

enum class ByteOrder { little, big };

constexpr char32_t replacement = 0xfffd;

void append_utf8(std::string& text, char32_t c) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80U | ((c >> shift) & 0x3fU)); };
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xc0U | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    text += static_cast<char>(0xe0U | (c >> 12));
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xf0U | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

char32_t unit_at(std::string_view bytes, std::size_t at, ByteOrder order) {
  const auto first = static_cast<unsigned char>(bytes[at]);
  const auto second = static_cast<unsigned char>(bytes[at + 1]);
  return order == ByteOrder::little ? static_cast<char32_t>(first | (second << 8))
                                    : static_cast<char32_t>(second | (first << 8));
}

bool is_high(char32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(char32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

std::string from_utf16(std::string_view bytes, ByteOrder order) {
  std::string text;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    const auto unit = unit_at(bytes, at, order);
    const auto next = at + 3 < bytes.size() ? unit_at(bytes, at + 2, order) : 0;
    if (is_high(unit) && is_low(next)) {
      append_utf8(text, 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00));
      at += 2;
    } else {
      append_utf8(text, is_high(unit) || is_low(unit) ? replacement : unit);
    }
  }
  return text;
}

}  // namespace

std::string text_as_utf8(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) return to_valid_utf8(bytes.substr(3));
  if (bytes.starts_with("\xff\xfe")) return from_utf16(bytes.substr(2), ByteOrder::little);
  if (bytes.starts_with("\xfe\xff")) return from_utf16(bytes.substr(2), ByteOrder::big);
  // Without a mark: package texts begin with an ASCII character.
  if (bytes.size() >= 2 && bytes[0] != '\0' && bytes[1] == '\0') return from_utf16(bytes, ByteOrder::little);
  if (bytes.size() >= 2 && bytes[0] == '\0' && bytes[1] != '\0') return from_utf16(bytes, ByteOrder::big);
  auto valid = to_valid_utf8(bytes);
  return valid == bytes ? valid : latin1_as_utf8(bytes);
}

std::string utf16_as_utf8(std::string_view bytes) { return from_utf16(bytes, ByteOrder::little); }

std::string latin1_as_utf8(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) append_utf8(text, static_cast<unsigned char>(c));
  return text;
}

}  // namespace patchlab::patches
