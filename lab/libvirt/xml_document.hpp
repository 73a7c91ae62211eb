// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

struct _xmlDoc;
struct _xmlNode;

namespace patchlab::lab::libvirt {

// One element of an XmlDocument: a view, valid as long as the document is and the element is in it. May be null, which
// reads as an element with nothing in it; a null one is never changed. Names are local names; `is_foreign` tells those
// of an XML namespace.
class XmlNode {
 public:
  XmlNode() = default;
  explicit XmlNode(_xmlNode* node) : node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }

  [[nodiscard]] std::string name() const;
  [[nodiscard]] std::string namespace_uri() const;  // empty: none
  [[nodiscard]] bool is_foreign() const { return !namespace_uri().empty(); }
  [[nodiscard]] std::string attribute(const char* key) const;  // empty when absent
  [[nodiscard]] bool has_attribute(const char* key) const;
  [[nodiscard]] std::string text() const;  // with that of its children
  // The first child of that name; null when there is none.
  [[nodiscard]] XmlNode child(std::string_view child_name) const;
  // All child elements, or those of one name, in document order.
  [[nodiscard]] std::vector<XmlNode> children(std::string_view child_name = {}) const;

  void set_attribute(const char* key, const std::string& value);
  void remove_attribute(const char* key);
  void set_text(const std::string& text);  // instead of everything in it
  XmlNode add(const char* child_name);     // appended
  // Appended, in an XML namespace of its own, as custom metadata of libvirt must be.
  XmlNode add_foreign(const char* child_name, const char* prefix, const char* uri);
  // The child of that name, appended when there is none.
  XmlNode child_or_new(const char* child_name);
  void remove();  // with everything below; null afterwards
  void remove_children(std::string_view child_name = {});
  // The element with everything below as text of its own.
  [[nodiscard]] std::string to_text() const;

 private:
  _xmlNode* node_ = nullptr;
};

// XML that libvirt handed out, to be read and changed. Kept as libxml2's own tree, so that what is not touched stays as
// it is. Comments and blanks between elements are dropped. One thread at a time.
class XmlDocument {
 public:
  // Without network, files, entities or document type declaration, at most 4 MiB; `what` begins the error: "<what> is
  // no well-formed XML".
  [[nodiscard]] static Result<XmlDocument> parse(std::string_view text, const std::string& what);
  [[nodiscard]] XmlNode root() const;
  // Indented, without XML declaration: as libvirt prints it.
  [[nodiscard]] std::string to_text() const { return root().to_text(); }

 private:
  struct Free {
    void operator()(_xmlDoc* document) const;
  };
  explicit XmlDocument(_xmlDoc* document) : document_(document) {}
  std::unique_ptr<_xmlDoc, Free> document_;
};

}  // namespace patchlab::lab::libvirt
