// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace patchlab::patches {

// Text files of Windows packages as UTF-8: UTF-16 with a byte order mark (or recognisable without one), UTF-8 with or
// without a mark, anything else as Windows-1252. Never fails; what is no character becomes U+FFFD. A document's own
// encoding declaration is not asked.
[[nodiscard]] std::string text_as_utf8(std::string_view bytes);

// UTF-16, little endian, without a mark: names and strings inside binary formats.
[[nodiscard]] std::string utf16_as_utf8(std::string_view bytes);
// One byte a character: Windows-1252, read as Latin-1 (they differ in 0x80 to 0x9f only, which package facts do not
// use).
[[nodiscard]] std::string latin1_as_utf8(std::string_view bytes);

}  // namespace patchlab::patches
