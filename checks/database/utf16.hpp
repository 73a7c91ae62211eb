// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace patchlab::checks::database {

// ODBC's wide text is UTF-16 whatever the locale says; its narrow text depends on the driver's idea of a locale. What
// is malformed becomes U+FFFD in either direction.
[[nodiscard]] std::u16string to_utf16(std::string_view utf8);
[[nodiscard]] std::string to_utf8(std::u16string_view utf16);

}  // namespace patchlab::checks::database
