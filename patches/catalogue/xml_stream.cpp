// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/catalogue/xml_stream.hpp"

#include <fmt/format.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include <algorithm>

#include "lab/core/printable.hpp"

namespace patchlab::patches {
namespace {

// No XML_PARSE_HUGE: libxml2's own limits stay on. NOENT: "&amp;" in an attribute is handed over as what it means; of
// others there are none, since they need a document type.
constexpr int options = XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_IGNORE_ENC;
constexpr std::size_t piece = 64U << 10U;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string text_of(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

}  // namespace

const std::string& XmlAttributes::operator[](std::string_view name) const {
  static const std::string none;
  for (const auto& [key, value] : all_) {
    if (key == name) return value;
  }
  return none;
}

struct XmlStream::Parser {
  Parser(std::string its_name, XmlEvents& its_events, const XmlStreamLimits& its_limits)
      : name(std::move(its_name)), events(its_events), limits(its_limits) {
    xmlSAXHandler handler{};
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = opened;
    handler.endElementNs = closed;
    handler.characters = handler.ignorableWhitespace = handler.cdataBlock = written;
    handler.internalSubset = document_type;
    handler.serror = wrong;
    context = xmlCreatePushParserCtxt(&handler, this, nullptr, 0, nullptr);
    if (context == nullptr) return;
    xmlCtxtUseOptions(context, options);
    xmlSwitchEncoding(context, XML_CHAR_ENCODING_UTF8);
  }
  ~Parser() {
    if (context == nullptr) return;
    if (context->myDoc != nullptr) xmlFreeDoc(context->myDoc);
    xmlFreeParserCtxt(context);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  [[nodiscard]] Error error(const std::string& what) const {
    return configuration_error(fmt::format("'{}' {}", name, printable(what)));
  }
  void stop(const std::string& what) {
    if (trouble.empty()) trouble = fmt::format("{} (line {})", what, xmlSAX2GetLineNumber(context));
    xmlStopParser(context);
  }

  // Called from C: nothing may be thrown through it.
  template <class Action>
  static void guarded(void* self, const Action& action) noexcept {
    auto& parser = *static_cast<Parser*>(self);
    try {
      if (parser.trouble.empty()) action(parser);
    } catch (...) {
      parser.lost = true;
      xmlStopParser(parser.context);
    }
  }

  static void opened(void* self, const xmlChar* local, const xmlChar*, const xmlChar*, int, const xmlChar**,
                     int attribute_count, int, const xmlChar** values) noexcept {
    guarded(self, [&](Parser& parser) {
      if (parser.path.size() >= parser.limits.depth) {
        parser.stop(fmt::format("is nested deeper than the {} levels allowed", parser.limits.depth));
        return;
      }
      parser.path.push_back(text_of(local));
      parser.text.clear();
      parser.attributes.clear();
      // Five for each: local name, prefix, namespace, begin and end of the value.
      for (int i = 0; i < attribute_count; ++i) {
        const auto** one = values + 5 * i;
        parser.attributes.add(text_of(one[0]), std::string(reinterpret_cast<const char*>(one[3]),
                                                           static_cast<std::size_t>(one[4] - one[3])));
      }
      if (const auto what = parser.events.open(parser.path, parser.attributes); !what.empty()) parser.stop(what);
    });
  }
  static void closed(void* self, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
    guarded(self, [](Parser& parser) {
      if (const auto what = parser.events.close(parser.path, parser.text); !what.empty()) parser.stop(what);
      parser.path.pop_back();
      parser.text.clear();
    });
  }
  static void written(void* self, const xmlChar* bytes, int count) noexcept {
    guarded(self, [&](Parser& parser) {
      if (parser.text.size() + static_cast<std::size_t>(count) > parser.limits.text_bytes) {
        parser.stop(fmt::format("has a text with more than the {} bytes allowed", parser.limits.text_bytes));
        return;
      }
      parser.text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
    });
  }
  static void document_type(void* self, const xmlChar*, const xmlChar*, const xmlChar*) noexcept {
    guarded(self, [](Parser& parser) { parser.stop("has a document type declaration, which no catalogue needs"); });
  }
  static void wrong(void* self, xmlErrorPtr error) noexcept {
    guarded(self, [&](Parser& parser) {
      // Not of prefixes that nobody declared: elements side by side have some.
      if (!parser.first_error.empty() || error->level < XML_ERR_FATAL) return;
      std::string line(error->message == nullptr ? "damaged" : error->message);
      std::erase(line, '\n');
      parser.first_error = fmt::format("line {}: {}", error->line, line);
    });
  }

  // Before libxml2 meets it: it keeps all up to the next '<', and compares each attribute with all others. No attribute
  // is without '=', and no '<' stands inside a tag.
  Result<void> look_at(std::string_view bytes) {
    taken += bytes.size();
    if (taken > limits.bytes) return error(fmt::format("has more than the {} bytes allowed", limits.bytes));
    for (const char c : bytes) {
      if (c == '<') {
        run = equals = 0;
        continue;
      }
      if (c == '\0') return error("is no UTF-8 text: it has NUL bytes");
      if (++run > limits.run_bytes)
        return error(fmt::format("has more than the {} bytes allowed from one '<' to the next", limits.run_bytes));
      if (c == '=' && ++equals > limits.attributes)
        return error(fmt::format("has an element with more than the {} attributes allowed", limits.attributes));
    }
    return {};
  }

  Result<void> give(std::string_view bytes, bool is_end) {
    if (context == nullptr) return error("cannot be parsed: libxml2 does not start");
    const int code = xmlParseChunk(context, bytes.data(), static_cast<int>(bytes.size()), is_end ? 1 : 0);
    if (lost) return error("cannot be parsed: there is not enough memory");
    if (!trouble.empty()) return error(trouble);
    if (code == XML_ERR_NO_MEMORY || context->wellFormed == 0 || context->disableSAX != 0)
      return error("is no well-formed XML: " + (first_error.empty() ? "it is cut off" : first_error));
    return {};
  }

  std::string name;
  XmlEvents& events;
  XmlStreamLimits limits;
  xmlParserCtxtPtr context = nullptr;
  XmlPath path;
  XmlAttributes attributes;
  std::string text;
  std::string trouble;
  std::string first_error;
  bool lost = false;
  std::uint64_t taken = 0;
  std::size_t run = 0;
  std::size_t equals = 0;
  std::string begun;  // the first bytes, until there are enough of them to tell a byte order mark
  bool has_begun = false;
};

XmlStream::XmlStream(std::string name, XmlEvents& events, const XmlStreamLimits& limits)
    : parser_(std::make_unique<Parser>(std::move(name), events, limits)) {}
XmlStream::~XmlStream() = default;

Result<void> XmlStream::write(std::string_view bytes) {
  PATCHLAB_TRY(parser_->look_at(bytes));
  if (!parser_->has_begun) {
    parser_->begun += bytes;
    if (parser_->begun.size() < byte_order_mark.size()) return {};
    parser_->has_begun = true;
    bytes = parser_->begun;
    if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  }
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    PATCHLAB_TRY(parser_->give(bytes.substr(0, piece), false));
  return {};
}

Result<void> XmlStream::finish() { return parser_->give(parser_->has_begun ? "" : parser_->begun, true); }

Result<void> read_xml_fragment(std::string_view bytes, const std::string& name, XmlEvents& events) {
  if (bytes.starts_with(byte_order_mark)) bytes.remove_prefix(byte_order_mark.size());
  if (bytes.starts_with("<?xml")) bytes.remove_prefix(std::min(bytes.find("?>"), bytes.size() - 2) + 2);
  XmlStream stream(name, events);
  PATCHLAB_TRY(stream.write("<fragment>"));
  PATCHLAB_TRY(stream.write(bytes));
  PATCHLAB_TRY(stream.write("</fragment>"));
  return stream.finish();
}

}  // namespace patchlab::patches
