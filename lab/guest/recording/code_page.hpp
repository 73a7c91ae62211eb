// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What consoles print in: the only place that knows the host's tables of code pages.
namespace patchlab::lab::guest::recording {

// "850", "1252". Nothing: the host does not know that page, or the text cannot be written in it.
[[nodiscard]] std::optional<std::string> in_code_page(std::string_view utf8, const std::string& page);
[[nodiscard]] std::optional<std::string> from_code_page(std::string_view bytes, const std::string& page);

// Those of consoles and windows of the languages that Windows Server is sold in most.
[[nodiscard]] const std::vector<std::string>& usual_code_pages();

// A reply as text: UTF-16 and UTF-8 as they are, each line that is neither in `page`. Never fails: a byte that is
// nothing at all becomes U+FFFD.
[[nodiscard]] std::string reply_text(std::string_view bytes, const std::string& page);

[[nodiscard]] bool is_utf8(std::string_view bytes);

}  // namespace patchlab::lab::guest::recording
