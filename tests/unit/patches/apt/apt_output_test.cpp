// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/apt_output.hpp"

#include <gtest/gtest.h>

namespace patchlab::patches {
namespace {

TEST(AptSimulation, ReadsUpdatesAndNewPackages) {
  const auto updates = parse_simulation(
      "Reading package lists...\nThe following packages will be upgraded:\n  bind9 perl-base\n"
      "Inst perl-base [5.36.0-7+deb12u3] (5.36.0-7+deb12u4 Debian-Security:12/oldstable-security [amd64])\n"
      "Conf perl-base (5.36.0-7+deb12u4 Debian-Security:12/oldstable-security [amd64])\n"
      "Inst bind9 [1:9.18.49-1~deb12u1] (1:9.18.49-1~deb12u3 Debian:12.11/oldstable, "
      "Debian-Security:12/oldstable-security [amd64]) []\n"
      "Inst libnew:amd64 (1.0 Debian:12/oldstable [amd64]) [bind9:amd64 ]\n"
      "Inst tzdata [1] (2 Debian:12/oldstable-updates [all])\n");
  ASSERT_TRUE(updates) << updates.error().message;
  ASSERT_EQ(updates->size(), 4U);
  EXPECT_EQ((*updates)[0], (AptUpdate{"perl-base", "amd64", "5.36.0-7+deb12u3", "5.36.0-7+deb12u4",
                                      "Debian-Security:12/oldstable-security"}));
  EXPECT_EQ((*updates)[1].origin, "Debian:12.11/oldstable, Debian-Security:12/oldstable-security");
  EXPECT_EQ((*updates)[2], (AptUpdate{"libnew", "amd64", "", "1.0", "Debian:12/oldstable"}));
  EXPECT_EQ((*updates)[3].architecture, "all");
}

TEST(AptSimulation, NamesWhatItWouldRemove) {
  EXPECT_EQ(
      parse_removals("Remv bind9 [1:9] [bind9-utils:amd64 ]\nInst x [1] (2 D:1/s [amd64])\nPurg libfoo:i386 [2]\n"),
      (std::vector<AptRemoval>{{"bind9", "1:9", ""}, {"libfoo", "2", "i386"}}));
}

TEST(AptSimulation, NamesWhatIsKeptBack) {
  EXPECT_EQ(parse_kept_back("Calculating upgrade...\nThe following packages have been kept back:\n  a libb:i386\n  c\n"
                            "The following packages will be upgraded:\n  d\n"),
            (std::vector<std::string>{"a", "libb:i386", "c"}));
  EXPECT_TRUE(parse_kept_back("The following packages will be upgraded:\n  d\n").empty());
}

TEST(AptPolicies, TellWhichVersionsAPinKeepsAway) {
  const auto policies = parse_policy(
      "php:\n  Installed: 1.0\n  Candidate: 1.0\n  Version table:\n     2.0 -1\n        500 http://x y/main Packages\n"
      " *** 1.0 1001\n        100 /var/lib/dpkg/status\n"
      "plain:\n  Installed: 1.0\n  Candidate: 1.1\n  Version table:\n     3.0~bpo1 100\n     1.1 500\n *** 1.0 100\n"
      "outranked:\n  Installed: 1.0\n  Candidate: 1.0\n  Version table:\n     2.0 500\n *** 1.0 990\n"
      "new:\n  Installed: (none)\n  Candidate: 2\n  Version table:\n     2 -1\n");
  ASSERT_EQ(policies.size(), 4U);
  EXPECT_EQ(policies[0].versions, (std::vector<AptPolicy::Version>{{"2.0", -1}, {"1.0", 1001}}));
  EXPECT_EQ(pinned_away(policies[0]), "2.0");
  EXPECT_EQ(pinned_away(policies[1]), "");
  EXPECT_EQ(pinned_away(policies[2]), "2.0");
  EXPECT_EQ(pinned_away(policies[3]), "");
}

TEST(AptSimulation, OfNothingIsEmpty) {
  EXPECT_TRUE(
      parse_simulation("Calculating upgrade...\n0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
          ->empty());
}

TEST(AptSimulation, RefusesLinesItDoesNotUnderstand) {
  EXPECT_EQ(parse_simulation("Inst bind9 nonsense\n").error().message,
            "apt-get printed a line that is not understood: 'Inst bind9 nonsense'");
  EXPECT_FALSE(parse_simulation("Inst bind9\n"));
  EXPECT_FALSE(parse_simulation("Inst bind9 [1] (2)\n"));
  EXPECT_FALSE(parse_simulation("Inst ../x [1] (2 D:1/s [amd64])\n"));
}

TEST(AptOrigin, KnowsSecuritySuites) {
  EXPECT_TRUE(is_security_origin("Debian-Security:12/oldstable-security"));
  EXPECT_TRUE(is_security_origin("Ubuntu:22.04/jammy-security"));
  EXPECT_FALSE(is_security_origin("Debian:12.11/oldstable"));
}

TEST(AptShow, KeepsOnlyVersionsThatCanBeFetched) {
  const auto packages = parse_show(
      "Package: a\nVersion: 1\nArchitecture: amd64\nSize: 10\nSource: s (0.9)\nDepends: b\nSHA256: " +
      std::string(64, 'a') + "\n\nPackage: a\nStatus: install ok installed\nVersion: 0\nArchitecture: amd64\n");
  ASSERT_TRUE(packages);
  ASSERT_EQ(packages->size(), 1U);
  auto package = (*packages)[0];
  EXPECT_EQ(field(package.control, "depends"), "b");
  package.control.clear();
  EXPECT_EQ(package, (AptPackage{"a", "1", "amd64", {"s", "0.9"}, "b", "", std::string(64, 'a'), 10}));
}

}  // namespace
}  // namespace patchlab::patches
