// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/utf16.hpp"

#include <gtest/gtest.h>

namespace patchlab {
namespace {

TEST(Utf16, GoesThereAndBack) {
  const std::string text = "a \xc3\xbc \xe8\xa3\x9c \xf0\x9f\x98\x80";
  EXPECT_EQ(to_utf16(text), u"a \u00fc \u88dc \U0001F600");
  EXPECT_EQ(to_utf8(to_utf16(text)), text);
}

TEST(Utf16, ReplacesWhatIsMalformed) {
  EXPECT_EQ(to_utf16("a\xff"), u"a\ufffd");
  const std::u16string lonely{u'a', static_cast<char16_t>(0xD83D), u'b', static_cast<char16_t>(0xDE00)};
  EXPECT_EQ(to_utf8(lonely),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd");
}

TEST(Utf16, IsReadFromBytesOfEitherOrder) {
  EXPECT_EQ(utf16_units(std::string_view("a\0\xfc\0\x3d\xd8\x00\xde", 8)), u"a\u00fc\U0001F600");
  EXPECT_EQ(utf16_units(std::string_view("\0a\0\xfc\xd8\x3d\xde\x00", 8), ByteOrder::big), u"a\u00fc\U0001F600");
  EXPECT_EQ(utf16_units(std::string_view("a\0b", 3)), u"a") << "half a unit at the end";
}

}  // namespace
}  // namespace patchlab
