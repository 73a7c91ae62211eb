// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/set/installed_change.hpp"

#include <gtest/gtest.h>

namespace patchlab::patches {
namespace {

const InstalledSet before{{"bind9:amd64", "1"}, {"libc6:amd64", "2"}, {"tzdata:all", "a"}};

CandidateFile deb(const std::string& package, const std::string& version, const std::string& arch = "amd64") {
  return {package + ".deb", "", 1, package, version, arch, "", ""};
}

WindowsPackage windows(PackageKind kind) {
  WindowsPackage package;
  package.kind = kind;
  return package;
}

TEST(InstalledChange, OfADebianPackageIsItsVersion) {
  EXPECT_EQ(expected_changes(before, {deb("bind9", "2"), deb("libnew", "1")}),
            (InstalledSet{{"bind9:amd64", "2"}, {"libnew:amd64", "1"}}));
  EXPECT_EQ(expected_changes({{"bind9", "1"}}, {deb("bind9", "2")}), (InstalledSet{{"bind9", "2"}}));
}

TEST(InstalledChange, FollowsAPackageThatLosesItsArchitecture) {
  EXPECT_EQ(expected_changes(before, {deb("bind9", "2", "all")}),
            (InstalledSet{{"bind9:amd64", ""}, {"bind9:all", "2"}}));
}

TEST(InstalledChange, OfAWindowsUpdateIsEveryPackageInIt) {
  auto update = windows(PackageKind::msu);
  update.packages = {"Package_for_ServicingStack_1~31bf3856ad364e35~amd64~~1.0",
                     "Package_for_KB1~31bf3856ad364e35~amd64~~6.2.1.0"};
  const auto file = candidate_file(update);
  EXPECT_EQ(expected_changes({}, {file}),
            (InstalledSet{{update.packages[0], "installed"}, {update.packages[1], "installed"}}));
  EXPECT_TRUE(say_what_they_change({file}));
}

TEST(InstalledChange, OfAnMsiIsItsProduct) {
  auto product = windows(PackageKind::msi);
  product.product_code = "{23170F69-40C1-2702-1900-000001000000}";
  product.version = "19.0";
  EXPECT_EQ(expected_changes({}, {candidate_file(product)}),
            (InstalledSet{{"product " + product.product_code, "19.0"}}));
  EXPECT_TRUE(say_what_they_change({candidate_file(product)}));
}

TEST(InstalledChange, OfAProgramOrPatchIsNotKnown) {
  for (const auto kind : {PackageKind::exe, PackageKind::msp}) {
    const auto file = candidate_file(windows(kind));
    EXPECT_TRUE(expected_changes({}, {file}).empty());
    EXPECT_FALSE(say_what_they_change({deb("bind9", "2"), file}));
  }
}

}  // namespace
}  // namespace patchlab::patches
