// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What real servers said, and what of it changed.
#include "checks/state/server_changes.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/support/server_captures.hpp"

namespace patchlab::checks::state {
namespace {
using test::captured_servers;
using test::server_capture;
using test::servers_in;
using test::with;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using enum FindingClass;

std::vector<std::string> told(const std::vector<StateDifference>& differences) {
  std::vector<std::string> lines;
  for (const auto& one : differences) {
    EXPECT_FALSE(one.why.empty()) << one.kind << " " << one.item << ": no rule names it";
    lines.push_back(fmt::format("{} {} {}", to_string(one.finding), one.kind, one.item));
  }
  return lines;
}
std::vector<std::string> changed(const std::string& role, const std::string& old, const std::string& now) {
  return told(compare_servers(captured_servers(role), servers_in(with(server_capture(role), old, now)).value()));
}
using Lines = std::vector<std::string>;

TEST(ServerChanges, OfWhatIsTheSameThereAreNone) {
  for (const auto* role : {"dns", "dhcp", "file", "print", "mail", "db"})
    EXPECT_THAT(compare_servers(captured_servers(role), captured_servers(role)), IsEmpty()) << role;
}

TEST(ServerChanges, OfADatabaseAreFindings) {
  const auto lines = told(compare_servers(captured_servers("db"), captured_servers("db-changed")));
  for (const auto* line :
       {"breach postgresql-role support", "breach postgresql-role old",
        "breach postgresql-access host all all 0.0.0.0 0.0.0.0", "breach postgresql-setting password_encryption",
        "review postgresql-setting fsync", "review postgresql-setting statement_timeout",
        "review postgresql-grant corp: table public.inventory",
        "review postgresql-constraint corp: public.inventory: inventory_sku_key",
        "review postgresql-trigger corp: public.inventory: stamp",
        "breach postgresql-function corp: stock.all_of_it(n integer)", "review postgresql-schema corp: stock"})
    EXPECT_THAT(lines, Contains(line));
  EXPECT_EQ(changed("db", "public.inventory\t1000", "public.inventory\t990"),
            Lines{"review postgresql-rows corp: public.inventory"});
  EXPECT_EQ(changed("db", "wal_buffers\tbuilt in: 128", "wal_buffers\tbuilt in: 64"),
            Lines{"notice postgresql-setting wal_buffers"});
  EXPECT_EQ(changed("db", "role\tapp\tlogs in", "role\tapp\tsuperuser, logs in"), Lines{"breach postgresql-role app"});
  EXPECT_EQ(changed("db", "unit_price\tnumeric(10,2)", "unit_price\tnumeric(12,2)"),
            Lines{"review postgresql-column corp: public.inventory.unit_price"});
}

TEST(ServerChanges, OfOtherServersAreFindings) {
  EXPECT_THAT(changed("dns", "www.corp.example.\t\t\t      3600", "www.corp.example.\t\t\t      60"),
              UnorderedElementsAre("review bind-record corp.example: www.corp.example. CNAME",
                                   "review bind-zone corp.example"));
  EXPECT_EQ(changed("dns", "allow-transfer  {\n\t\t\"none\"", "allow-transfer  {\n\t\t\"any\""),
            Lines{"breach bind-setting options / allow-transfer"});
  EXPECT_EQ(changed("dns", "\trecursion no;", "\trecursion yes;"), Lines{"breach bind-setting options / recursion"});
  EXPECT_EQ(changed("file", "\tpath = /srv/samba/handbook\n", "\tpath = /srv/samba/handbook\n\tguest ok = Yes\n"),
            Lines{"breach samba-setting handbook / guest ok"});
  EXPECT_EQ(changed("file", "[U          ]", "[NU         ]"), Lines{"breach samba-account alice"});
  EXPECT_EQ(changed("file", "create mask = 0660", "create mask = 0600"),
            Lines{"review samba-setting projects / create mask"});
  EXPECT_EQ(changed("print", "office is idle.  enabled since", "office disabled since"),
            Lines{"review cups-queue office state"});
  EXPECT_EQ(changed("print", "office is idle.  enabled since Sun", "office now printing office-7.  enabled since Mon"),
            Lines{});
  EXPECT_EQ(changed("dhcp", "\"valid-lifetime\": 3600", "\"valid-lifetime\": 60"),
            Lines{"review kea-setting kea-dhcp4 / Dhcp4 / valid-lifetime"});
  EXPECT_EQ(changed("mail", "message_size_limit = 20480000", "message_size_limit = 10240000"),
            Lines{"review postfix-setting message_size_limit"});
  EXPECT_EQ(changed("mail", "mynetworks_style = $", "mynetworks_style = host $"),
            Lines{"notice postfix-default mynetworks_style"});
  EXPECT_EQ(changed("mail", "\nnamespace inbox {", "\nssl = no\nnamespace inbox {"),
            Lines{"breach dovecot-setting ssl"});
}

TEST(ServerChanges, OfWhatIsOfferedInTlsAreFindings) {
  // Port 143: the oldest version is offered now, then none of them.
  const std::string none = "New, (NONE), Cipher is (NONE)";
  EXPECT_THAT(changed("mail", none, "New, TLSv1.0, Cipher is ECDHE-RSA-AES256-SHA"),
              Contains("breach tls-version 143 (imap) at most 1.1"));
  auto text = server_capture("mail");
  for (int version = 0; version < 3; ++version) {
    const auto at = text.find("New, TLSv1", text.find("=@@m 25 smtp"));
    text.replace(at, text.find('\n', at) - at, none);
  }
  EXPECT_THAT(told(compare_servers(captured_servers("mail"), servers_in(text).value())),
              Contains("breach tls-port 25 (smtp)"));
  EXPECT_EQ(changed("db", "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384",
                    "New, TLSv1.2, Cipher is ECDHE-RSA-AES256-GCM-SHA384"),
            Lines{"review tls-version 5432 (postgres) at most 1.3"});
}

// One that cannot be asked is never one of which nothing changed.
TEST(ServerChanges, OfAServerThatDoesNotAnswerAreTold) {
  for (const auto* role : {"dns", "dhcp", "file", "print", "mail", "db"}) {
    const auto before = captured_servers(role);
    const auto text = server_capture(role);
    for (const auto& [name, ignored] : before.rows.at("server")) {
      const auto begin = text.find("@@m said " + name);
      const auto end = text.find("\n@@m ", begin);
      const auto without = text.substr(0, begin) + "{}" + text.substr(end + 1);
      const auto said = [&](const std::string& now) { return servers_in(with(without, "{}", now)).value(); };
      const auto mute = said("@@m mute " + name + "\nconnection refused\n");
      EXPECT_EQ(told(compare_servers(before, mute)), Lines{"review server " + name});
      EXPECT_EQ(told(compare_servers(mute, before)), Lines{"review server " + name});
      EXPECT_EQ(told(compare_servers(before, said(""))), Lines{"review server " + name}) << "not installed";
      EXPECT_EQ(told(compare_servers(said(""), before)), Lines{"review server " + name}) << "new";
      const auto absent = said("@@m absent " + name + "\nthere is no tool\n");
      const auto lost = compare_servers(before, absent);
      ASSERT_THAT(lost, SizeIs(1));
      EXPECT_EQ(lost[0].item, "source " + name);
      EXPECT_EQ(lost[0].finding, breach);
      // What was not known at the baseline was said then.
      EXPECT_THAT(compare_servers(mute, mute), IsEmpty());
      EXPECT_THAT(compare_servers(absent, absent), IsEmpty());
      EXPECT_THAT(compare_servers(absent, before), IsEmpty());
      EXPECT_THAT(servers_not_asked(mute), Contains(::testing::Key(name)));
      EXPECT_THAT(servers_not_asked(absent), Contains(::testing::Key(name)));
      EXPECT_THAT(servers_not_asked(before), IsEmpty());
    }
  }
}

TEST(ServerChanges, OfAKindAreBoundedAndTheGravestComeFirst) {
  HostState before, after;
  before.rows["server"]["postgresql"] = after.rows["server"]["postgresql"] = "answers";
  for (int i = 0; i < 100; ++i)
    after.rows["postgresql-role"][fmt::format("role{:03}", i)] = "does not log in, password none";
  after.rows["postgresql-role"]["z"] = "superuser, logs in, password scram";
  const auto found = compare_servers(before, after);
  ASSERT_THAT(found, SizeIs(41));
  EXPECT_EQ(found[0].item, "z");
  EXPECT_EQ(found[0].finding, breach);
  EXPECT_EQ(found[40].item, "61 more");
  EXPECT_EQ(found[40].finding, review);
}

}  // namespace
}  // namespace patchlab::checks::state
