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

TEST(PatchSet, SaysWhatToDoWithTheHalvesOfAnUpdate) {
  auto one = candidate("libc6-2", "libc6", "2");
  auto other = one;
  one.files.front().name = "libc6_2_amd64.deb";
  one.files.front().architecture = "amd64";
  other.files.front().name = "libc6_2_i386.deb";
  other.files.front().architecture = "i386";
  const auto problems = set_problems({one, other});
  ASSERT_FALSE(problems.empty());
  EXPECT_EQ(problems.front(),
            "candidate id 'libc6-2' comes twice: 'libc6_2_amd64.deb' and 'libc6_2_i386.deb' are the halves of one "
            "update; put both files into one folder and name that as the candidate");
  other.files.front().version = "3";  // not of one update
  EXPECT_EQ(set_problems({one, other}).front(), "candidate id 'libc6-2' comes twice");
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

// ---- Windows

Candidate windows_update(const std::string& id, const std::string& identity, const std::vector<std::string>& releases) {
  WindowsPackage package;
  package.kind = PackageKind::msu;
  package.name = identity.substr(0, identity.find('~'));
  package.version = identity.substr(identity.rfind('~') + 1);
  package.architecture = "amd64";
  package.packages = {identity};
  package.removable = "yes";
  package.os_versions = releases;
  package.sha256 = std::string(64, 'a');
  Candidate out;
  out.id = id;
  out.kind = "msu";
  out.files = {candidate_file(package)};
  return out;
}

Candidate rollup(const std::string& id, const std::string& version, const std::vector<std::string>& releases) {
  return windows_update(id, "Package_for_RollupFix~31bf3856ad364e35~amd64~~" + version, releases);
}

Candidate stack(const std::string& id, const std::string& version, const std::string& release) {
  auto out = windows_update(id, "Package_for_KB5094141~31bf3856ad364e35~amd64~~" + version + ".1.0", {release});
  out.files[0].windows->permanent_packages = out.files[0].windows->packages;
  out.files[0].windows->removable = "no";
  out.files[0].windows->servicing_stack = "10.0." + version;
  return out;
}

// Cumulative updates of all releases are called alike: they meet on no machine.
TEST(PatchSet, TakesCumulativeUpdatesOfSeveralReleases) {
  const auto of_2016 = rollup("lcu-2016", "14393.9300.1.5", {"10.0.14393"});
  const auto of_2022 = rollup("lcu-2022", "20348.5614.1.5", {"10.0.20348"});
  EXPECT_TRUE(set_problems({of_2016, of_2022}).empty());
  const auto next_month = rollup("lcu-2016-b", "14393.9400.1.5", {"10.0.14393"});
  EXPECT_EQ(
      set_problems({of_2016, of_2022, next_month}),
      (Ids{"candidates 'lcu-2016' and 'lcu-2016-b' both ship package 'Package_for_RollupFix'; leave one out or let "
           "one supersede the other"}));
  // One that does not say what it is for may be for any.
  EXPECT_EQ(set_problems({of_2016, rollup("unsaid", "1.0.0.0", {})}).size(), 1U);
  // 19041 stands for all builds of its branch.
  EXPECT_EQ(
      set_problems({rollup("a", "19041.1.1.1", {"10.0.19041"}), rollup("b", "19045.1.1.1", {"10.0.19045"})}).size(),
      1U);
}

TEST(PatchSet, PatchesOfOneProductAreNotTheSamePatch) {
  const auto patch = [](const std::string& id, PackageKind kind, const std::string& code, const std::string& version) {
    WindowsPackage package;
    package.kind = kind;
    package.name = "Microsoft SQL Server";
    package.version = version;
    package.architecture = "amd64";
    (kind == PackageKind::msp ? package.patch_code : package.upgrade_code) = code;
    package.sha256 = std::string(64, 'b');
    Candidate out;
    out.id = id;
    out.kind = to_string(kind);
    out.files = {candidate_file(package)};
    return out;
  };
  EXPECT_TRUE(
      set_problems({patch("a", PackageKind::exe, "", "11.0"), patch("b", PackageKind::exe, "", "12.0")}).empty());
  EXPECT_TRUE(
      set_problems({patch("a", PackageKind::msp, "{1}", "11"), patch("b", PackageKind::msp, "{2}", "12")}).empty());
  EXPECT_EQ(
      set_problems({patch("a", PackageKind::msp, "{1a}", "11"), patch("b", PackageKind::msp, "{1A}", "12")}).size(),
      1U);
  EXPECT_EQ(set_problems({patch("a", PackageKind::msi, "{1}", "11"), patch("b", PackageKind::msi, "{1}", "12")}).size(),
            1U);
  // Two files of one name cannot lie on one medium.
  EXPECT_EQ(set_problems({patch("a", PackageKind::exe, "", "11.0"), patch("b", PackageKind::exe, "", "11.0")}).size(),
            1U);
}

TEST(PatchSet, PutsServicingStacksFirstOnWindows) {
  const auto lcu = rollup("lcu", "14393.9300.1.5", {"10.0.14393"});
  const auto ssu = stack("ssu", "14393.9220", "10.0.14393");
  EXPECT_EQ(ids(ordered_set({needing("a", {}), lcu, ssu}).value()), (Ids{"ssu", "a", "lcu"}));
  // What a stack itself needs still comes before it.
  auto needy = ssu;
  needy.prerequisites = {"a"};
  EXPECT_EQ(ids(ordered_set({lcu, needing("b", {}), needy, needing("a", {})}).value()), (Ids{"lcu", "b", "a", "ssu"}));
}

TEST(PatchSet, AServicingStackThatIsNeededIsAPrerequisite) {
  auto lcu = rollup("lcu", "14393.9300.1.5", {"10.0.14393"});
  lcu.files[0].windows->needs_servicing_stack = "10.0.14393.7692";
  const auto enough = stack("ssu", "14393.9220", "10.0.14393");
  EXPECT_EQ(servicing_stacks_for({lcu, enough}, lcu), (Ids{"ssu"}));
  EXPECT_EQ(ids(with_prerequisites({lcu, enough}, {"lcu"})), (Ids{"lcu", "ssu"}));
  EXPECT_TRUE(servicing_stacks_for({lcu, stack("old", "14393.7600", "10.0.14393")}, lcu).empty());
  EXPECT_TRUE(servicing_stacks_for({lcu, stack("other", "17763.9220", "10.0.17763")}, lcu).empty());
  EXPECT_TRUE(servicing_stacks_for({lcu, rollup("none", "14393.9999.1.1", {"10.0.14393"})}, lcu).empty());
  // Never against what is written down.
  auto other_way = enough;
  other_way.prerequisites = {"lcu"};
  EXPECT_EQ(ids(ordered_set({lcu, other_way}).value()), (Ids{"lcu", "ssu"}));
}

TEST(PatchSet, ClosesASubsetOverItsPrerequisites) {
  const std::vector<Candidate> all{needing("a", {"c"}), needing("b", {}), needing("c", {})};
  EXPECT_EQ(ids(with_prerequisites(all, {"a"})), (Ids{"a", "c"}));
  EXPECT_EQ(ids(with_prerequisites(all, {"b", "c"})), (Ids{"b", "c"}));
  EXPECT_TRUE(with_prerequisites(all, {}).empty());
}

}  // namespace
}  // namespace patchlab::patches
