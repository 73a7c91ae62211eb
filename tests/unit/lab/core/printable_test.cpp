// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/printable.hpp"

#include <gmock/gmock.h>

#include "lab/core/json.hpp"

namespace patchlab {
namespace {

TEST(Printable, LeavesTextOfEveryLanguageAsItIs) {
  for (const std::string text : {"bind9_1:9.18.33-1~deb12u2_amd64.deb", "C:\\Windows\\notes", "Grüße an Łódź",
                                 "日本語 ファイル", "עברית", "emoji 🐧", "a\xc2\xa0non-breaking blank"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, WritesOutWhatWouldDoSomething) {
  EXPECT_EQ(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(printable("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m")
      << "the one-character form of ESC [";
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "fdp.exe"),
            "\\u202efdp.exe")
      << "right-to-left override";
  EXPECT_EQ(printable("\xe2\x81\xa6x\xe2\x81\xa9"), "\\u2066x\\u2069") << "isolates";
  EXPECT_EQ(printable("a\xe2\x80\xa8"
                      "b"),
            "a\\u2028b")
      << "line separator";
  EXPECT_EQ(printable("\xef\xbb\xbfx"), "\\ufeffx");
  EXPECT_EQ(printable("a\xe2\x80\x8b"
                      "b"),
            "a\\u200bb")
      << "zero width space";
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\U000e0041") << "tag characters";
}

TEST(Printable, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\xff\x9b"
                      "b"),
            "a\xef\xbf\xbd\xef\xbf\xbd"
            "b");
  EXPECT_EQ(printable("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
  EXPECT_EQ(printable("\xed\xa0\x80").find('\xed'), std::string::npos) << "a surrogate";
}

// Whatever the bytes are, nothing below blank comes out, and no byte of a C1 character.
TEST(Printable, NeverPrintsAControlCharacter) {
  std::string every;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) every += {static_cast<char>(first), static_cast<char>(second)};
  }
  const auto shown = printable(every);
  EXPECT_EQ(printable(shown), shown);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const auto byte = static_cast<unsigned char>(shown[i]);
    ASSERT_TRUE(byte >= 0x20 && byte != 0x7f) << i;
    if (byte == 0xc2) {
      ASSERT_GE(static_cast<unsigned char>(shown[i + 1]), 0xa0) << i;
    }
  }
}

TEST(Printable, LeavesAsciiToFormatsThatHaveARuleForIt) {
  EXPECT_EQ(printable_beyond_ascii("a\x1b\n<b>\x7f\xc2\x9b\xe2\x80\xae"), "a\x1b\n<b>\\x7f\\x9b\\u202e");
}

TEST(Printable, KeepsLinesThatAreMeant) { EXPECT_EQ(printable_lines("a\x1b\nb\r\n"), "a\\x1b\nb\\r\n"); }

TEST(Printable, KeepsTheMeaningOfJson) {
  const Json json{{"k\xe2\x80\xae", "\x1b[2J\x7f\xc2\x9b\xf3\xa0\x81\x81"}, {"n", 1}};
  const auto shown = printable_json(pretty(json));
  EXPECT_EQ(Json::parse(shown), json);
  for (const char* bad : {"\x1b", "\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xf3\xa0"})
    EXPECT_EQ(shown.find(bad), std::string::npos);
}

}  // namespace
}  // namespace patchlab
