// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

// Between UTF-8, which texts are in everywhere here, and what others use. What is malformed becomes U+FFFD in either
// direction.
namespace patchlab {

[[nodiscard]] std::u16string to_utf16(std::string_view utf8);
[[nodiscard]] std::string to_utf8(std::u16string_view utf16);

// UTF-16 as it lies in files and replies; half a unit at the end is left out.
enum class ByteOrder { little, big };
[[nodiscard]] std::u16string utf16_units(std::string_view bytes, ByteOrder order = ByteOrder::little);

}  // namespace patchlab
