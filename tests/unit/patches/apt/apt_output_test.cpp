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
  EXPECT_EQ((*packages)[0], (AptPackage{"a", "1", "amd64", {"s", "0.9"}, "b", "", std::string(64, 'a'), 10}));
}

}  // namespace
}  // namespace patchlab::patches
