// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "checks/database/canonical_rows.hpp"
#include "checks/database/utf16.hpp"

namespace patchlab::checks::database {
namespace {

TEST(CanonicalRow, JoinsByTabsAndMarksNull) {
  EXPECT_EQ(canonical_row({"1", std::nullopt, ""}), "1\t\\N\t\n");
  EXPECT_EQ(canonical_row({}), "\n");
}

TEST(CanonicalRow, EscapesLikeCopyInTextFormat) {
  EXPECT_EQ(canonical_row({"a\tb\nc\rd\\e\bf\fg\vh"}), "a\\tb\\nc\\rd\\\\e\\bf\\fg\\vh\n");
  EXPECT_EQ(canonical_row({"\\N"}), "\\\\N\n");
}

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

}  // namespace
}  // namespace patchlab::checks::database
