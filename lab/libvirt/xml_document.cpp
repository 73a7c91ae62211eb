// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/xml_document.hpp"

#include <fmt/format.h>
#include <libxml/parser.h>
#include <libxml/tree.h>

namespace patchlab::lab::libvirt {
namespace {

constexpr std::size_t byte_limit =
    4U << 20U;  // libvirt's own limit of a text in a message (VIR_NET_MESSAGE_STRING_MAX)
constexpr int options =
    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS | XML_PARSE_NOCDATA;

const xmlChar* to_xml(const char* text) { return reinterpret_cast<const xmlChar*>(text); }
std::string from_xml(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

// The text that libxml2 asks us to free.
std::string taken(xmlChar* text) {
  auto copy = from_xml(text);
  xmlFree(text);
  return copy;
}

void remove_comments(xmlNode* parent) {
  for (xmlNode* node = parent->children; node != nullptr;) {
    xmlNode* const next = node->next;
    if (node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE) {
      xmlUnlinkNode(node);
      xmlFreeNode(node);
    } else if (node->type == XML_ELEMENT_NODE) {
      remove_comments(node);
    }
    node = next;
  }
}

std::string last_words(xmlParserCtxt* parser) {
  const auto* error = xmlCtxtGetLastError(parser);
  if (error == nullptr || error->message == nullptr) return {};
  std::string words(error->message);
  std::erase(words, '\n');
  return fmt::format(": line {}: {}", error->line, words);
}

}  // namespace

std::string XmlNode::name() const { return node_ == nullptr ? std::string() : from_xml(node_->name); }

std::string XmlNode::namespace_uri() const {
  return node_ == nullptr || node_->ns == nullptr ? std::string() : from_xml(node_->ns->href);
}

std::string XmlNode::attribute(const char* key) const {
  return node_ == nullptr ? std::string() : taken(xmlGetNoNsProp(node_, to_xml(key)));
}

bool XmlNode::has_attribute(const char* key) const {
  return node_ != nullptr && xmlHasProp(node_, to_xml(key)) != nullptr;
}

std::string XmlNode::text() const { return node_ == nullptr ? std::string() : taken(xmlNodeGetContent(node_)); }

XmlNode XmlNode::child(std::string_view child_name) const {
  const auto found = children(child_name);
  return found.empty() ? XmlNode() : found.front();
}

std::vector<XmlNode> XmlNode::children(std::string_view child_name) const {
  std::vector<XmlNode> found;
  if (node_ == nullptr) return found;
  for (xmlNode* node = node_->children; node != nullptr; node = node->next) {
    if (node->type != XML_ELEMENT_NODE) continue;
    if (child_name.empty() || from_xml(node->name) == child_name) found.emplace_back(node);
  }
  return found;
}

void XmlNode::set_attribute(const char* key, const std::string& value) {
  if (node_ != nullptr) xmlSetProp(node_, to_xml(key), to_xml(value.c_str()));
}

void XmlNode::remove_attribute(const char* key) {
  if (node_ != nullptr) xmlUnsetProp(node_, to_xml(key));
}

void XmlNode::set_text(const std::string& text) {
  if (node_ == nullptr) return;
  xmlNodeSetContent(node_, nullptr);
  xmlNodeAddContent(node_, to_xml(text.c_str()));  // unlike xmlNodeSetContent it takes '&' for what it is
}

XmlNode XmlNode::add(const char* child_name) {
  return node_ == nullptr ? XmlNode() : XmlNode(xmlNewChild(node_, nullptr, to_xml(child_name), nullptr));
}

XmlNode XmlNode::add_foreign(const char* child_name, const char* prefix, const char* uri) {
  if (node_ == nullptr) return {};
  xmlNode* const node = xmlNewChild(node_, nullptr, to_xml(child_name), nullptr);
  if (node != nullptr) xmlSetNs(node, xmlNewNs(node, to_xml(uri), to_xml(prefix)));
  return XmlNode(node);
}

XmlNode XmlNode::child_or_new(const char* child_name) {
  const auto existing = child(child_name);
  return existing ? existing : add(child_name);
}

void XmlNode::remove() {
  if (node_ == nullptr) return;
  xmlUnlinkNode(node_);
  xmlFreeNode(node_);
  node_ = nullptr;
}

void XmlNode::remove_children(std::string_view child_name) {
  for (auto& one : children(child_name)) one.remove();
}

std::string XmlNode::to_text() const {
  if (node_ == nullptr) return {};
  const std::unique_ptr<xmlBuffer, decltype(&xmlBufferFree)> buffer(xmlBufferCreate(), &xmlBufferFree);
  if (!buffer || xmlNodeDump(buffer.get(), node_->doc, node_, 0, 1) < 0) return {};
  return from_xml(xmlBufferContent(buffer.get())) + "\n";
}

void XmlDocument::Free::operator()(_xmlDoc* document) const { xmlFreeDoc(document); }

Result<XmlDocument> XmlDocument::parse(std::string_view text, const std::string& what) {
  if (text.size() > byte_limit) return configuration_error(fmt::format("{} is bigger than {} bytes", what, byte_limit));
  if (text.find("<!DOCTYPE") != std::string_view::npos) {
    return configuration_error(what + " has a document type declaration, which libvirt never writes");
  }
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(xmlNewParserCtxt(), &xmlFreeParserCtxt);
  if (!parser) return infrastructure_error(what + " cannot be parsed: libxml2 does not start");
  XmlDocument document(
      xmlCtxtReadMemory(parser.get(), text.data(), static_cast<int>(text.size()), nullptr, "UTF-8", options));
  if (!document.root()) return configuration_error(what + " is no well-formed XML" + last_words(parser.get()));
  remove_comments(xmlDocGetRootElement(document.document_.get()));
  return document;
}

XmlNode XmlDocument::root() const { return document_ ? XmlNode(xmlDocGetRootElement(document_.get())) : XmlNode(); }

}  // namespace patchlab::lab::libvirt
