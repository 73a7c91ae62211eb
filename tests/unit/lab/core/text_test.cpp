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

TEST(LowerCase, IsAboutAsciiOnly) {
  EXPECT_EQ(lower_case("WSUSSCAN.cab"), "wsusscan.cab");
  EXPECT_EQ(lower_case("@AZ[\xc3\x84"), "@az[\xc3\x84");
}

}  // namespace
}  // namespace patchlab
