// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace patchlab::reports {

// Writes HTML in which nothing can stay unescaped or unclosed: text and attribute values go through `escape`, and an
// element closes when its content has been written. The result is well-formed XML as well, which the tests use.
class Page {
 public:
  using Attributes = std::initializer_list<std::pair<const char*, std::string_view>>;
  using Content = std::function<void()>;

  // <tag attributes>content</tag>
  Page& element(const char* tag, Attributes attributes, const Content& content);
  Page& element(const char* tag, Attributes attributes, std::string_view text);
  // Elements without content: <meta>, <br>, <use>.
  Page& empty(const char* tag, Attributes attributes);
  Page& text(std::string_view text);
  // Our own markup, style or script; never anything that came from a record.
  Page& trusted(std::string_view markup);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void open(const char* tag, Attributes attributes);
  std::string out_;
};

// For element content and quoted attributes; bytes that are no UTF-8 become U+FFFD, control characters a visible
// picture (U+2400...).
[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace patchlab::reports
