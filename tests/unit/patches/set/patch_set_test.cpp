// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/patch_set.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using Ids = std::vector<std::string>;
using testing::candidate;

Candidate needing(const std::string& id, const Ids& prerequisites) {
  auto out = candidate(id, "pkg-" + id, "1");
  out.prerequisites = prerequisites;
  return out;
}

Ids ids(const std::vector<Candidate>& candidates) {
  Ids out;
  for (const auto& c : candidates) out.push_back(c.id);
  return out;
}

TEST(PatchSet, KeepsTheGivenOrderWhereNothingElseIsAsked) {
  EXPECT_EQ(ids(ordered_set({needing("c", {}), needing("a", {}), needing("b", {})}).value()), (Ids{"c", "a", "b"}));
}

TEST(PatchSet, PutsPrerequisitesFirst) {
  EXPECT_EQ(ids(ordered_set({needing("a", {"c"}), needing("b", {}), needing("c", {"d"}), needing("d", {})}).value()),
            (Ids{"b", "d", "c", "a"}));
}

TEST(PatchSet, PutsWhatReplacesAPrerequisiteFirstAsWell) {
  auto newer = needing("newer", {});
  newer.supersedes = {"old"};
  const std::vector<Candidate> set{needing("top", {"old"}), needing("old", {}), newer};
  EXPECT_EQ(ids(ordered_set(set).value()), (Ids{"old", "newer", "top"}));
  Ids providers;
  for (const auto* provider : providers_of(set, "old")) providers.push_back(provider->id);
  EXPECT_EQ(providers, (Ids{"old", "newer"}));
  // Where the newer one itself needs who waits for it, the prerequisites alone decide.
  newer.prerequisites = {"top"};
  EXPECT_EQ(ids(ordered_set({needing("top", {"old"}), needing("old", {}), newer}).value()),
            (Ids{"old", "top", "newer"}));
}

// By pairs and look-ups of each, this many took minutes.
TEST(PatchSet, OfThousandsIsReadAtOnce) {
  std::vector<Candidate> all;
  for (int i = 0; i < 4000; ++i) {
    all.push_back(needing(fmt::format("c{}", i), {}));
    if (i > 0) all.back().prerequisites = {fmt::format("c{}", i - 1)};
    if (i % 2 == 0) all.back().supersedes = {fmt::format("old-{}", i)};
  }
  std::reverse(all.begin(), all.end());
  const auto begin = std::chrono::steady_clock::now();
  const auto set = ordered_set(all);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->front().id, "c0");
  EXPECT_EQ(set->back().id, "c3999");
}

TEST(PatchSet, RefusesAMissingPrerequisite) {
  const auto set = ordered_set({needing("a", {"ghost"})});
  ASSERT_FALSE(set);
  EXPECT_EQ(set.error().message, "candidate 'a' needs 'ghost', which is not in the set");
  EXPECT_EQ(set.error().error_class, ErrorClass::configuration);
}

TEST(PatchSet, AcceptsWhatSupersedesAPrerequisite) {
  auto newer = needing("b2", {});
  newer.supersedes = {"b1"};
  EXPECT_EQ(ids(ordered_set({needing("a", {"b1"}), newer}).value()), (Ids{"b2", "a"}));
}

TEST(PatchSet, RefusesCircles) {
  EXPECT_EQ(set_problems({needing("a", {"b"}), needing("b", {"a"}), needing("c", {})}),
            (Ids{"the prerequisites of 'a', 'b' go round in a circle"}));
  EXPECT_EQ(set_problems({needing("a", {"a"})}), (Ids{"the prerequisites of 'a' go round in a circle"}));
}

TEST(PatchSet, RefusesOneIdTwice) {
  EXPECT_EQ(set_problems({needing("a", {}), needing("a", {})}), (Ids{"candidate id 'a' comes twice"}));
}

TEST(PatchSet, RefusesTwoCandidatesWithOnePackage) {
  EXPECT_EQ(
      set_problems({candidate("real", "bind9", "2"), candidate("bad", "bind9", "1+patchlab1")}),
      (Ids{"candidates 'real' and 'bad' both ship package 'bind9'; leave one out or let one supersede the other"}));
}

TEST(PatchSet, AllowsTheSamePackageWhenOneSupersedesTheOther) {
  auto one = candidate("v1", "bind9", "1");
  auto two = candidate("v2", "bind9", "2");
  auto three = candidate("v3", "bind9", "3");
  two.supersedes = {"v1"};
  three.supersedes = {"v2"};
  EXPECT_TRUE(set_problems({one, two, three}).empty());
  EXPECT_TRUE(supersedes({one, two, three}, "v3", "v1"));
  EXPECT_FALSE(supersedes({one, two, three}, "v1", "v3"));
}

TEST(PatchSet, ClosesASubsetOverItsPrerequisites) {
  const std::vector<Candidate> all{needing("a", {"c"}), needing("b", {}), needing("c", {})};
  EXPECT_EQ(ids(with_prerequisites(all, {"a"})), (Ids{"a", "c"}));
  EXPECT_EQ(ids(with_prerequisites(all, {"b", "c"})), (Ids{"b", "c"}));
  EXPECT_TRUE(with_prerequisites(all, {}).empty());
}

}  // namespace
}  // namespace patchlab::patches
