// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/code_page.hpp"

#include <iconv.h>

#include <algorithm>

#include "lab/core/json.hpp"
#include "lab/guest/windows/replies.hpp"

namespace patchlab::lab::guest::recording {
namespace {

std::optional<std::string> iconv_text(std::string_view text, const std::string& from, const std::string& to) {
  auto* const converter = ::iconv_open(to.c_str(), from.c_str());
  // NOLINTNEXTLINE(performance-no-int-to-ptr): what iconv_open() returns in trouble
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  std::string in(text);
  std::string out(in.size() * 4 + 16, '\0');
  auto* read = in.data();
  auto* write = out.data();
  auto left = in.size();
  auto room = out.size();
  const auto irreversible = ::iconv(converter, &read, &left, &write, &room);
  ::iconv_close(converter);
  if (irreversible != 0 || left != 0) return std::nullopt;
  out.resize(out.size() - room);
  return out;
}

bool is_page(const std::string& page) {
  return !page.empty() && page.size() <= 5 && page.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::optional<std::string> in_code_page(std::string_view utf8, const std::string& page) {
  return is_page(page) ? iconv_text(utf8, "UTF-8", "CP" + page) : std::nullopt;
}

std::optional<std::string> from_code_page(std::string_view bytes, const std::string& page) {
  return is_page(page) ? iconv_text(bytes, "CP" + page, "UTF-8") : std::nullopt;
}

const std::vector<std::string>& usual_code_pages() {
  static const std::vector<std::string> pages{"437", "850", "852", "857",  "858",  "866",  "932",
                                              "936", "949", "950", "1250", "1251", "1252", "1254"};
  return pages;
}

bool is_utf8(std::string_view bytes) { return to_valid_utf8(bytes) == bytes; }

std::string reply_text(std::string_view bytes, const std::string& page) {
  if (is_utf8(bytes) && bytes.find('\0') == std::string_view::npos) return std::string(bytes);
  if (bytes.find('\0') != std::string_view::npos) {
    auto text = windows::text_of(bytes);
    return text ? std::move(*text) : to_valid_utf8(bytes);
  }
  std::string text;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
    const auto line = bytes.substr(0, end);
    bytes.remove_prefix(end);
    auto line_text = is_utf8(line) ? std::string(line) : from_code_page(line, page).value_or(to_valid_utf8(line));
    text += line_text;
  }
  return text;
}

}  // namespace patchlab::lab::guest::recording
