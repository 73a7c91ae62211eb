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

TEST(InstalledChange, IsExactWhenEverythingAskedForAndNothingElseChanged) {
  const auto expected = expected_changes(before, {deb("bind9", "2"), deb("libnew", "1")});
  EXPECT_EQ(expected, (std::vector<PackageChange>{{"bind9", "amd64", "1", "2"}, {"libnew", "amd64", "", "1"}}));
  const InstalledSet after{{"bind9:amd64", "2"}, {"libc6:amd64", "2"}, {"libnew:amd64", "1"}, {"tzdata:all", "a"}};
  const auto comparison = compare_installed(before, after, expected);
  EXPECT_TRUE(comparison.exact());
  EXPECT_EQ(comparison.describe(), "");
}

TEST(InstalledChange, ReportsAWidenedSet) {
  const InstalledSet after{{"bind9:amd64", "2"}, {"libc6:amd64", "3"}, {"extra:amd64", "1"}};
  const auto comparison = compare_installed(before, after, expected_changes(before, {deb("bind9", "2")}));
  EXPECT_FALSE(comparison.exact());
  EXPECT_TRUE(comparison.missing.empty());
  EXPECT_EQ(comparison.describe(),
            "set widened: 'extra:amd64' 1 was added; set widened: 'libc6:amd64' changed from 2 to 3; set widened: "
            "'tzdata:all' a was removed");
}

TEST(InstalledChange, ReportsWhatDidNotArrive) {
  const auto comparison =
      compare_installed(before, before, expected_changes(before, {deb("bind9", "2"), deb("libnew", "1")}));
  EXPECT_TRUE(comparison.widened.empty());
  EXPECT_EQ(comparison.describe(), "missing: 'bind9' should be 2, is 1; missing: 'libnew' should be 1, is absent");
}

TEST(InstalledChange, FollowsAPackageThatLosesItsArchitecture) {
  InstalledSet after = before;
  after.erase("bind9:amd64");
  after["bind9:all"] = "2";
  EXPECT_TRUE(compare_installed(before, after, expected_changes(before, {deb("bind9", "2", "all")})).exact());
}

}  // namespace
}  // namespace patchlab::patches
