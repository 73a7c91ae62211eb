// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/relation.hpp"

#include <gtest/gtest.h>

namespace patchlab::patches {
namespace {

TEST(Dependencies, ReadAlternativesVersionsAndQualifiers) {
  const auto clauses =
      parse_dependencies("libc6 (>= 2.34), debconf (>=0.5) | debconf-2.0, python3:any (<< 4~),\n perl (= 5.36),");
  ASSERT_TRUE(clauses);
  ASSERT_EQ(clauses->size(), 4U);
  EXPECT_EQ((*clauses)[0], (Alternatives{{"libc6", VersionRelation::later_or_equal, "2.34"}}));
  EXPECT_EQ((*clauses)[1][0], (Dependency{"debconf", VersionRelation::later_or_equal, "0.5"}));
  EXPECT_EQ((*clauses)[1][1], (Dependency{"debconf-2.0", VersionRelation::any, ""}));
  EXPECT_EQ((*clauses)[2][0], (Dependency{"python3", VersionRelation::earlier, "4~"}));
  EXPECT_EQ(to_string((*clauses)[3][0]), "perl (= 5.36)");
}

TEST(Dependencies, OfNothingAreNone) { EXPECT_TRUE(parse_dependencies(" \n")->empty()); }

TEST(Dependencies, RefuseNonsense) {
  EXPECT_FALSE(parse_dependencies("libc6 (2.34)"));
  EXPECT_FALSE(parse_dependencies("libc6 (>= 2.34"));
  EXPECT_FALSE(parse_dependencies("libc6 (>= )"));
  EXPECT_FALSE(parse_dependencies("a b c"));
  EXPECT_FALSE(parse_dependencies("| x"));
}

TEST(VersionRelation, HoldsExactlyWhereItShould) {
  using enum VersionRelation;
  const auto row = [](const char* have, VersionRelation relation) { return version_fits(have, relation, "2"); };
  EXPECT_TRUE(row("1", earlier) && !row("2", earlier) && !row("3", earlier));
  EXPECT_TRUE(row("1", earlier_or_equal) && row("2", earlier_or_equal) && !row("3", earlier_or_equal));
  EXPECT_TRUE(!row("1", equal) && row("2", equal) && !row("3", equal));
  EXPECT_TRUE(!row("1", later_or_equal) && row("2", later_or_equal) && row("3", later_or_equal));
  EXPECT_TRUE(!row("1", later) && !row("2", later) && row("3", later));
  EXPECT_TRUE(row("1", any) && row("3", any));
}

}  // namespace
}  // namespace patchlab::patches
