// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

// What a server says first, as text: lines without their ends, joined by "\n"; bytes that are no printable ASCII are
// written as "\x00". An expected greeting may have "{any}" in it, for whatever stands there in one line, also nothing.
namespace patchlab::checks::port {

inline constexpr std::string_view anything = "{any}";

[[nodiscard]] std::string greeting_text(std::string_view bytes);
[[nodiscard]] bool is_greeting(std::string_view expected, std::string_view seen);
// What is to be expected after two greetings: what differs between them is left out, and so is what may be another the
// next day, or after an update that breaks nothing: dates, times and versions. Nothing: too little is the same.
[[nodiscard]] std::optional<std::string> lasting_greeting(const std::string& first, const std::string& second);

}  // namespace patchlab::checks::port
