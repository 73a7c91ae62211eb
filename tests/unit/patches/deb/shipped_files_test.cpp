// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/shipped_files.hpp"

#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

TEST(ShippedFiles, AreWhatTheArchiveHolds) {
  const testing::TestFolder folder;
  testing::PackageBuilder builder;
  builder.control_extra.push_back(testing::file("./conffiles", "/etc/hello.conf\nremove-on-upgrade /etc/old.conf\n"));
  builder.data.push_back(testing::file("./etc/hello.conf", "greeting=hello\n", 0640));
  builder.data.back().group = "adm";
  builder.data.push_back(testing::file("./usr/bin/up", "up\n", 04755));
  TarEntry link;
  link.path = "./usr/bin/hi";
  link.type = EntryType::symlink;
  link.target = "../hello";
  builder.data.push_back(link);
  link.path = "./usr/bin/same";
  link.type = EntryType::hardlink;
  link.target = "./usr/hello";
  builder.data.push_back(link);
  const auto shipped = shipped_files(folder.write("hello.deb", builder.bytes()), "hello").value();
  EXPECT_EQ(shipped.package, "hello");
  EXPECT_EQ(shipped.conffiles, std::set<std::string>{"/etc/hello.conf"});
  ASSERT_EQ(shipped.files.size(), 6U);
  EXPECT_EQ(shipped.files.at("/usr").kind, 'd');
  const auto& hello = shipped.files.at("/usr/hello");
  EXPECT_EQ(hello.mode, 0755U);
  EXPECT_EQ(hello.sha256, sha256("hello, world\n"));
  EXPECT_EQ(shipped.files.at("/usr/bin/up").mode, 04755U);
  EXPECT_EQ(shipped.files.at("/etc/hello.conf").group, "adm");
  EXPECT_EQ(shipped.files.at("/usr/bin/hi").kind, 'l');
  EXPECT_EQ(shipped.files.at("/usr/bin/hi").target, "../hello");
  EXPECT_EQ(shipped.files.at("/usr/bin/same"), hello);
}

TEST(ShippedFiles, OfADamagedPackageAreAnError) {
  const testing::TestFolder folder;
  const auto bytes = testing::PackageBuilder().bytes();
  EXPECT_FALSE(shipped_files(folder.write("cut.deb", bytes.substr(0, bytes.size() - 40)), "hello"));
}

}  // namespace
}  // namespace patchlab::patches
