// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/text_encoding.hpp"

#include "lab/core/json.hpp"
#include "lab/core/utf16.hpp"

namespace patchlab::patches {

std::string text_as_utf8(std::string_view bytes) {
  if (bytes.starts_with("\xef\xbb\xbf")) return to_valid_utf8(bytes.substr(3));
  if (bytes.starts_with("\xff\xfe")) return to_utf8(utf16_units(bytes.substr(2), ByteOrder::little));
  if (bytes.starts_with("\xfe\xff")) return to_utf8(utf16_units(bytes.substr(2), ByteOrder::big));
  // Without a mark: package texts begin with an ASCII character.
  if (bytes.size() >= 2 && bytes[0] != '\0' && bytes[1] == '\0') return utf16_as_utf8(bytes);
  if (bytes.size() >= 2 && bytes[0] == '\0' && bytes[1] != '\0') return to_utf8(utf16_units(bytes, ByteOrder::big));
  auto valid = to_valid_utf8(bytes);
  return valid == bytes ? valid : latin1_as_utf8(bytes);
}

std::string utf16_as_utf8(std::string_view bytes) { return to_utf8(utf16_units(bytes)); }

// Latin-1 is the first 256 characters of Unicode.
std::string latin1_as_utf8(std::string_view bytes) {
  std::u16string units;
  for (const char c : bytes) units += static_cast<char16_t>(static_cast<unsigned char>(c));
  return to_utf8(units);
}

}  // namespace patchlab::patches
