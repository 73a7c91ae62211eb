// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What a real guest (the image of the role dns) said before and after it was tampered with; most of its files, settings
// and texts are cut out of the captures, and NULs are written as \0.
#include "lab/guest/debian_view.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "lab/guest/debian_parse.hpp"

namespace patchlab::lab::guest::debian {
namespace {
using testing::HasSubstr;

using Sections = std::map<std::string, std::string>;

Sections captured(const std::string& name) {
  auto text =
      read_file(std::string(PATCHLAB_SOURCE_DIR) + "/tests/unit/lab/guest/captures/debian-view-" + name + ".txt")
          .value();
  for (auto at = text.find("\\0"); at != std::string::npos; at = text.find("\\0", at)) text.replace(at, 2, 1, '\0');
  return sections(text, "@@m");
}
HostTime at_second(std::int64_t second) {
  const std::chrono::system_clock::time_point time{std::chrono::seconds(second)};
  return {time, time};
}
Result<GuestView> read(const Sections& sections, std::int64_t ahead = 0, Wanted wanted = Wanted::all) {
  const auto clock = std::stoll(sections.at("clock"));
  return view(sections, at_second(clock - ahead), wanted);
}

TEST(DebianView, ReadsWhatAGuestSays) {
  const auto seen = read(captured("before")).value();
  EXPECT_EQ(seen.files.at("/bin").kind, 'l');
  EXPECT_EQ(seen.files.at("/bin").target, "usr/bin");
  EXPECT_EQ(seen.files.at("/usr/bin/su").mode, 04755U);
  EXPECT_TRUE(seen.files.at("/usr/bin/true").attributes.empty());
  EXPECT_EQ(seen.state.rows.at("account").at("root"),
            "uid 0, gid 0, all rights, can log in (/bin/bash), password locked, home /root");
  EXPECT_EQ(
      seen.state.rows.at("account").at("bind"),
      "uid 100, gid 101, system account, cannot log in (/usr/sbin/nologin), password locked, home /var/cache/bind");
  EXPECT_EQ(seen.state.rows.at("group").at("sudo"), "gid 27, members: ");
  EXPECT_EQ(seen.state.rows.at("clock").at("time"), "right");
  EXPECT_EQ(seen.state.rows.at("time zone").at("local"), "UTC +0000");
  EXPECT_EQ(seen.state.rows.at("port name"),
            (std::map<std::string, std::string>{
                {"domain/tcp", "53"}, {"domain/udp", "53"}, {"mail/tcp", "25"}, {"smtp/tcp", "25"}}));
  EXPECT_EQ(seen.state.rows.at("sysctl").at("net.ipv4.ip_forward"), "0");
  EXPECT_FALSE(seen.state.rows.at("sysctl").contains("kernel.random.uuid"));
  EXPECT_TRUE(seen.state.rows.at("mount").contains("/"));
  EXPECT_FALSE(seen.state.rows.at("module").contains("isofs"));
  EXPECT_TRUE(seen.state.rows.at("module").contains("virtio_net"));
  EXPECT_TRUE(seen.owned.at("bind9").contains("/usr/sbin/named"));
  EXPECT_THAT(seen.texts.at("/etc/hosts"), HasSubstr("localhost\n"));
  EXPECT_EQ(seen.digests.at("/etc/shadow").size(), 64U);
  EXPECT_FALSE(seen.texts.contains("/etc/shadow"));
  EXPECT_EQ(seen.users.at(0), "root");
}

TEST(DebianView, ReadsWhatWasTamperedWith) {
  const auto seen = read(captured("after"), 0, Wanted::changes).value();
  EXPECT_THAT(seen.state.rows.at("account").at("backdoor"), HasSubstr("uid 0, gid 0, all rights, can log in"));
  EXPECT_THAT(seen.state.rows.at("account").at("backdoor"), HasSubstr("password set on day 20000"));
  EXPECT_EQ(seen.files.at("/etc").mode, 0777U);
  EXPECT_EQ(seen.files.at("/usr/local/bin/sh2").mode, 04755U);
  EXPECT_EQ(seen.files.at("/usr/bin/true").attributes.at("security.capability").substr(0, 8), "01000002");
  EXPECT_EQ(seen.files.at("/var/lib/misc").user, 100U);
  EXPECT_FALSE(seen.files.contains("/etc/bind/db.empty"));
  EXPECT_EQ(seen.state.rows.at("sysctl").at("net.ipv4.ip_forward"), "1");
  EXPECT_FALSE(seen.state.rows.at("port name").contains("domain/udp"));
  // This guest has no data of time zones: the link tells alone.
  EXPECT_EQ(seen.files.at("/etc/localtime").target, "/usr/share/zoneinfo/Asia/Tokyo");
  EXPECT_EQ(read(captured("after"), 3600, Wanted::changes).value().state.rows.at("clock").at("time"),
            "60 minutes ahead");
}

// Nothing of a hash or a key leaves the guest by this way.
TEST(DebianView, NeverHoldsAHash) {
  for (const auto* name : {"before", "after"}) {
    for (const auto& [section, text] : captured(name)) EXPECT_EQ(text.find("$6$"), std::string::npos) << section;
  }
}

TEST(DebianView, IsAnErrorWithoutEachOfItsParts) {
  const auto whole = captured("before");
  ASSERT_TRUE(read(whole));
  for (const auto& [name, text] : whole) {
    if (name == "clock") continue;  // below
    auto lost = whole;
    lost.erase(name);
    EXPECT_FALSE(read(lost)) << name << " lost";
    auto failed = whole;
    failed["failed " + name] = "it ended with 1\n";
    EXPECT_FALSE(read(failed)) << name << " failed";
    if (name == "end" || name == "firewall") continue;  // any text is a rule set
    auto garbage = whole;
    garbage[name] = "garbage\n";
    EXPECT_FALSE(read(garbage)) << name << " garbage";
    if (name == "digests" || name == "texts" || name == "owned") EXPECT_TRUE(read(lost, 0, Wanted::changes));
  }
  auto garbage = whole;
  garbage["clock"] = "garbage\n";
  EXPECT_FALSE(view(garbage, at_second(0), Wanted::all));
  garbage.erase("clock");
  EXPECT_FALSE(view(garbage, at_second(0), Wanted::all));
}

// So nobody is blamed for a clock that is wrong because the lab was busy when the guest started.
TEST(DebianView, OfAGuestWhoseSecondsAreTooShortIsAnError) {
  auto sections = captured("before");
  const auto after_seconds = [&](int in_guest, int here) {
    sections["clock"] = fmt::format("{} +0000 UTC {}\n", 1000 + in_guest, 1000);
    auto host = at_second(1000);
    host.after += std::chrono::seconds(here);
    return view(sections, host, Wanted::all);
  };
  EXPECT_TRUE(after_seconds(5, 5));
  EXPECT_TRUE(after_seconds(2, 60));
  EXPECT_TRUE(after_seconds(-3600, 5)) << "set by somebody";
  const auto fast = after_seconds(14, 4);
  ASSERT_FALSE(fast);
  EXPECT_THAT(fast.error().message, HasSubstr("14 s passed there while 4.0 s passed here"));
}

TEST(DebianView, OfFilesThatFindCouldNotReadIsAnError) {
  auto cut = captured("before");
  cut["files"] = cut["files"].substr(0, cut["files"].size() / 2);
  EXPECT_FALSE(read(cut));
  auto bad = captured("before");
  const auto end = bad["files"].find("end 0");
  bad["files"].replace(end, 5, "end 1");
  EXPECT_FALSE(read(bad));
}

TEST(DebianView, TellsThatAttributesCannotBeSeen) {
  auto without = captured("before");
  const std::string seen = std::string("x none none ") + std::string(2, '\0');
  const auto at = without["files"].find(seen);
  ASSERT_NE(at, std::string::npos);
  without["files"].erase(at, seen.size());
  EXPECT_TRUE(read(without).value().state.absent_sources.contains("attributes"));
}

TEST(DebianView, UnpacksAndRefusesDamage) {
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30\x3a\x36\x06\x00\x00\x00", 26);
  EXPECT_EQ(unpacked(packed, 100).value(), "hello\n");
  EXPECT_FALSE(unpacked(packed.substr(0, 20), 100));
  EXPECT_FALSE(unpacked(packed, 3));
  EXPECT_EQ(unpacked("plain", 100).value(), "plain");
}

TEST(DebianView, ReadsDigestsAndTexts) {
  const std::string digest(64, 'a');
  EXPECT_EQ(digests(digest + "  /etc/a b\n\\" + digest + "  /etc/x\\ny\n"),
            (std::map<std::string, std::string>{{"/etc/a b", digest}, {"/etc/x\ny", digest}}));
  EXPECT_EQ(texts(std::string("/etc/a\0one\n/etc/a\0two\n", 22)),
            (std::map<std::string, std::string>{{"/etc/a", "one\ntwo\n"}}));
}

}  // namespace
}  // namespace patchlab::lab::guest::debian
