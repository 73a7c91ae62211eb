// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchlab::lab::libvirt {

// Writes indented XML; everything given to it is escaped.
class XmlWriter {
 public:
  using Attributes = std::initializer_list<std::pair<const char*, std::string_view>>;

  XmlWriter& open(const char* name, Attributes attributes = {}) {
    start(name, attributes);
    text_ += ">\n";
    open_.push_back(name);
    return *this;
  }
  XmlWriter& close() {
    const std::string name = open_.back();
    open_.pop_back();
    indent();
    text_.append("</").append(name).append(">\n");
    return *this;
  }
  XmlWriter& empty(const char* name, Attributes attributes = {}) {
    start(name, attributes);
    text_ += "/>\n";
    return *this;
  }
  XmlWriter& text(const char* name, std::string_view content, Attributes attributes = {}) {
    start(name, attributes);
    text_ += '>';
    escape(content);
    text_.append("</").append(name).append(">\n");
    return *this;
  }
  [[nodiscard]] const std::string& result() const { return text_; }

 private:
  void indent() { text_.append(open_.size() * 2, ' '); }
  void start(const char* name, Attributes attributes) {
    indent();
    text_.append("<").append(name);
    for (const auto& [key, value] : attributes) {
      text_.append(" ").append(key).append("='");
      escape(value);
      text_ += '\'';
    }
  }
  void escape(std::string_view content) {
    for (const char c : content) {
      switch (c) {
        case '&': text_ += "&amp;"; break;
        case '<': text_ += "&lt;"; break;
        case '>': text_ += "&gt;"; break;
        case '\'': text_ += "&apos;"; break;
        case '"': text_ += "&quot;"; break;
        // XML 1.0 allows no other control characters, not even escaped.
        default: text_ += static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' ? '?' : c;
      }
    }
  }

  std::string text_;
  std::vector<const char*> open_;
};

}  // namespace patchlab::lab::libvirt
