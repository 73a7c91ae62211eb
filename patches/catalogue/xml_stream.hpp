// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "patches/bytes/anonymous_file.hpp"

// XML that is too large to be kept, as it is unpacked: by libxml2's push parser, without network, files, entities or
// document types. What it keeps is one element's attributes and text, and the names that it has met.
namespace patchlab::patches {

struct XmlStreamLimits {
  std::uint64_t bytes = std::uint64_t{1} << 31U;
  std::size_t depth = 32;
  std::size_t attributes = 256;          // of one element: libxml2 compares each with all others
  std::size_t run_bytes = 1U << 20U;     // from one '<' to the next: libxml2 keeps so much
  std::size_t text_bytes = 256U << 10U;  // of one element
};

// Local names: prefixes do not count.
using XmlPath = std::vector<std::string>;

class XmlAttributes {
 public:
  void clear() { all_.clear(); }
  void add(std::string name, std::string value) { all_.emplace_back(std::move(name), std::move(value)); }
  // Empty: there is none, or it is empty.
  [[nodiscard]] const std::string& operator[](std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> all_;
};

// Each says what is wrong; empty: nothing. Then nothing more is read.
class XmlEvents {
 public:
  virtual ~XmlEvents() = default;
  // An element begins; the path ends with it.
  virtual std::string open(const XmlPath& path, const XmlAttributes& attributes) = 0;
  // It ends; the text is that behind its last child.
  virtual std::string close(const XmlPath& path, const std::string& text) = 0;
};

// UTF-8 only, whatever the document says of itself. Errors (configuration) begin with the name, and say the line.
class XmlStream : public ByteSink {
 public:
  XmlStream(std::string name, XmlEvents& events, const XmlStreamLimits& limits = {});
  ~XmlStream() override;
  [[nodiscard]] Result<void> write(std::string_view bytes) override;
  // Behind the last byte: an error when the document is not whole.
  [[nodiscard]] Result<void> finish();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// Elements side by side, without a root of their own, as the catalogue has them: the path begins with "fragment".
[[nodiscard]] Result<void> read_xml_fragment(std::string_view bytes, const std::string& name, XmlEvents& events);

}  // namespace patchlab::patches
