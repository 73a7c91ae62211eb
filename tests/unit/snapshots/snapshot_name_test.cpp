// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/tree/snapshot_name.hpp"

#include <gtest/gtest.h>

namespace patchlab::snapshots {
namespace {

TEST(SnapshotName, TakesPlainNamesOnly) {
  for (const auto* good : {"baseline", "a", "prefix-2-0aF.3", "9"}) EXPECT_EQ(SnapshotName::parse(good)->text(), good);
  for (const auto& bad : {std::string(), std::string("-a"), std::string(".a"), std::string("a b"), std::string("a/b"),
                          std::string("a'"), std::string("a\n"), std::string(64, 'a')}) {
    EXPECT_FALSE(SnapshotName::parse(bad)) << bad;
  }
  EXPECT_EQ(SnapshotName::parse("a b").error().message, "'a b' is not a snapshot name");
}

TEST(SnapshotName, OfNothingAppliedIsTheBaseline) { EXPECT_EQ(SnapshotName::for_prefix({}), SnapshotName::baseline()); }

TEST(SnapshotName, OfTonightIsNotThatOfTheBaselineThatIsKept) {
  EXPECT_NE(SnapshotName::tonight(), SnapshotName::baseline());
  EXPECT_TRUE(SnapshotName::parse(SnapshotName::tonight().text()));
}

TEST(SnapshotName, OfAPrefixDependsOnContentAndOrder) {
  const auto name = SnapshotName::for_prefix({"aa", "bb"});
  EXPECT_EQ(name, SnapshotName::for_prefix({"aa", "bb"}));
  EXPECT_NE(name, SnapshotName::for_prefix({"bb", "aa"}));
  EXPECT_NE(name, SnapshotName::for_prefix({"aab", "b"}));
  EXPECT_NE(name, SnapshotName::for_prefix({"aa"}));
  EXPECT_TRUE(name.text().starts_with("prefix-2-"));
  EXPECT_TRUE(SnapshotName::parse(name.text()));
}

}  // namespace
}  // namespace patchlab::snapshots
