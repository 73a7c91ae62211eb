// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "lab/core/text.hpp"

namespace patchlab::checks::mail {
namespace {

constexpr std::string_view blanks = " \t";  // RFC 5322, 3.2.2

}  // namespace

std::string Message::text() const {
  std::string all;
  for (const auto& [name, value] : headers) all += fmt::format("{}: {}\r\n", name, value);
  return all + "\r\n" + body;
}

Message probe_message(const std::string& unique, const std::string& from, const std::string& to,
                      const std::string& date, std::size_t least_body_bytes) {
  Message message;
  message.id = fmt::format("<patchlab-{}@probe.invalid>", unique);
  message.headers = {{"Message-ID", message.id},
                     {"Date", date},
                     {"From", fmt::format("patchlab probe <{}>", from)},
                     {"To", fmt::format("<{}>", to)},
                     {"Subject", "patchlab probe " + unique},
                     {"MIME-Version", "1.0"},
                     {"Content-Type", "text/plain; charset=utf-8"},
                     {"Content-Transfer-Encoding", "8bit"}};
  message.body = fmt::format(
      "probe {}\r\n"
      ".a line that begins with a dot\r\n"
      ".\r\n"
      "..two dots\r\n"
      "\r\n"
      "8-bit: Gr\xc3\xbc\xc3\x9f"
      "e, \xd0\xbf\xd1\x80\xd0\xbe\xd0\xb2\xd0\xb5\xd1\x80\xd0\xba\xd0\xb0, \xe8\xa3\x9c\xe4\xb8\x81\r\n"
      "trailing blanks \t \r\n"
      "{}\r\n"
      "last line {}\r\n",
      unique, std::string(900, 'x'), unique);
  // Numbered, so that a part that is missing or swapped shows; short lines, as of an encoded attachment.
  for (std::size_t line = 1; message.body.size() < least_body_bytes; ++line) {
    message.body += fmt::format("{:08} {}\r\n", line, std::string(67, 'a' + static_cast<char>(line % 26)));
  }
  return message;
}

std::string message_date(std::int64_t seconds_since_1970) {
  // Names by hand: strftime follows the locale, RFC 5322 does not.
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(seconds_since_1970);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000", days.at(static_cast<std::size_t>(parts.tm_wday)),
                     parts.tm_mday, months.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string as_smtp_data(std::string_view message) {
  std::string data;
  bool at_line_start = true;
  for (const char c : message) {
    if (at_line_start && c == '.') data += '.';
    data += c;
    at_line_start = c == '\n';
  }
  if (!at_line_start) data += "\r\n";
  return data + ".\r\n";
}

SplitMessage split_message(const std::string& text) {
  if (text.starts_with("\r\n")) return {"", text.substr(2)};
  const auto gap = text.find("\r\n\r\n");
  if (gap == std::string::npos) return {text, ""};
  return {text.substr(0, gap + 2), text.substr(gap + 4)};
}

std::map<std::string, std::string> header_fields(const std::string& header) {
  std::string unfolded;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool folded =
        header.compare(i, 2, "\r\n") == 0 && i + 2 < header.size() && (header[i + 2] == ' ' || header[i + 2] == '\t');
    if (folded)
      ++i;  // the line end goes, the blank stays
    else
      unfolded += header[i];
  }
  std::map<std::string, std::string> fields;
  for (std::size_t start = 0; start < unfolded.size();) {
    auto end = unfolded.find("\r\n", start);
    if (end == std::string::npos) end = unfolded.size();
    const auto line = unfolded.substr(start, end - start);
    const auto colon = line.find(':');
    if (colon != std::string::npos)
      fields.emplace(lower_case(trimmed(line.substr(0, colon), blanks)), trimmed(line.substr(colon + 1), blanks));
    start = end + 2;
  }
  return fields;
}

}  // namespace patchlab::checks::mail
