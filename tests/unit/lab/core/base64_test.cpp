// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/base64.hpp"

#include <gtest/gtest.h>

namespace patchlab {
namespace {

// RFC 4648 section 10.
TEST(Base64, WritesTheVectorsOfTheRfc) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, BringsEveryByteBack) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 7 % 256);
  for (std::size_t length = 0; length < 300; ++length) {
    EXPECT_EQ(from_base64(base64(bytes.substr(length, length))), bytes.substr(length, length)) << length;
  }
}

TEST(Base64, RefusesWhatNobodyWrote) {
  for (const auto* text :
       {"Z", "Zg", "Zg=", "Zm9v=", "Zg==Zg==", "Zm9\n", "Z===", "====", "Zh==", "Zm9 ", "Z m=", "Z-_="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace patchlab
