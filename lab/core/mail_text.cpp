// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/mail_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "lab/core/printable.hpp"

namespace patchlab {

bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  if (text.empty() || text.size() > 200 || at == 0 || at == std::string_view::npos || at + 1 == text.size() ||
      text.find('@', at + 1) != std::string_view::npos)
    return false;
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("@.!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
  });
}

std::string quoted_printable(std::string_view text) {
  constexpr std::size_t longest = 75;
  std::string out;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool before_end = i + 1 == text.size() || text[i + 1] == '\n';
    const bool plain = (c >= '!' && c <= '~' && c != '=') || (c == ' ' && !before_end);
    // A dot at the begin of a line is taken apart by some who send it.
    const bool dot = c == '.' && column == 0;
    const auto piece = plain && !dot ? std::string(1, c)
                                     : fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    if (column + piece.size() > longest) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  }
  return out;
}

std::string mail_header_text(const std::string& text) {
  const auto shown = printable(text);
  if (std::ranges::all_of(shown, [](char c) { return c >= ' ' && c <= '~'; }) && shown.size() <= 60 &&
      shown.find("=?") == std::string::npos)
    return shown;
  constexpr std::size_t most = 54;  // with its frame and the name of the header below 78
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < shown.size();) {
    std::size_t end = i + 1;
    while (end < shown.size() && (static_cast<unsigned char>(shown[end]) & 0xC0U) == 0x80U) ++end;
    std::string piece;
    for (std::size_t k = i; k < end; ++k) {
      const char c = shown[k];
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      piece += plain ? std::string(1, c) : fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    if (words.back().size() + piece.size() > most) words.emplace_back();
    words.back() += piece;
    i = end;
  }
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "=?UTF-8?Q?" : "\r\n =?UTF-8?Q?") + word + "?=";
  return out;
}

std::string mail_date(std::chrono::system_clock::time_point when) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(when.time_since_epoch());
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(static_cast<std::time_t>(seconds.count())));
}

}  // namespace patchlab
