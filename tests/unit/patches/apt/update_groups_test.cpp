// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/update_groups.hpp"

#include <gtest/gtest.h>

namespace patchlab::patches {
namespace {

using Names = std::vector<std::string>;

const char* const security = "Debian-Security:12/stable-security";
const char* const point = "Debian:12.1/stable";

// Builds updates and their descriptions side by side.
struct World {
  std::vector<ImageUpdates> images{1};
  std::vector<AptPackage> offers;

  World& offer(const std::string& package, const std::string& source, const std::string& version,
               const std::string& depends = "") {
    offers.push_back({package, version, "amd64", {source, version}, depends, "", std::string(64, 'a'), 1});
    return *this;
  }
  // What apt says: the updates of source `own` are installed together with those of `other`.
  World& need(const std::string& own, const std::string& other) {
    images[0].needs[own].insert(other);
    return *this;
  }
  World& update(const std::string& package, const std::string& before, const std::string& after,
                const char* origin = security, std::size_t image = 0) {
    images[image].updates.push_back({package, "amd64", before, after, origin});
    return *this;
  }
  std::vector<UpdateGroup> groups() const { return group_updates(images, offers).value(); }
};

Names ids(const std::vector<UpdateGroup>& groups) {
  Names out;
  for (const auto& group : groups) out.push_back(group.id());
  return out;
}

Names packages(const UpdateGroup& group) {
  Names out;
  for (const auto& package : group.packages) out.push_back(package.package);
  return out;
}

TEST(UpdateGroups, PutPackagesOfOneSourceTogetherOverAllImages) {
  World world;
  world.images.resize(2);
  world.offer("bind9", "bind9", "1:2-1").offer("bind9-libs", "bind9", "1:2-1").offer("curl", "curl", "8");
  world.update("bind9", "1:1-1", "1:2-1")
      .update("bind9-libs", "1:1-1", "1:2-1", security, 1)
      .update("curl", "7", "8", point, 1);
  const auto groups = world.groups();
  EXPECT_EQ(ids(groups), (Names{"apt-bind9-2-1", "apt-curl-8"}));
  EXPECT_EQ(packages(groups[0]), (Names{"bind9", "bind9-libs"}));
  EXPECT_TRUE(groups[0].security);
  EXPECT_FALSE(groups[1].security);
}

TEST(UpdateGroups, MakeAPrerequisiteOfWhatOnlyAnotherUpdateProvides) {
  World world;
  world.offer("app", "app", "2", "libssl3 (>= 3.1), libc6").offer("libssl3", "openssl", "3.1");
  world.update("app", "1", "2").update("libssl3", "3.0", "3.1").need("app 2", "openssl 3.1");
  const auto groups = world.groups();
  EXPECT_EQ(groups[0].prerequisites, Names{"apt-openssl-3.1"});
  EXPECT_TRUE(groups[1].prerequisites.empty());
}

// apt is asked; what a dependency field says is not (tests/integration/patches/apt_decides_test.cpp).
TEST(UpdateGroups, NeedNothingThatAptDoesNotName) {
  World world;
  world.offer("app", "app", "2", "libssl3 (>= 3.0)").offer("libssl3", "openssl", "3.1");
  world.update("app", "1", "2").update("libssl3", "3.0", "3.1");
  EXPECT_TRUE(world.groups()[0].prerequisites.empty());
}

TEST(UpdateGroups, AddANewPackageToTheUpdateThatNeedsIt) {
  World world;
  world.offer("app", "app", "2", "libnew").offer("libnew", "newlib", "1");
  world.update("app", "1", "2").update("libnew", "", "1").need("app 2", "newlib 1");
  const auto groups = world.groups();
  ASSERT_EQ(ids(groups), Names{"apt-app-2"});
  EXPECT_EQ(packages(groups[0]), (Names{"app", "libnew"}));
  EXPECT_EQ(groups[0].sources, (Names{"app", "newlib"}));
}

TEST(UpdateGroups, KeepANewPackageOfSeveralUpdatesAsTheirPrerequisite) {
  World world;
  world.offer("app", "app", "2", "libnew").offer("bpp", "bpp", "2", "libnew").offer("libnew", "newlib", "1");
  world.update("app", "1", "2").update("bpp", "1", "2").update("libnew", "", "1");
  world.need("app 2", "newlib 1").need("bpp 2", "newlib 1");
  const auto groups = world.groups();
  EXPECT_EQ(ids(groups), (Names{"apt-app-2", "apt-bpp-2", "apt-newlib-1"}));
  EXPECT_EQ(groups[0].prerequisites, Names{"apt-newlib-1"});
  EXPECT_EQ(groups[1].prerequisites, Names{"apt-newlib-1"});
}

TEST(UpdateGroups, MeltUpdatesThatNeedEachOther) {
  World world;
  world.offer("app", "app", "2", "lib (>= 2)").offer("lib", "lib-src", "2", "app (>= 2)");
  world.update("app", "1", "2").update("lib", "1", "2").need("app 2", "lib-src 2").need("lib-src 2", "app 2");
  const auto groups = world.groups();
  ASSERT_EQ(ids(groups), Names{"apt-app-2"});
  EXPECT_TRUE(groups[0].prerequisites.empty());
  EXPECT_EQ(packages(groups[0]), (Names{"app", "lib"}));
}

TEST(UpdateGroups, RefuseAnUpdateThatNobodyDescribes) {
  World world;
  world.update("ghost", "1", "2");
  EXPECT_EQ(group_updates(world.images, world.offers).error().message, "apt offers 'ghost' 2 but does not describe it");
}

World three() {
  World world;
  world.offer("zeta", "zeta", "2").offer("app", "app", "2", "openlib (>= 2)").offer("openlib", "openlib", "2");
  world.update("zeta", "1", "2").update("app", "1", "2", point).update("openlib", "1", "2", point);
  world.need("app 2", "openlib 2");
  return world;
}

TEST(SelectGroups, ListsSecurityFirstAndPrerequisitesBeforeTheirUsers) {
  EXPECT_EQ(ids(select_groups(three().groups(), {}).groups), (Names{"apt-zeta-2", "apt-openlib-2", "apt-app-2"}));
}

TEST(SelectGroups, KeepsToTheRequest) {
  const auto groups = three().groups();
  EXPECT_EQ(ids(select_groups(groups, {{}, std::nullopt, true}).groups), Names{"apt-zeta-2"});
  const auto limited = select_groups(groups, {{}, 1, false});
  EXPECT_EQ(ids(limited.groups), Names{"apt-zeta-2"});
  EXPECT_EQ(limited.notes, Names{"2 of 3 updates from the apt sources are left out by the limit"});
  const auto named = select_groups(groups, {{"app", "nothing"}, std::nullopt, false});
  EXPECT_EQ(ids(named.groups), (Names{"apt-openlib-2", "apt-app-2"}));
  EXPECT_EQ(named.notes, (Names{"the apt sources offer no update of 'nothing' over what the golden images hold",
                                "'apt-openlib-2' comes along because another update needs it"}));
}

TEST(SelectGroups, TakesThemAsTheyAreNamedWhereThatIsAskedFor) {
  AptRequest request{.packages = {"openlib", "zeta"}, .limit = {}, .as_named = true};
  EXPECT_EQ(ids(select_groups(three().groups(), request).groups), (Names{"apt-openlib-2", "apt-zeta-2"}));
  request.packages = {"app", "zeta"};
  EXPECT_EQ(ids(select_groups(three().groups(), request).groups), (Names{"apt-openlib-2", "apt-app-2", "apt-zeta-2"}))
      << "what it needs stands before it";
  request.limit = 1;
  EXPECT_EQ(ids(select_groups(three().groups(), request).groups), (Names{"apt-openlib-2", "apt-app-2"}));
}

TEST(SelectGroups, SaysSoWhenThereIsNothing) {
  const auto selected = select_groups({}, {});
  EXPECT_TRUE(selected.groups.empty());
  EXPECT_EQ(selected.notes, Names{"the apt sources offer no updates over what the golden images hold"});
}

TEST(UpdateGroup, BecomesACandidate) {
  World world;
  world.offer("bind9", "bind9", "1:2-1~deb12u3", "libc6").update("bind9", "1:1", "1:2-1~deb12u3");
  auto group = world.groups()[0];
  EXPECT_EQ(candidate_of(group).severity, Severity::unknown) << "that it is a security update does not say how severe";
  group.changes = {"high", {"CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4"}};
  EXPECT_EQ(candidate_of(group).title,
            "bind9 1:2-1~deb12u3 (security update): CVE-2026-1, CVE-2026-2, CVE-2026-3 and 1 more");
  group.changes.cves.clear();
  const auto candidate = candidate_of(group);
  EXPECT_EQ(candidate.id, "apt-bind9-2-1~deb12u3");
  EXPECT_EQ(candidate.title, "bind9 1:2-1~deb12u3 (security update)");
  EXPECT_EQ(candidate.severity, Severity::important);
  EXPECT_EQ(candidate.origin, Origin::apt);
  ASSERT_EQ(candidate.files.size(), 1U);
  EXPECT_EQ(candidate.files[0].name, "bind9_2-1~deb12u3_amd64.deb");
  EXPECT_EQ(candidate.files[0].depends, "libc6");
  EXPECT_EQ(candidate.digest, candidate_digest(candidate));
}

}  // namespace
}  // namespace patchlab::patches
