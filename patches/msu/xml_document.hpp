// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab::patches {

struct XmlLimits {
  std::uint64_t bytes = 32ULL << 20U;
  std::size_t depth = 64;
  std::size_t nodes = 200'000;   // elements and attributes together
  std::size_t attributes = 256;  // of one element: libxml2 compares each with all others
};

// Local names: package documents use several prefixes for the same things.
struct XmlElement {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text;  // its own, without that of its children
  std::vector<XmlElement> children;

  [[nodiscard]] std::string attribute(const std::string& key) const;
  [[nodiscard]] const XmlElement* child(std::string_view child_name) const;  // the first of that name
  [[nodiscard]] std::vector<const XmlElement*> all(std::string_view child_name) const;
};

// Parses with libxml2, without network, files or entities: a document type declaration is refused before the parser
// sees it, and with it every kind of entity expansion. Errors say "'name' ...".
[[nodiscard]] Result<XmlElement> parse_xml(std::string_view bytes, const std::string& name,
                                           const XmlLimits& limits = {});

}  // namespace patchlab::patches
