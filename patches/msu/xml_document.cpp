// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/xml_document.hpp"

#include <fmt/format.h>
#include <libxml/xmlreader.h>

#include <algorithm>
#include <memory>

#include "patches/msu/text_encoding.hpp"

namespace patchlab::patches {
namespace {

struct ReaderClose {
  void operator()(xmlTextReader* reader) const { xmlFreeTextReader(reader); }
};
using Reader = std::unique_ptr<xmlTextReader, ReaderClose>;

// No XML_PARSE_HUGE: libxml2's own limits stay on. The encoding is ours: the text was made UTF-8 before.
constexpr int options =
    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA | XML_PARSE_IGNORE_ENC;

std::string text_of(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

void keep_first(void* self, const char* message, xmlParserSeverities, xmlTextReaderLocatorPtr locator) noexcept {
  try {
    auto& first = *static_cast<std::string*>(self);
    std::string line(message == nullptr ? "damaged" : message);
    line.erase(std::remove(line.begin(), line.end(), '\n'), line.end());
    if (first.empty()) first = fmt::format("line {}: {}", xmlTextReaderLocatorLineNumber(locator), line);
  } catch (...) {
    // Called from C. Without the message the error is only less precise.
  }
}

class Parser {
 public:
  Parser(const std::string& name, const XmlLimits& limits) : name_(name), limits_(limits) {}

  Result<XmlElement> parse(const std::string& text) {
    if (text.size() > limits_.bytes)
      return trouble(fmt::format("is bigger than the {} bytes allowed for XML", limits_.bytes));
    if (text.find("<!DOCTYPE") != std::string::npos || text.find("<!ENTITY") != std::string::npos) {
      return trouble("has a document type declaration, which no package needs and which could expand without end");
    }
    if (has_crowded_element(text))
      return trouble(fmt::format("has an element with more than the {} attributes allowed", limits_.attributes));
    Reader reader(xmlReaderForMemory(text.data(), static_cast<int>(text.size()), nullptr, "UTF-8", options));
    if (!reader) return trouble("cannot be parsed: libxml2 does not start");
    xmlTextReaderSetErrorHandler(reader.get(), keep_first, &first_error_);
    int status = xmlTextReaderRead(reader.get());
    for (; status == 1; status = xmlTextReaderRead(reader.get())) PATCHLAB_TRY(take(reader.get()));
    if (status != 0 || root_.children.empty())
      return trouble("is no well-formed XML" + (first_error_.empty() ? "" : ": " + first_error_));
    return std::move(root_.children.front());
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what) const {
    return configuration_error(fmt::format("'{}' {}", name_, what));
  }

  // Before libxml2 meets it, whose time grows with the square. No attribute is without '=', and no '<' stands inside a
  // tag; long texts with many '=' are refused as well, which no package has.
  [[nodiscard]] bool has_crowded_element(std::string_view text) const {
    std::size_t equals = 0;
    for (const char c : text) {
      if (c == '<') equals = 0;
      if (c == '=' && ++equals > limits_.attributes) return true;
    }
    return false;
  }

  Result<void> count_node() {
    if (++nodes_ > limits_.nodes)
      return trouble(fmt::format("has more than the {} elements and attributes allowed", limits_.nodes));
    return {};
  }

  Result<void> take(xmlTextReader* reader) {
    switch (xmlTextReaderNodeType(reader)) {
      case XML_READER_TYPE_ELEMENT: return open(reader);
      case XML_READER_TYPE_END_ELEMENT: close(); return {};
      case XML_READER_TYPE_TEXT:
      case XML_READER_TYPE_CDATA: top().text += text_of(xmlTextReaderConstValue(reader)); return {};
      case XML_READER_TYPE_DOCUMENT_TYPE:
      case XML_READER_TYPE_ENTITY_REFERENCE: return trouble("uses entities, which no package needs");
      default: return {};  // comments, white space, processing instructions
    }
  }

  Result<void> open(xmlTextReader* reader) {
    PATCHLAB_TRY(count_node());
    if (path_.size() >= limits_.depth)
      return trouble(fmt::format("is nested deeper than the {} levels allowed", limits_.depth));
    const bool empty = xmlTextReaderIsEmptyElement(reader) == 1;
    auto& element = top().children.emplace_back();
    element.name = text_of(xmlTextReaderConstLocalName(reader));
    while (xmlTextReaderMoveToNextAttribute(reader) == 1) {
      PATCHLAB_TRY(count_node());
      element.attributes.emplace(text_of(xmlTextReaderConstLocalName(reader)),
                                 text_of(xmlTextReaderConstValue(reader)));
    }
    // Indices instead of pointers: the vectors move their elements when they grow.
    if (!empty) path_.push_back(top().children.size() - 1);
    return {};
  }

  void close() {
    if (!path_.empty()) path_.pop_back();
  }

  XmlElement& top() {
    auto* element = &root_;
    for (const auto index : path_) element = &element->children[index];
    return *element;
  }

  const std::string& name_;
  const XmlLimits& limits_;
  XmlElement root_;  // above the document's own root
  std::vector<std::size_t> path_;
  std::size_t nodes_ = 0;
  std::string first_error_;
};

}  // namespace

std::string XmlElement::attribute(const std::string& key) const {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string() : found->second;
}

const XmlElement* XmlElement::child(std::string_view child_name) const {
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const auto& element) { return element.name == child_name; });
  return found == children.end() ? nullptr : &*found;
}

std::vector<const XmlElement*> XmlElement::all(std::string_view child_name) const {
  std::vector<const XmlElement*> found;
  for (const auto& element : children) {
    if (element.name == child_name) found.push_back(&element);
  }
  return found;
}

Result<XmlElement> parse_xml(std::string_view bytes, const std::string& name, const XmlLimits& limits) {
  // UTF-16 may shrink by half; what is refused for its size must not be converted first.
  if (bytes.size() / 2 > limits.bytes)
    return configuration_error(fmt::format("'{}' is bigger than the {} bytes allowed for XML", name, limits.bytes));
  return Parser(name, limits).parse(text_as_utf8(bytes));
}

}  // namespace patchlab::patches
