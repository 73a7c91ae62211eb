// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/chain/line.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "promotion/chain/head.hpp"

namespace patchlab::promotion {
namespace {

using testing::HasSubstr;

ChainLine sample_line() {
  return {7, sha256("6"), "2026-11-28T08:00:00.123Z", ChainKind::promote_switched, sha256("x"), "bob@xavier.example"};
}

std::string bytes_of(const ChainLine& line) {
  auto text = line_text(line);
  text.pop_back();
  return text;
}

std::string why(const std::string& text) {
  const auto line = parse_chain_line(text);
  return line ? "" : line.error().message;
}

std::string with(std::string text, const std::string& old, const std::string& fresh) {
  return text.replace(text.find(old), old.size(), fresh);
}

TEST(ChainLineText, HasTheseKeysInThisOrder) {
  EXPECT_EQ(line_text(sample_line()),
            fmt::format(R"({{"seq":7,"prev":"{}","time":"2026-11-28T08:00:00.123Z","kind":"promote-switched",)"
                        R"("object":"{}","by":"bob@xavier.example"}})"
                        "\n",
                        sha256("6"), sha256("x")));
}

TEST(ChainLineText, EveryKindHasAWordAndIsFoundByIt) {
  const std::vector<std::string> words{
      "import",   "repair", "begin", "run",           "submit",           "approve",      "reject",         "waive",
      "withdraw", "policy", "trust", "promote-begun", "promote-switched", "promote-done", "promote-refused"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto kind = chain_kind_from(words[i]);
    ASSERT_TRUE(kind) << words[i];
    EXPECT_EQ(static_cast<std::size_t>(*kind), i);
    EXPECT_EQ(to_string(*kind), words[i]);
    auto line = sample_line();
    line.kind = *kind;
    EXPECT_EQ(parse_chain_line(bytes_of(line)).value(), line);
  }
  EXPECT_FALSE(chain_kind_from("promotion"));
  EXPECT_FALSE(chain_kind_from(""));
}

// There is one spelling of an entry: what is read is what would be written.
TEST(ChainLineText, NoOtherBytesAreTheSameLine) {
  const auto text = bytes_of(sample_line());
  std::size_t read = 0;
  const auto look = [&](const std::string& other) {
    if (other == text) return;
    const auto line = parse_chain_line(other);
    if (!line) return;
    ++read;
    EXPECT_EQ(bytes_of(*line), other);
    EXPECT_NE(*line, sample_line());
  };
  const std::string others = std::string("x\"\\ ,:{}0129-") + '\0' + '\n' + '\x7f' + '\xff';
  for (std::size_t at = 0; at <= text.size(); ++at) {
    for (const char c : others) {
      look(text.substr(0, at) + c + text.substr(at));
      if (at < text.size()) look(text.substr(0, at) + c + text.substr(at + 1));
    }
    look(text.substr(0, at));
    if (at < text.size()) look(text.substr(0, at) + text.substr(at + 1));
  }
  EXPECT_GT(read, 100U) << "a digit for a digit is another line, and can be read";
}

TEST(ChainLineText, RefusesWithThePlaceAndTheReason) {
  const auto text = bytes_of(sample_line());
  EXPECT_EQ(why(text), "");
  EXPECT_EQ(why(with(text, "{\"seq\":7", "{ \"seq\":7")), "character 1: expected '{\"seq\":'");
  EXPECT_THAT(why(with(text, ":7,", ":07,")), HasSubstr("'07' is no number"));
  EXPECT_THAT(why(with(text, ":7,", ":0,")), HasSubstr("'0' is no number"));
  EXPECT_THAT(why(with(text, ":7,", ":9007199254740992,")), HasSubstr("is no number"));
  EXPECT_EQ(why(with(text, ":7,", ":9007199254740991,")), "");
  EXPECT_THAT(why(with(text, ":7,", ":99999999999999999999999,")), HasSubstr("is no number"));
  EXPECT_THAT(why(with(text, ":7,", ":-7,")), HasSubstr("is no number"));
  EXPECT_THAT(why(with(text, "promote-switched", "promoted")), HasSubstr("'promoted' is no kind of event"));
  EXPECT_THAT(why(with(text, sha256("6"), "00")), HasSubstr("'00' is no SHA-256"));
  EXPECT_EQ(why(with(text, sha256("x"), "")), "");
  EXPECT_THAT(why(with(text, "bob@xavier.example", "*@xavier.example")), HasSubstr("is no name of a signer"));
  EXPECT_THAT(why(with(text, "bob@xavier.example", "bob\\u0040x")), HasSubstr("is no name of a signer"));
  EXPECT_THAT(why(text + ","), HasSubstr("expected the end of the line"));
  EXPECT_THAT(why(with(text, "}", ",\"more\":1}")), HasSubstr("expected '\"}'"));
  EXPECT_NE(why(""), "");
  EXPECT_NE(why(std::string(200000, '[')), "");
}

TEST(ChainTime, IsRealAndInUtc) {
  EXPECT_EQ(chain_time("1970-01-01T00:00:01.500Z")->time_since_epoch(), std::chrono::milliseconds(1500));
  EXPECT_EQ(chain_time("2028-02-29T23:59:59Z"), chain_time("2028-02-29T23:59:59.000Z"));
  for (const char* wrong :
       {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00",
        "2026-01-01T00:00:00+00:00", "2026-01-01 00:00:00Z", "2026-01-01t00:00:00z", "2026-01-01T00:00:00.1Z",
        "2026-01-01T00:00:00.123456Z", "2026-1-1T00:00:00Z", "", "Z", " 026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.-12Z"})
    EXPECT_FALSE(chain_time(wrong)) << wrong;
}

TEST(ChainHeadText, HasOneSpelling) {
  const HeadNote note{sha256("first"), {12, sha256("last")}, "2026-11-28T08:00:00.000Z"};
  const auto text = head_text(note);
  EXPECT_EQ(text,
            fmt::format("patchlab ledger {}\n12\n{}\n2026-11-28T08:00:00.000Z\n", sha256("first"), sha256("last")));
  EXPECT_EQ(parse_head(text, "head").value(), note);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    for (const char c : std::string("x \n0")) {
      const auto other = text.substr(0, at) + c + text.substr(at);
      const auto read = parse_head(other, "head");
      if (read) {
        EXPECT_EQ(head_text(*read), other);
      }
    }
    EXPECT_FALSE(at < text.size() && parse_head(text.substr(0, at), "head")) << at;
  }
  EXPECT_EQ(parse_noted("12:" + sha256("last")).value(), note.head);
  for (const auto& wrong : {std::string(), std::string("12"), ":" + sha256("x"), "-1:" + sha256("x"),
                            "012:" + sha256("x"), "12:" + sha256("x") + "0", "12 :" + sha256("x")})
    EXPECT_FALSE(parse_noted(wrong)) << wrong;
}

}  // namespace
}  // namespace patchlab::promotion
