// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/catalogue/xml_stream.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

namespace patchlab::patches {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Seen : public XmlEvents {
 public:
  std::string open(const XmlPath& path, const XmlAttributes& attributes) override {
    lines.push_back(fmt::format("+{} {}", fmt::join(path, "/"), attributes["a"]));
    return path.back() == "refused" ? "has what is refused" : "";
  }
  std::string close(const XmlPath& path, const std::string& text) override {
    lines.push_back(fmt::format("-{} {}", fmt::join(path, "/"), text));
    return {};
  }
  std::vector<std::string> lines;
};

// In pieces of so many bytes.
Result<void> read(const std::string& text, Seen& seen, std::size_t piece = 3, const XmlStreamLimits& limits = {}) {
  XmlStream stream("x", seen, limits);
  for (std::size_t at = 0; at < text.size(); at += piece) PATCHLAB_TRY(stream.write(text.substr(at, piece)));
  return stream.finish();
}
std::string trouble_of(const std::string& text, const XmlStreamLimits& limits = {}) {
  Seen seen;
  const auto result = read(text, seen, 1000, limits);
  return result ? "" : result.error().message;
}

TEST(XmlStream, IsTheSameInWhateverPiecesItComes) {
  const std::string text =
      "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\"?><r xmlns:p='u'><p:e a=\"1&amp;2\"/><e>one &lt; "
      "two<![CDATA[<3>]]></e></r>";
  for (const std::size_t piece : {1U, 2U, 7U, 1000U}) {
    Seen seen;
    const auto result = read(text, seen, piece);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_THAT(seen.lines, ElementsAre("+r ", "+r/e 1&2", "-r/e ", "+r/e ", "-r/e one < two<3>", "-r "));
  }
}

TEST(XmlStream, OfElementsSideBySideHasTheirsAndNoPrefixNeedsToBeDeclared) {
  Seen seen;
  ASSERT_TRUE(read_xml_fragment("<?xml version=\"1.0\"?><a/><q:b a=\"1\">t</q:b>", "x", seen));
  EXPECT_THAT(seen.lines, ElementsAre("+fragment ", "+fragment/a ", "-fragment/a ", "+fragment/b 1", "-fragment/b t",
                                      "-fragment "));
  EXPECT_FALSE(read_xml_fragment("</fragment><fragment>", "x", seen));
}

TEST(XmlStream, RefusesWhatIsNotWholeOrCouldExpandOrReachOut) {
  EXPECT_THAT(trouble_of("<r><e>"), HasSubstr("is no well-formed XML"));
  EXPECT_THAT(trouble_of(""), HasSubstr("is no well-formed XML"));
  EXPECT_THAT(trouble_of("<r/><r/>"), HasSubstr("is no well-formed XML"));
  EXPECT_THAT(trouble_of("<r>&e;</r>"), HasSubstr("is no well-formed XML"));
  EXPECT_THAT(trouble_of("<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>"), HasSubstr("document type declaration"));
  EXPECT_THAT(trouble_of("<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>"), HasSubstr("document type declaration"));
  EXPECT_THAT(trouble_of(std::string("<r>\0</r>", 8)), HasSubstr("NUL bytes"));
  EXPECT_THAT(trouble_of("<r>\xff</r>"), HasSubstr("is no well-formed XML"));
  EXPECT_THAT(trouble_of("<r>\n<refused/></r>"), HasSubstr("has what is refused (line 2)"));
}

TEST(XmlStream, IsBounded) {
  XmlStreamLimits limits;
  limits.depth = 3;
  EXPECT_EQ(trouble_of("<a><a><a/></a></a>", limits), "");
  EXPECT_THAT(trouble_of("<a><a><a><a/></a></a></a>", limits), HasSubstr("deeper than the 3 levels"));
  limits.attributes = 2;
  EXPECT_THAT(trouble_of("<a b='1' c='2' d='3'/>", limits), HasSubstr("more than the 2 attributes"));
  limits.run_bytes = 10;
  EXPECT_EQ(trouble_of("<a>23456789</a>", limits), "");
  EXPECT_THAT(trouble_of("<a>23456789012</a>", limits), HasSubstr("from one '<' to the next"));
  limits = {};
  limits.text_bytes = 10;
  EXPECT_THAT(trouble_of("<a>12345678<![CDATA[90]]>1</a>", limits), HasSubstr("a text with more than the 10 bytes"));
  limits.bytes = 20;
  EXPECT_THAT(trouble_of("<a>" + std::string(20, ' ') + "</a>", limits), HasSubstr("more than the 20 bytes"));
}

}  // namespace
}  // namespace patchlab::patches
