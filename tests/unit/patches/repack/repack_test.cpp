// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/repack/repack.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using testing::PackageBuilder;
using testing::TestFolder;

class RepackTest : public ::testing::Test {
 protected:
  RepackTest() {
    const auto bytes = PackageBuilder{}.bytes();
    const auto path = folder_.write("base.deb", bytes);
    base_ = candidate_file(inspect_deb(path).value());
    EXPECT_TRUE(store_.add_file(path));
    recipe_.identity.id = "bad-hello";
    recipe_.identity.title = "Bad hello";
    recipe_.identity.origin = Origin::repack;
    recipe_.base_package = "hello";
    recipe_.version_suffix = "+patchlab1";
    recipe_.digest = "one";
  }
  Result<Candidate> build() { return build_candidate(recipe_, base_, store_, folder_.path() / "repack"); }
  TestFolder folder_;
  ContentStore store_{folder_.path() / "store"};
  CandidateFile base_;
  Recipe recipe_;
};

TEST_F(RepackTest, MakesACandidateThatSortsAboveItsBase) {
  const auto candidate = build();
  ASSERT_TRUE(candidate) << candidate.error().message;
  EXPECT_EQ(candidate->id, "bad-hello");
  EXPECT_EQ(candidate->origin, Origin::repack);
  ASSERT_EQ(candidate->files.size(), 1U);
  EXPECT_EQ(candidate->files[0].name, "hello_2.10-3+patchlab1_amd64.deb");
  EXPECT_EQ(candidate->files[0].version, "1:2.10-3+patchlab1");
  EXPECT_TRUE(store_.verified_path(candidate->files[0].sha256));
  EXPECT_EQ(candidate->digest, candidate_digest(*candidate));
}

TEST_F(RepackTest, GivesTheSameResultFromTheCacheAndAfterLosingIt) {
  const auto first = build();
  ASSERT_TRUE(first);
  EXPECT_EQ(build().value(), *first);
  std::filesystem::remove_all(folder_.path() / "repack");
  EXPECT_EQ(build().value(), *first);
  std::filesystem::remove(store_.path_of(first->files[0].sha256));
  EXPECT_EQ(build().value(), *first);
}

TEST_F(RepackTest, BuildsAgainWhenTheRecipeChanges) {
  const auto first = build();
  ASSERT_TRUE(first);
  recipe_.digest = "two";
  recipe_.overlay = {{"usr/new", "x", false}};
  EXPECT_NE(build()->files[0].sha256, first->files[0].sha256);
}

TEST_F(RepackTest, SaysWhichCandidateCouldNotBeBuilt) {
  recipe_.remove = {"usr/none"};
  EXPECT_EQ(build().error().message,
            "building candidate 'bad-hello': recipe 'bad-hello' does not fit package 'hello': there is no 'usr/none' "
            "to remove");
}

}  // namespace
}  // namespace patchlab::patches
