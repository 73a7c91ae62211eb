// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/msu/xml_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "patches/msu/text_encoding.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string trouble_with_xml_document(const std::string& text, const XmlLimits& limits = {}) {
  const auto document = parse_xml(text, "x.xml", limits);
  return document ? "no trouble" : document.error().message;
}

TEST(Xml, ReadsElementsAttributesAndTextByLocalName) {
  const auto root = parse_xml(
      R"(<?xml version="1.0"?><!-- a comment --><a:root xmlns:a="urn:a" id="1"><a:b k="v &amp; w"/>text<b><![CDATA[<raw>]]></b></a:root>)",
      "x.xml");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->name, "root");
  EXPECT_EQ(root->attribute("id"), "1");
  EXPECT_EQ(root->text, "text");
  ASSERT_EQ(root->all("b").size(), 2U);
  EXPECT_EQ(root->child("b")->attribute("k"), "v & w");
  EXPECT_EQ(root->all("b")[1]->text, "<raw>");
  EXPECT_EQ(root->child("none"), nullptr);
}

TEST(Xml, ReadsEveryEncodingOfPackages) {
  const std::string text = R"(<?xml version="1.0" encoding="utf-16"?><r a="1"/>)";
  std::string big;
  for (const char c : text) big += std::string(1, '\0') + c;
  for (const auto& bytes :
       {text, "\xef\xbb\xbf" + text, "\xff\xfe" + testing::utf16(text), testing::utf16(text), "\xfe\xff" + big, big}) {
    const auto root = parse_xml(bytes, "x.xml");
    ASSERT_TRUE(root) << root.error().message;
    EXPECT_EQ(root->attribute("a"), "1");
  }
  EXPECT_EQ(parse_xml("<r a=\"Gr\xfc\xdf"
                      "e\"/>",
                      "x.xml")
                ->attribute("a"),
            "Gr\xc3\xbc\xc3\x9f"
            "e");
}

TEST(Xml, RefusesEntityBombsBeforeTheyAreParsed) {
  std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE b [<!ENTITY a0 \"ha\">";
  for (int i = 1; i < 30; ++i) bomb += fmt::format("<!ENTITY a{} \"&a{};&a{};\">", i, i - 1, i - 1);
  bomb += "]><b>&a29;</b>";
  EXPECT_THAT(trouble_with_xml_document(bomb), StartsWith("'x.xml' has a document type declaration"));
  EXPECT_THAT(trouble_with_xml_document("\xff\xfe" + testing::utf16(bomb)),
              StartsWith("'x.xml' has a document type declaration"));
}

TEST(Xml, RefusesExternalEntities) {
  EXPECT_THAT(trouble_with_xml_document(R"(<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>)"),
              HasSubstr("document type declaration"));
  EXPECT_THAT(trouble_with_xml_document("<r>&unknown;</r>"),
              HasSubstr("is no well-formed XML: line 1: Entity 'unknown' not defined"));
}

TEST(Xml, RefusesWhatIsTooDeepTooMuchOrTooBig) {
  XmlLimits limits;
  limits.depth = 3;
  EXPECT_EQ(trouble_with_xml_document("<a><a><a><a/></a></a></a>", limits),
            "'x.xml' is nested deeper than the 3 levels allowed");
  limits = {};
  limits.nodes = 3;
  EXPECT_EQ(trouble_with_xml_document("<a><a b='1'/><a/></a>", limits),
            "'x.xml' has more than the 3 elements and attributes allowed");
  limits = {};
  limits.bytes = 10;
  EXPECT_EQ(trouble_with_xml_document("<aaaaaaaaaa/>", limits), "'x.xml' is bigger than the 10 bytes allowed for XML");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_THAT(trouble_with_xml_document(deep), HasSubstr("is nested deeper than the 64 levels allowed"));
}

// libxml2 compares each attribute of an element with all others: a few megabytes of them would take it hours.
TEST(Xml, RefusesCrowdedElementsBeforeTheyAreParsed) {
  std::string crowded = "<a";
  for (int i = 0; i < 300'000; ++i) crowded += fmt::format(" a{}='>'", i);
  EXPECT_EQ(trouble_with_xml_document(crowded + "/>"),
            "'x.xml' has an element with more than the 256 attributes allowed");
}

TEST(Xml, NamesTheLineThatIsWrong) {
  EXPECT_THAT(trouble_with_xml_document("<a>\n<b>\n</a>"),
              StartsWith("'x.xml' is no well-formed XML: line 2: Opening and ending tag mismatch"));
  EXPECT_THAT(trouble_with_xml_document(""), StartsWith("'x.xml' is no well-formed XML"));
  EXPECT_THAT(trouble_with_xml_document("<a/><b/>"), StartsWith("'x.xml' is no well-formed XML"));
  EXPECT_THAT(trouble_with_xml_document("<a"), StartsWith("'x.xml' is no well-formed XML"));
}

TEST(TextEncoding, MakesValidUtf8OfAnything) {
  EXPECT_EQ(text_as_utf8("plain"), "plain");
  EXPECT_EQ(utf16_as_utf8(std::string_view("\x3d\xd8\x00\xde", 4)), "\xf0\x9f\x98\x80");
  EXPECT_EQ(utf16_as_utf8(std::string_view("\x3d\xd8x", 3)), "\xef\xbf\xbd");
  EXPECT_EQ(utf16_as_utf8(std::string_view("\x00\xde", 2)), "\xef\xbf\xbd");
}

}  // namespace
}  // namespace patchlab::patches
