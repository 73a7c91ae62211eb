// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/deb_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lab/core/digest.hpp"
#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::PackageBuilder;
using testing::TestFolder;

class DebFileTest : public ::testing::Test {
 protected:
  std::string trouble_with_deb_file(const std::string& bytes, const DebLimits& limits = {}) {
    const auto deb = inspect_deb(folder_.write("x.deb", bytes), limits);
    return deb ? "no trouble" : deb.error().message;
  }
  TestFolder folder_;
};

TEST_F(DebFileTest, TellsWhatThePackageSaysOfItself) {
  PackageBuilder builder;
  builder.more_fields = "Source: hello-src (2.10)\nDepends: libc6 (>= 2.34)\nPre-Depends: dpkg\n";
  builder.control_extra = {testing::file("./postinst", "#!/bin/sh\n", 0755)};
  const auto bytes = builder.bytes();
  const auto deb = inspect_deb(folder_.write("whatever.deb", bytes));
  ASSERT_TRUE(deb) << deb.error().message;
  EXPECT_EQ(deb->package, "hello");
  EXPECT_EQ(deb->version, "1:2.10-3");
  EXPECT_EQ(deb->architecture, "amd64");
  EXPECT_EQ(deb->source, (SourceName{"hello-src", "2.10"}));
  EXPECT_EQ(deb->depends, "libc6 (>= 2.34)");
  EXPECT_EQ(deb->pre_depends, "dpkg");
  EXPECT_EQ(deb->description, "says hello");
  EXPECT_EQ(deb->installed_kib, 12U);
  EXPECT_EQ(deb->entries, 3U);
  EXPECT_EQ(deb->unpacked_bytes, 13U);
  EXPECT_EQ(deb->maintainer_scripts, std::vector<std::string>{"postinst"});
  EXPECT_EQ(deb->canonical_name(), "hello_2.10-3_amd64.deb");
  EXPECT_EQ(deb->sha256, sha256(bytes));
  EXPECT_EQ(deb->bytes, bytes.size());
}

TEST_F(DebFileTest, NamesTheFileThatIsNotThere) {
  EXPECT_THAT(inspect_deb(folder_.path() / "none.deb").error().message, HasSubstr("none.deb"));
}

TEST_F(DebFileTest, RefusesWhatIsNoPackage) {
  EXPECT_THAT(trouble_with_deb_file(""), HasSubstr("x.deb' is no Debian package (too short)"));
  EXPECT_THAT(trouble_with_deb_file("<html>404 not found</html>"), HasSubstr("is no Debian package (no ar archive)"));
  EXPECT_THAT(trouble_with_deb_file("!<arch>\n"), HasSubstr("it needs debian-binary, control.tar and data.tar"));
}

TEST_F(DebFileTest, FindsATruncationAtEveryLength) {
  const auto bytes = PackageBuilder{}.bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto message = trouble_with_deb_file(bytes.substr(0, length));
    // The last byte may be mere padding of the ar archive; dpkg does not ask for it either.
    if (length + 1 == bytes.size()) continue;
    ASSERT_NE(message, "no trouble") << "at " << length << " of " << bytes.size();
  }
}

TEST_F(DebFileTest, FindsAFlippedBitAnywhereInTheCompressedMembers) {
  const auto bytes = PackageBuilder{}.bytes();
  const auto layout = read_deb_layout(folder_.write("good.deb", bytes));
  ASSERT_TRUE(layout);
  for (const auto& member : {layout->control, layout->data}) {
    for (auto at = member.offset; at < member.offset + member.bytes; at += 3) {
      auto damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
      ASSERT_NE(trouble_with_deb_file(damaged), "no trouble") << member.name << " at " << at;
    }
  }
}

TEST_F(DebFileTest, RefusesBytesAfterTheEnd) {
  EXPECT_THAT(trouble_with_deb_file(PackageBuilder{}.bytes() + "garbage"), HasSubstr("has bytes after its end"));
}

TEST_F(DebFileTest, RefusesNamesThatLeaveTheRoot) {
  for (const char* name : {"../evil", "./usr/../../evil", "/../etc/passwd", "./.."}) {
    PackageBuilder builder;
    builder.data.push_back(testing::file(name, "x"));
    EXPECT_THAT(trouble_with_deb_file(builder.bytes()), HasSubstr("would leave the root folder")) << name;
  }
  PackageBuilder builder;
  TarEntry link = testing::file("./usr/link", "");
  link.type = EntryType::hardlink;
  link.target = "../../etc/shadow";
  builder.data.push_back(link);
  EXPECT_THAT(trouble_with_deb_file(builder.bytes()), HasSubstr("hard link './usr/link' would leave the root folder"));
}

// dpkg installs all of these, and keeps each inside its root (tests/integration/patches).
TEST_F(DebFileTest, AcceptsWhatDpkgKeepsInsideTheRoot) {
  PackageBuilder builder;
  builder.data = {testing::folder("./"), testing::folder("/opt/"), testing::file("/opt/absolute", "x")};
  TarEntry link = testing::file("/opt/link", "");
  link.type = EntryType::hardlink;
  link.target = "/opt/absolute";
  builder.data.push_back(link);
  EXPECT_EQ(trouble_with_deb_file(builder.bytes()), "no trouble");
}

TEST_F(DebFileTest, AcceptsPackagesWithoutFiles) {
  const auto control = pack_tar_xz(PackageBuilder{}.control()).value();
  const auto nothing = pack_tar_xz({}).value();
  EXPECT_EQ(trouble_with_deb_file(pack_deb(control, nothing, 0)), "no trouble");  // an end marker alone
  auto uncompressed = pack_deb(control, "", 0);
  EXPECT_NE(trouble_with_deb_file(uncompressed), "no trouble");  // xz is never without a byte, neither for dpkg
  uncompressed.replace(uncompressed.rfind("data.tar.xz"), 11, "data.tar   ");
  EXPECT_EQ(trouble_with_deb_file(uncompressed), "no trouble");
  EXPECT_THAT(trouble_with_deb_file(pack_deb(nothing, nothing, 0)), HasSubstr("has no control file"));
}

TEST_F(DebFileTest, ReadsTheControlFileThatDpkgReads) {
  PackageBuilder first;
  PackageBuilder second;
  second.version = "9";
  auto control = first.control();
  control.push_back(testing::file(".//control", second.control_text()));
  const auto file = folder_.write("x.deb", pack_deb(pack_tar_xz(control).value(), pack_tar_xz(first.data).value(), 0));
  EXPECT_EQ(inspect_deb(file).value().version, "9");
  TarEntry link = testing::file("./control", "");
  link.type = EntryType::symlink;
  link.target = "other";
  control.push_back(link);
  EXPECT_THAT(trouble_with_deb_file(pack_deb(pack_tar_xz(control).value(), pack_tar_xz(first.data).value(), 0)),
              HasSubstr("its control file is no plain file"));
}

TEST_F(DebFileTest, KnowsAPackageByTheNameThatDpkgListsItUnder) {
  PackageBuilder builder;
  builder.package = "Mongodb_Exporter";
  const auto read = inspect_deb(folder_.write("x.deb", builder.bytes()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->package, "mongodb_exporter");
  EXPECT_EQ(read->canonical_name(), "mongodb_exporter_2.10-3_amd64.deb");
}

TEST(PlainPath, IsBelowTheRootHoweverItIsSpelt) {
  for (const char* path : {"usr/bin/x", "./usr/bin/x", "/usr/bin/x", ".//usr/bin/x", "./usr//./bin/x", "././usr/bin/x"})
    EXPECT_EQ(plain_path(path), "usr/bin/x") << path;
  EXPECT_EQ(plain_path("./"), "");
  EXPECT_EQ(plain_path("/"), "");
  EXPECT_EQ(plain_path("usr/..x/.y/"), "usr/..x/.y");
}

TEST_F(DebFileTest, AcceptsSymbolicLinksThatPointUpwards) {
  PackageBuilder builder;
  TarEntry link = testing::file("./usr/link", "");
  link.type = EntryType::symlink;
  link.target = "../../run/x";
  builder.data.push_back(link);
  EXPECT_EQ(trouble_with_deb_file(builder.bytes()), "no trouble");
}

TEST_F(DebFileTest, StopsAtItsLimits) {
  PackageBuilder builder;
  builder.data.push_back(
      testing::file("./zeros", std::string(1U << 20U, '\0')));  // a small bomb: 1 MiB out of 200 bytes
  DebLimits limits;
  limits.unpacked_bytes = 100'000;
  EXPECT_THAT(trouble_with_deb_file(builder.bytes(), limits),
              HasSubstr("data.tar.xz: unpacks to more than the 100000 bytes allowed"));
  limits = {};
  limits.entries = 2;
  EXPECT_THAT(trouble_with_deb_file(builder.bytes(), limits), HasSubstr("has more than 2 entries"));
  limits = {};
  limits.file_bytes = 100;
  EXPECT_THAT(trouble_with_deb_file(builder.bytes(), limits), EndsWith("is larger than 100 bytes"));
}

TEST_F(DebFileTest, RefusesBadControlFiles) {
  PackageBuilder builder;
  builder.package = "../x";
  EXPECT_THAT(trouble_with_deb_file(builder.bytes()), EndsWith("'../x' is no package name"));
  builder = {};
  builder.version = "1 2";
  EXPECT_THAT(trouble_with_deb_file(builder.bytes()), HasSubstr("has a character that versions cannot have"));
  builder = {};
  builder.architecture = "";
  EXPECT_THAT(trouble_with_deb_file(builder.bytes()), EndsWith("'' is no architecture"));
  builder = {};
  builder.more_fields = "Package: twice\n";
  EXPECT_THAT(trouble_with_deb_file(builder.bytes()), HasSubstr("field 'Package' stands there twice"));
  builder = {};
  builder.more_fields = "\nPackage: second\n";
  EXPECT_THAT(trouble_with_deb_file(builder.bytes()), HasSubstr("must have exactly one paragraph"));
}

TEST_F(DebFileTest, RefusesAMemberWhoseSizeIsNonsense) {
  auto bytes = PackageBuilder{}.bytes();
  bytes.replace(8 + 48, 10, "99999999  ");
  EXPECT_THAT(trouble_with_deb_file(bytes), HasSubstr("is truncated: member 'debian-binary' needs 99999999 bytes"));
  bytes.replace(8 + 48, 10, "-1        ");
  EXPECT_THAT(trouble_with_deb_file(bytes), HasSubstr("is damaged at byte 8 (ar size '-1')"));
}

TEST(PackTar, GivesTheSameBytesEveryTime) { EXPECT_EQ(PackageBuilder{}.bytes(), PackageBuilder{}.bytes()); }

}  // namespace
}  // namespace patchlab::patches
