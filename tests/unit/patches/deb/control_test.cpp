// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/control.hpp"

#include <gtest/gtest.h>

namespace patchlab::patches {
namespace {

TEST(ControlFile, KeepsContinuationLinesAndIgnoresCase) {
  const auto stanzas = parse_control("Package: a\nDescription: short\n long one\n .\n more\n\n\nPackage: b\n");
  ASSERT_TRUE(stanzas);
  ASSERT_EQ(stanzas->size(), 2U);
  EXPECT_EQ(field((*stanzas)[0], "description"), "short\nlong one\n.\nmore");
  EXPECT_EQ(field((*stanzas)[1], "PACKAGE"), "b");
  EXPECT_EQ(field((*stanzas)[1], "Version"), "");
}

TEST(ControlFile, NamesTheLineThatIsWrong) {
  EXPECT_EQ(parse_control("Package: a\nnonsense\n").error().message, "line 2: no 'Field: value'");
  EXPECT_EQ(parse_control(" x\n").error().message, "line 1: a continuation of nothing");
  EXPECT_EQ(parse_control("A: 1\na: 2\n").error().message, "line 2: field 'a' stands there twice");
}

TEST(SourceName, ComesFromTheSourceFieldOrThePackage) {
  EXPECT_EQ(source_of({{"Package", "bind9"}, {"Version", "1:9"}}), (SourceName{"bind9", "1:9"}));
  EXPECT_EQ(source_of({{"Package", "libpq5"}, {"Version", "15.1"}, {"Source", "postgresql-15"}}),
            (SourceName{"postgresql-15", "15.1"}));
  EXPECT_EQ(source_of({{"Package", "x"}, {"Version", "1+b2"}, {"Source", "y (1)"}}), (SourceName{"y", "1"}));
}

TEST(DpkgStatus, CountsOnlyWhatIsWhollyInstalled) {
  const auto entries = parse_dpkg_status(
      "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"
      "Package: held\nStatus: hold ok installed\nVersion: 2\nArchitecture: all\n\n"
      "Package: gone\nStatus: deinstall ok config-files\nVersion: 3\nArchitecture: amd64\n\n"
      "Package: half\nStatus: install reinstreq half-installed\nVersion: 4\nArchitecture: amd64\n");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].package, "a");
  EXPECT_EQ((*entries)[1].package, "held");
  EXPECT_EQ((*entries)[1].version, "2");
}

TEST(PackageName, FollowsDpkg) {
  EXPECT_TRUE(is_package_name("libstdc++6"));
  EXPECT_TRUE(is_package_name("0ad"));
  EXPECT_TRUE(is_package_name("r"));
  EXPECT_TRUE(is_package_name("Upper"));
  EXPECT_TRUE(is_package_name("mongodb_exporter"));
  EXPECT_FALSE(is_package_name(""));
  EXPECT_FALSE(is_package_name("_x"));
  EXPECT_FALSE(is_package_name("a b"));
  EXPECT_FALSE(is_package_name("a/b"));
  EXPECT_EQ(known_package_name("Upper_1"), "upper_1");
  EXPECT_FALSE(is_package_name("../etc"));
  EXPECT_FALSE(is_package_name("-rf"));
}

}  // namespace
}  // namespace patchlab::patches
