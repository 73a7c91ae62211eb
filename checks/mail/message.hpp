// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace patchlab::checks::mail {

// A message as it travels, lines ended by CRLF (RFC 5322 section 2.1).
struct Message {
  std::string id;  // with angle brackets
  std::map<std::string, std::string> headers;
  std::string body;
  [[nodiscard]] std::string text() const;
};

// `unique` makes the id, the subject and a body line. The body has what mail systems get wrong: lines that begin with
// dots, a line that is one dot, 8-bit text, an empty line, a long line, trailing blanks. After those come numbered
// lines until it has `least_body_bytes`.
[[nodiscard]] Message probe_message(const std::string& unique, const std::string& from, const std::string& to,
                                    const std::string& date, std::size_t least_body_bytes = 0);
// "Sun, 22 Nov 2026 06:02:50 +0000" (RFC 5322 section 3.3)
[[nodiscard]] std::string message_date(std::int64_t seconds_since_1970);

// RFC 5321 section 4.5.2: a line that begins with a dot gets another one in front; ended by the line that is one dot.
[[nodiscard]] std::string as_smtp_data(std::string_view message);

struct SplitMessage {
  std::string header;  // with the CRLF of its last line
  std::string body;
};
// At the first empty line.
[[nodiscard]] SplitMessage split_message(const std::string& text);
// Values of all fields by lower-case name, unfolded (RFC 5322 section 2.2.3); the first of several.
[[nodiscard]] std::map<std::string, std::string> header_fields(const std::string& header);

}  // namespace patchlab::checks::mail
