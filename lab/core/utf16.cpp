// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/utf16.hpp"

#include "lab/core/json.hpp"

namespace patchlab {
namespace {

constexpr char32_t replacement = 0xFFFD;

bool is_high(char16_t unit) { return unit >= 0xD800 && unit <= 0xDBFF; }
bool is_low(char16_t unit) { return unit >= 0xDC00 && unit <= 0xDFFF; }
char byte(char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); }

void append_utf8(std::string& text, char32_t point) {
  if (point < 0x80) {
    text += byte(point);
  } else if (point < 0x800) {
    text += {byte(0xC0 | (point >> 6)), byte(0x80 | (point & 0x3F))};
  } else if (point < 0x10000) {
    text += {byte(0xE0 | (point >> 12)), byte(0x80 | ((point >> 6) & 0x3F)), byte(0x80 | (point & 0x3F))};
  } else {
    text += {byte(0xF0 | (point >> 18)), byte(0x80 | ((point >> 12) & 0x3F)), byte(0x80 | ((point >> 6) & 0x3F)),
             byte(0x80 | (point & 0x3F))};
  }
}

}  // namespace

std::u16string to_utf16(std::string_view utf8) {
  const auto valid = to_valid_utf8(utf8);
  std::u16string units;
  for (std::size_t i = 0; i < valid.size();) {
    const auto lead = static_cast<unsigned char>(valid[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t k = 1; k < length; ++k) point = (point << 6) | (static_cast<unsigned char>(valid[i + k]) & 0x3FU);
    if (point < 0x10000) {
      units += static_cast<char16_t>(point);
    } else {
      units += static_cast<char16_t>(0xD800 + ((point - 0x10000) >> 10));
      units += static_cast<char16_t>(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
    i += length;
  }
  return units;
}

std::string to_utf8(std::u16string_view utf16) {
  std::string text;
  for (std::size_t i = 0; i < utf16.size(); ++i) {
    const auto unit = utf16[i];
    if (is_high(unit) && i + 1 < utf16.size() && is_low(utf16[i + 1])) {
      append_utf8(text, 0x10000 + (static_cast<char32_t>(unit - 0xD800) << 10) + (utf16[i + 1] - 0xDC00U));
      ++i;
    } else {
      append_utf8(text, is_high(unit) || is_low(unit) ? replacement : static_cast<char32_t>(unit));
    }
  }
  return text;
}

std::u16string utf16_units(std::string_view bytes, ByteOrder order) {
  std::u16string units;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    units += static_cast<char16_t>(order == ByteOrder::little ? first | (second << 8) : second | (first << 8));
  }
  return units;
}

}  // namespace patchlab
