// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/json.hpp"

#include <gmock/gmock.h>

namespace patchlab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string trouble_of(const std::string& text, JsonTexts texts = JsonTexts::without_nul) {
  const auto json = parse_json(text, "f.json", texts);
  return json ? "fine: " + json->dump() : json.error().message;
}

std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += "1";
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST(ParseJson, BuildsTheValueThatIsThere) {
  const std::string text =
      R"({"a": [1, -2, 1.5, true, null, "x\u0041"], "b": {"c": [], "d": {}}, "e": [[1], {"f": [2]}]})";
  EXPECT_EQ(parse_json(text, "f.json").value(), Json::parse(text));
  EXPECT_EQ(parse_json("18446744073709551615", "f.json").value(), Json(18446744073709551615ULL));
  EXPECT_EQ(parse_json("\xef\xbb\xbf[1]", "f.json").value(), Json::parse("[1]")) << "a byte order mark";
}

TEST(ParseJson, RefusesWhatIsNestedTooDeep) {
  EXPECT_TRUE(parse_json(nested(deepest_json, "[", "]"), "f.json"));
  EXPECT_EQ(trouble_of(nested(deepest_json + 1, "[", "]")), "f.json:1:102: is nested more than 100 deep");
  EXPECT_THAT(trouble_of(nested(200000, "[", "]")), HasSubstr("is nested more than 100 deep"));
  EXPECT_THAT(trouble_of(nested(200000, "{\"a\":", "}")), HasSubstr("is nested more than 100 deep"));
  EXPECT_THAT(trouble_of(std::string(200000, '[')), HasSubstr("is nested more than 100 deep")) << "never closed";
}

TEST(ParseJson, NamesEveryKeyThatIsGivenTwiceWithItsPlace) {
  const auto trouble = trouble_of("{\n  \"a\": 1,\n  \"b\": [0, {\"c/d\": 1, \"c/d\": 2}],\n  \"a\": 3\n}");
  EXPECT_EQ(trouble, "f.json:3:27: /b/1/c~1d: key 'c/d' is given twice\nf.json:4:5: /a: key 'a' is given twice");
}

TEST(ParseJson, TakesTheSameKeyInTwoObjects) {
  EXPECT_TRUE(parse_json(R"([{"a": 1}, {"a": 1, "b": {"a": 1}}])", "f.json"));
}

TEST(ParseJson, RefusesNumbersThatAreOutOfRange) {
  EXPECT_THAT(
      trouble_of("{\n\"n\": 1e999}"),
      AllOf(HasSubstr("f.json:2:"), HasSubstr("number overflow parsing '1e999'"), Not(HasSubstr("json.exception"))));
}

TEST(ParseJson, PointsAtTheFirstThatIsNoJson) {
  EXPECT_THAT(trouble_of("{\n  \"name\": \"x\",\n  \"departments\" {}\n}"),
              AllOf(HasSubstr("f.json:3:17: not valid JSON: syntax error"), Not(HasSubstr("json.exception"))));
  EXPECT_THAT(trouble_of(""), HasSubstr("f.json: is empty"));
  EXPECT_THAT(trouble_of(" \n\t"), HasSubstr("f.json: is empty"));
  EXPECT_THAT(trouble_of("<html>"), HasSubstr("f.json:1:1: not valid JSON"));
  EXPECT_THAT(trouble_of("[1] 2"), HasSubstr("not valid JSON"));
  EXPECT_THAT(trouble_of("\"\xff\""), HasSubstr("not valid JSON"));
}

// nlohmann's parser takes it for the end.
TEST(ParseJson, SeesWhatStandsBehindANul) {
  for (const auto* behind : {"", " ", "garbage", "{\"second\": 1}"}) {
    EXPECT_THAT(trouble_of("{\n\"a\": 1}" + std::string(1, '\0') + behind),
                HasSubstr("f.json:2:8: not valid JSON: a NUL byte"))
        << behind;
  }
}

TEST(ParseJson, RefusesNulWhereTextsBecomeNamesAndPaths) {
  const std::string text = R"({"path": "a.deb\u0000.txt", "k\u0000": 1, "list": ["x", "\u0000"]})";
  const auto trouble = trouble_of(text);
  EXPECT_THAT(trouble, HasSubstr("/path: the text has a NUL character"));
  EXPECT_THAT(trouble, HasSubstr("/k\\x00: the key has a NUL character"));
  EXPECT_THAT(trouble, HasSubstr("/list/1: the text has a NUL character"));
  EXPECT_THAT(trouble_of(text, JsonTexts::any), HasSubstr("fine: "));
}

TEST(ParseJson, SaysWhatAFileNamesInOneLineWithoutItsEscapes) {
  EXPECT_THAT(trouble_of("{\"\\u001b[2J\\n\": 1, \"\\u001b[2J\\n\": 2}"),
              HasSubstr("key '\\x1b[2J\\n' is given twice"));
}

TEST(JsonIn, IsADiscardedValueForWhatIsNoJson) {
  EXPECT_EQ(json_in("[1]"), Json::parse("[1]"));
  EXPECT_TRUE(json_in("x").is_discarded());
  EXPECT_TRUE(json_in("").is_discarded());
  EXPECT_TRUE(json_in(std::string(200000, '[')).is_discarded());
  EXPECT_TRUE(json_in(nested(200000, "{\"a\":", "}")).is_discarded());
}

TEST(ErrorFromJson, TakesWhatIsTextAndSurvivesTheRest) {
  EXPECT_EQ(error_from_json(Json{{"class", "guest"}, {"message", "m"}, {"hint", "h"}}), guest_error("m", "h"));
  EXPECT_EQ(error_from_json(Json{{"class", 5}, {"message", Json::array()}}).error_class, ErrorClass::bug);
  EXPECT_EQ(error_from_json(Json(3)).error_class, ErrorClass::bug);
}

TEST(JsonComments, BecomeBlanksAndMoveNothing) {
  EXPECT_EQ(without_comments("{ // one\n\"a//b\": \"# /* \\\" //\" } //"), "{       \n\"a//b\": \"# /* \\\" //\" }   ");
  EXPECT_EQ(without_comments("# 1 /* 2 */"), "# 1 /* 2 */") << "only Kea takes those";
  EXPECT_EQ(without_comments("# 1\n/* 2\n */3 /*/ 4", JsonComments::of_kea), "   \n    \n   3      ");
  for (const auto* text : {"", "/", "/*", "/* *", "\"", "\"\\"})
    EXPECT_EQ(without_comments(text, JsonComments::of_kea).size(), std::string(text).size()) << text;
}

}  // namespace
}  // namespace patchlab
