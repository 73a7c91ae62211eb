// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/version.hpp"

#include <gtest/gtest.h>

namespace patchlab::patches {
namespace {

struct Pair {
  const char* lower;
  const char* higher;
};

class VersionOrder : public ::testing::TestWithParam<Pair> {};

TEST_P(VersionOrder, IsStrictBothWays) {
  const auto [lower, higher] = GetParam();
  EXPECT_TRUE(compare_versions(lower, higher) < 0) << lower << " < " << higher;
  EXPECT_TRUE(compare_versions(higher, lower) > 0) << higher << " > " << lower;
  EXPECT_TRUE(compare_versions(lower, lower) == 0);
}

// Debian Policy 5.6.12 and the cases that implementations get wrong.
INSTANTIATE_TEST_SUITE_P(
    HardCases, VersionOrder,
    ::testing::Values(Pair{"1.0~~", "1.0~~a"}, Pair{"1.0~~a", "1.0~"}, Pair{"1.0~", "1.0"}, Pair{"1.0", "1.0a"},
                      Pair{"1.0~beta1~svn1245", "1.0~beta1"}, Pair{"1.0~beta1", "1.0"}, Pair{"1.0", "1.0-1"},
                      Pair{"1.0-0.1", "1.0-1"}, Pair{"1.9", "1.10"}, Pair{"1.0-9", "1.0-10"}, Pair{"2.0", "1:1.0"},
                      Pair{"9:0", "10:0"}, Pair{"1.0a", "1.0+"}, Pair{"1.0+", "1.0."}, Pair{"1.0Z", "1.0a"},
                      Pair{"1.2.3", "1.2.3-0+b1"}, Pair{"1.2-1", "1.2-1+b1"}, Pair{"1.2-1+b1", "1.2-1.1"},
                      Pair{"7.6-0", "7.6p2-4"}, Pair{"1.0-1.3.4", "1.0.3-3"}, Pair{"1.18.36:4.3", "1.18.36:5.4"},
                      Pair{"1:9.18.49-1~deb12u1", "1:9.18.49-1~deb12u3"}, Pair{"1:9.18.49-1~deb12u3", "1:9.18.49-1"},
                      Pair{"3.7.11-0+deb12u1", "3.7.11-0+deb12u1+patchlab1"},
                      Pair{"3.7.11-0+deb12u1+patchlab1", "3.7.11-0+deb12u2"},
                      Pair{"2026b-0+deb12u1+patchlab1", "2026f-0+deb12u1"},
                      Pair{"248+deb12u1", "248+deb12u1+patchlab1"}, Pair{"248+deb12u1+patchlab1", "248+deb12u2"},
                      Pair{"6.4", "6.4+patchlab1"}, Pair{"6.4+patchlab1", "6.4.1"}, Pair{"1.0-1-2", "1.0-2-1"},
                      Pair{"99999999999999999999999", "100000000000000000000000"}));

TEST(VersionOrder, TreatsTheseAsEqual) {
  EXPECT_TRUE(compare_versions("1.0", "0:1.0") == 0);
  EXPECT_TRUE(compare_versions("1.0", "1.0-0") == 0);
  EXPECT_TRUE(compare_versions("1.01", "1.1") == 0);
  EXPECT_TRUE(compare_versions("1.0-01", "1.0-1") == 0);
  EXPECT_TRUE(compare_versions("1.a", "1.a0") == 0);
}

TEST(VersionParts, SplitsAtTheFirstColonAndTheLastDash) {
  const auto parts = version_parts("2:4.17.12+dfsg-0-rc1-0+deb12u4");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->epoch, 2U);
  EXPECT_EQ(parts->upstream, "4.17.12+dfsg-0-rc1");
  EXPECT_EQ(parts->revision, "0+deb12u4");
}

TEST(VersionParts, SaysWhyATextIsNoVersion) {
  EXPECT_EQ(version_parts("").error().message, "version '': the upstream part is empty");
  EXPECT_EQ(version_parts("a1").error().message, "version 'a1': the upstream part does not start with a digit");
  EXPECT_EQ(version_parts("1.0-").error().message, "version '1.0-': the revision is empty");
  EXPECT_EQ(version_parts("x:1").error().message, "version 'x:1': the epoch is not a number");
  EXPECT_EQ(version_parts(":1").error().message, "version ':1': the epoch is not a number");
  EXPECT_EQ(version_parts("-1:1").error().message, "version '-1:1': the epoch is not a number");
  EXPECT_EQ(version_parts("2147483648:1").error().message, "version '2147483648:1': the epoch is too big");
  EXPECT_EQ(version_parts("1.0 beta").error().message, "version '1.0 beta' has a character that versions cannot have");
  EXPECT_EQ(version_parts("1/../2").error().message, "version '1/../2' has a character that versions cannot have");
}

TEST(VersionText, IsTheSameVersionInAnotherSpelling) {
  EXPECT_TRUE(is_same_version("0:1.11.0", "1.11.0"));
  EXPECT_TRUE(is_same_version("1.02-0", "1.2"));
  EXPECT_FALSE(is_same_version("1:1.11.0", "1.11.0"));
  EXPECT_FALSE(is_same_version("1.2", "1.2 (half-configured)"));
  EXPECT_FALSE(is_same_version("0:1.2 (half-configured)", "1.2"));
  EXPECT_TRUE(is_same_version("superseded", "superseded"));
  EXPECT_FALSE(is_same_version("install pending", "installed"));
}

TEST(VersionText, LosesItsEpochInFileNames) {
  EXPECT_EQ(without_epoch("1:9.18"), "9.18");
  EXPECT_EQ(without_epoch("9.18"), "9.18");
}

}  // namespace
}  // namespace patchlab::patches
