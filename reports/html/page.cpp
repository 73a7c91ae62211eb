// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/html/page.hpp"

#include "lab/core/printable.hpp"

namespace patchlab::reports {

std::string html_escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size() + 16);
  for (const char c : printable_beyond_ascii(text)) {
    const auto code = static_cast<unsigned char>(c);
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      case '\n':
      case '\t': escaped += c; break;
      default:
        if (code >= 0x20 && code != 0x7F) {
          escaped += c;
        } else {  // U+2400 + code, three bytes of UTF-8
          escaped += "\xE2\x90";
          escaped += code == 0x7F ? '\xA1' : static_cast<char>(0x80 + code);
        }
    }
  }
  return escaped;
}

void Page::open(const char* tag, Attributes attributes) {
  out_ += '<';
  out_ += tag;
  for (const auto& [name, value] : attributes) {
    out_ += ' ';
    out_ += name;
    out_ += "=\"";
    out_ += html_escaped(value);
    out_ += '"';
  }
}

Page& Page::element(const char* tag, Attributes attributes, const Content& content) {
  open(tag, attributes);
  out_ += '>';
  content();
  out_ += "</";
  out_ += tag;
  out_ += ">\n";
  return *this;
}

Page& Page::element(const char* tag, Attributes attributes, std::string_view text) {
  open(tag, attributes);
  out_ += '>';
  out_ += html_escaped(text);
  out_ += "</";
  out_ += tag;
  out_ += ">";
  return *this;
}

Page& Page::empty(const char* tag, Attributes attributes) {
  open(tag, attributes);
  out_ += "/>";
  return *this;
}

Page& Page::text(std::string_view text) {
  out_ += html_escaped(text);
  return *this;
}

Page& Page::trusted(std::string_view markup) {
  out_ += markup;
  return *this;
}

}  // namespace patchlab::reports
