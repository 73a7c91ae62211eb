// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/tree/snapshot_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::snapshots {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;

SnapshotName name(const Prefix& prefix) { return SnapshotName::for_prefix(prefix); }

TEST(SnapshotTree, StartsFromTheBaselineWhenNothingIsSaved) {
  SnapshotTree tree(3);
  const auto start = tree.start_for({"a", "b"});
  EXPECT_EQ(start.snapshot, SnapshotName::baseline());
  EXPECT_EQ(start.applied, 0U);
}

TEST(SnapshotTree, StartsFromTheLongestSavedPrefix) {
  SnapshotTree tree(3);
  EXPECT_THAT(tree.add({"a"}), IsEmpty());
  EXPECT_THAT(tree.add({"a", "b"}), IsEmpty());
  EXPECT_EQ(tree.start_for({"a", "b", "c"}).snapshot, name({"a", "b"}));
  EXPECT_EQ(tree.start_for({"a", "b", "c"}).applied, 2U);
  EXPECT_EQ(tree.start_for({"a", "c"}).snapshot, name({"a"}));
  EXPECT_EQ(tree.start_for({"b", "a"}).applied, 0U);
  EXPECT_EQ(tree.start_for({"a", "b"}).applied, 2U);
}

TEST(SnapshotTree, GivesUpTheLeastRecentlyUsed) {
  SnapshotTree tree(2);
  EXPECT_THAT(tree.add({"a"}), IsEmpty());
  EXPECT_THAT(tree.add({"b"}), IsEmpty());
  (void)tree.start_for({"a", "x"});  // makes "a" younger than "b"
  EXPECT_THAT(tree.add({"c"}), ElementsAre(name({"b"})));
  EXPECT_TRUE(tree.has(name({"a"})));
  EXPECT_FALSE(tree.has(name({"b"})));
}

// So a search that halves a long set finds a state near each of its questions.
TEST(SnapshotTree, KeepsStatesOfOneInstallationApart) {
  SnapshotTree tree(6);
  Prefix all;
  for (int i = 0; i < 64; ++i) {
    all.push_back(std::to_string(i));
    (void)tree.add(all);
  }
  EXPECT_EQ(tree.start_for(all).applied, 64U) << "the new one stays";
  for (std::size_t length = 16; length <= 64; length += 8) {
    const Prefix some(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_GE(tree.start_for(some).applied + 16, length);
    EXPECT_GT(tree.start_for(some).applied, 0U);
  }
}

TEST(SnapshotTree, GivesUpOldStatesThoughTheySpareMuch) {
  SnapshotTree tree(4);
  const Prefix old(20, "a");
  (void)tree.add(old);
  Prefix other;
  for (int i = 0; i < 64; ++i) {
    other.push_back(std::to_string(i));
    (void)tree.add(other);
  }
  EXPECT_FALSE(tree.has(name(old)));
}

TEST(SnapshotTree, NeverGivesUpTheNewOneOrTheBaseline) {
  SnapshotTree tree(0);
  EXPECT_THAT(tree.add({"a"}), IsEmpty());
  EXPECT_THAT(tree.add({"b"}), ElementsAre(name({"a"})));
  EXPECT_THAT(tree.add({}), IsEmpty());
  EXPECT_TRUE(tree.has(name({"b"})));
  EXPECT_FALSE(tree.has(name({"a"})));
}

TEST(SnapshotTree, SavingTheSamePrefixTwiceIsOneNode) {
  SnapshotTree tree(2);
  EXPECT_THAT(tree.add({"a"}), IsEmpty());
  EXPECT_THAT(tree.add({"a"}), IsEmpty());
  EXPECT_THAT(tree.add({"b"}), IsEmpty()) << "there is room for two";
}

}  // namespace
}  // namespace patchlab::snapshots
