// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

// The parts of a mail (RFC 5322) that hold what others chose: nothing in them can become a header.
namespace patchlab {

// One address alone, as changes@example.org: neither blanks nor brackets nor anything that ends a header or a command
// of SMTP.
[[nodiscard]] bool is_mail_address(std::string_view text);
// RFC 2045, 6.7; text with line feeds, out come lines with CRLF of at most 76 characters.
[[nodiscard]] std::string quoted_printable(std::string_view text);
// For a Subject, RFC 2047: words of at most 75 characters, none of which splits a character; in one line, or folded.
[[nodiscard]] std::string mail_header_text(const std::string& text);
// "Sat, 28 Nov 2026 09:00:00 +0000"
[[nodiscard]] std::string mail_date(std::chrono::system_clock::time_point when);

}  // namespace patchlab
