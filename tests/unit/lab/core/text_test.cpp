// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/text.hpp"

#include <gtest/gtest.h>

namespace patchlab {
namespace {

TEST(Trimmed, TakesTheFormatsBlanksFromBothEndsOnly) {
  EXPECT_EQ(trimmed(" \ta b\r"), "a b");
  EXPECT_EQ(trimmed("a\n"), "a\n") << "a line end is no blank unless the format says so";
  EXPECT_EQ(trimmed("\n a \n", " \n"), "a");
  EXPECT_EQ(trimmed(" \t "), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Split, KeepsEmptyParts) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a:b", ':'), (Parts{"a", "b"}));
  EXPECT_EQ(split(":a:", ':'), (Parts{"", "a", ""}));
  EXPECT_EQ(split("", ':'), Parts{""});
}

TEST(LowerCase, IsAboutAsciiOnly) {
  EXPECT_EQ(lower_case("WSUSSCAN.cab"), "wsusscan.cab");
  EXPECT_EQ(lower_case("@AZ[\xc3\x84"), "@az[\xc3\x84");
}

TEST(IsGuid, TakesTheFormWithBracesOnly) {
  EXPECT_TRUE(is_guid("{000C1084-0000-0000-C000-000000000046}"));
  EXPECT_TRUE(is_guid("{000c1084-0000-0000-c000-00000000004f}"));
  EXPECT_FALSE(is_guid("000C1084-0000-0000-C000-000000000046"));
  EXPECT_FALSE(is_guid("{000C1084-0000-0000-C000-00000000004}"));
  EXPECT_FALSE(is_guid("{000C1084-0000-0000-C000-00000000004G}"));
  EXPECT_FALSE(is_guid("{000C108410000-0000-C000-000000000046}"));
  EXPECT_FALSE(is_guid(""));
}

}  // namespace
}  // namespace patchlab
