// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/changelog.hpp"

#include <gtest/gtest.h>

#include "tests/unit/patches/package_builder.hpp"

namespace patchlab::patches {
namespace {

using Names = std::vector<std::string>;

const char* const text =
    "bind9 (1:9.18.49-1~deb12u3) bookworm-security; urgency=medium\n\n  * [CVE-2026-1111] fixed, as CVE-2026-22222.\n\n"
    " -- X <x@example.org>  Sat, 01 Aug 2026 00:00:00 +0000\n\n"
    "bind9 (1:9.18.49-1~deb12u2) bookworm-security; urgency=HIGH (HIGH for users of x)\n\n  * CVE-2026-1111 again, "
    "CVE-20-1 and CVE-2026-12 are none\n\n"
    "bind9 (1:9.18.49-1~deb12u1) bookworm; urgency=critical\n\n  * CVE-2025-0001\n";

TEST(Changelog, OfAnUpdateIsWhatIsNewerThanTheInstalledVersion) {
  EXPECT_EQ(changelog_facts(text, "1:9.18.49-1~deb12u2"),
            (ChangelogFacts{"medium", {"CVE-2026-1111", "CVE-2026-22222"}}));
  EXPECT_EQ(changelog_facts(text, "1:9.18.49-1~deb12u1"),
            (ChangelogFacts{"high", {"CVE-2026-1111", "CVE-2026-22222"}}));
  EXPECT_EQ(changelog_facts(text, "").urgency, "critical");
  EXPECT_EQ(changelog_facts(text, "").cves.front(), "CVE-2025-0001");
}

TEST(Changelog, ThatSaysNothingIsUnknown) {
  EXPECT_EQ(changelog_facts("", ""), ChangelogFacts{});
  EXPECT_EQ(changelog_facts("x (2) stable; urgency=whatever\n", "1").urgency, "");
  EXPECT_EQ(changelog_facts(text, "2:1"), ChangelogFacts{});
}

TEST(Changelog, IsFoundInThePackage) {
  const testing::TestFolder folder;
  testing::PackageBuilder builder;
  EXPECT_EQ(changelog_of(folder.write("none.deb", builder.bytes()), "hello").value(), std::nullopt);
  builder.data.push_back(testing::file("./usr/share/doc/hello/changelog.Debian.gz", "no gzip"));
  EXPECT_FALSE(changelog_of(folder.write("bad.deb", builder.bytes()), "hello"));
  const std::string gzip(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x50\xd0\x30\xd2\x54\x28\xb6\x56\x28"
      "\x2d\x4a\x4f\xcd\x4b\xae\xb4\xcd\xc8\x4c\xcf\xe0\x02\x00\x97\xdf\xf1\xcc\x16\x00"
      "\x00\x00",
      42);
  builder.data.back() = testing::file("./usr/share/doc/hello/changelog.Debian.gz", gzip);
  EXPECT_EQ(changelog_of(folder.write("good.deb", builder.bytes()), "hello").value(), "x (2) s; urgency=high\n");
}

}  // namespace
}  // namespace patchlab::patches
