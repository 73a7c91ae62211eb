// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

// What parsers of many formats need of texts; ASCII only, whatever the locale.
namespace patchlab {

// Without the blanks at both ends. Which characters are blanks belongs to the format.
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view blanks = " \t\r");
// One more than there are separators; empty parts are kept.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] std::string upper_case(std::string_view text);
// As Windows writes them: "{000C1084-0000-0000-C000-000000000046}", in either case.
inline constexpr std::size_t guid_length = 38;
[[nodiscard]] bool is_guid(std::string_view text);

}  // namespace patchlab
