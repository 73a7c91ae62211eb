// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/servers/servers.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "lab/core/text.hpp"
#include "tests/support/server_captures.hpp"

namespace patchlab::lab::guest::servers {
namespace {
using test::captured_servers;
using test::server_capture;
using test::servers_in;
using test::with;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* roles[] = {"dns", "dhcp", "file", "print", "mail", "db", "db-changed"};

std::string value(const HostState& state, const std::string& kind, const std::string& item) {
  const auto rows = state.rows.find(kind);
  if (rows == state.rows.end()) return "no such kind";
  const auto found = rows->second.find(item);
  return found == rows->second.end() ? "no such item" : found->second;
}

TEST(Servers, OfAllRolesAnswer) {
  const std::map<std::string, std::vector<std::string>> expected{{"dns", {"bind"}},
                                                                 {"dhcp", {"kea"}},
                                                                 {"file", {"samba"}},
                                                                 {"print", {"cups"}},
                                                                 {"db", {"postgresql", "tls"}},
                                                                 {"mail", {"dovecot", "postfix", "tls"}}};
  for (const auto& [role, names] : expected) {
    const auto state = captured_servers(role);
    std::vector<std::string> found;
    for (const auto& [name, said] : state.rows.at("server")) {
      EXPECT_EQ(said, "answers") << role;
      found.push_back(name);
    }
    EXPECT_EQ(found, names);
    EXPECT_TRUE(state.absent_sources.empty()) << role;
  }
}

TEST(Servers, DatabaseSaysWhatItHas) {
  const auto state = captured_servers("db");
  EXPECT_EQ(value(state, "postgresql-setting", "ssl"), "on");
  EXPECT_EQ(value(state, "postgresql-setting", "wal_buffers"), "built in: 128 x 8kB");
  EXPECT_EQ(value(state, "postgresql-access", "host corp app 10.20.0.0 255.255.255.0"), "scram-sha-256");
  EXPECT_EQ(value(state, "postgresql-role", "app"), "logs in, password scram");
  EXPECT_THAT(value(state, "postgresql-role", "postgres"), StartsWith("superuser, "));
  EXPECT_EQ(value(state, "postgresql-column", "corp: public.inventory.unit_price"), "numeric(10,2) not null");
  EXPECT_EQ(value(state, "postgresql-constraint", "corp: public.inventory: inventory_sku_key"), "UNIQUE (sku)");
  EXPECT_EQ(value(state, "postgresql-rows", "corp: public.inventory"), "1000");
  EXPECT_EQ(value(state, "tls-version", "5432 (postgres) at most 1.3"), "TLSv1.3 TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(value(state, "tls-version", "5432 (postgres) at most 1.1"), "no such item");
  const auto changed = captured_servers("db-changed");
  EXPECT_EQ(value(changed, "postgresql-column", "corp: stock.\"Odd\tname\".id"), "integer not null identity always");
  EXPECT_THAT(value(changed, "postgresql-role", "old"), HasSubstr("password md5, until 2030-01-01"));
  EXPECT_THAT(value(changed, "postgresql-function", "corp: stock.all_of_it(n integer)"),
              HasSubstr("with the rights of its owner"));
}

TEST(Servers, NameServerSaysItsZones) {
  const auto state = captured_servers("dns");
  EXPECT_EQ(value(state, "bind-setting", "options / listen-on"), "\"any\";");
  EXPECT_EQ(value(state, "bind-setting", "zone \"corp.example\" / type"), "primary");
  EXPECT_THAT(value(state, "bind-zone", "corp.example"), StartsWith("serial 2026010101, 21 records, SHA-256 "));
  EXPECT_EQ(value(state, "bind-record", "corp.example: corp.example. MX"),
            "3600 10 mail1.corp.example.; 3600 20 mail2.corp.example.");
  EXPECT_EQ(value(state, "bind-record", "corp.example: corp.example. SOA"),
            "3600 dns1.corp.example. hostmaster.corp.example. 7200 1800 1209600 300");
  const auto other =
      servers_in(with(server_capture("dns"), "www.corp.example.\t\t\t      3600", "www.corp.example.\t\t\t      60"));
  EXPECT_EQ(value(*other, "bind-record", "corp.example: www.corp.example. CNAME"), "60 portal.corp.example.");
  EXPECT_FALSE(state.rows.contains("bind-empty-zone"));
}

TEST(Servers, MailServersSayWhatIsSetAndWhatIsUsual) {
  const auto state = captured_servers("mail");
  EXPECT_EQ(value(state, "postfix-setting", "mynetworks"), "127.0.0.0/8");
  EXPECT_EQ(value(state, "postfix-default", "mynetworks_style"),
            "${{$compatibility_level} <level {2} ? {subnet} : {host}}");
  EXPECT_EQ(value(state, "postfix-default", "mail_version"), "no such item");
  EXPECT_THAT(value(state, "postfix-service", "submission/inet"), HasSubstr("-o smtpd_tls_security_level=encrypt"));
  EXPECT_EQ(value(state, "dovecot-setting", "passdb / driver"), "passwd-file");
  EXPECT_EQ(value(state, "dovecot-setting", "ssl_key"), "set");
  EXPECT_EQ(value(state, "tls-port", "143 (imap)"), "TLS");
  EXPECT_EQ(value(state, "tls-version", "25 (smtp) at most 1.1"), "TLSv1.0 ECDHE-RSA-AES256-SHA");
  EXPECT_THAT(
      value(state, "tls-certificate", "25 (smtp)"),
      StartsWith("subject CN=mail1.corp.example,O=corp.example, issuer CN=mail1.corp.example,O=corp.example, until "
                 "2046-11-24, key SHA-256 "));
}

TEST(Servers, OthersSayTheirOwn) {
  const auto file = captured_servers("file");
  EXPECT_EQ(value(file, "samba-setting", "projects / valid users"), "@projects");
  EXPECT_EQ(value(file, "samba-setting", "global / server min protocol"), "SMB2");
  EXPECT_EQ(value(file, "samba-default", "global / server min protocol"), "no such item");
  EXPECT_EQ(value(file, "samba-account", "alice"), "uid 2001, password set at 6B0BC571, a person's");
  EXPECT_EQ(value(file, "samba-share-right", "projects"), "S-1-1-0:ALLOWED/0x0/FULL");
  const auto print = captured_servers("print");
  EXPECT_EQ(value(print, "cups-queue", "office state"), "enabled");
  EXPECT_EQ(value(print, "cups-queue", "office device"), "socket://10.20.0.250:9100/?snmp=false");
  EXPECT_EQ(value(print, "cups-queue-setting", "Printer office / ErrorPolicy"), "retry-job");
  EXPECT_EQ(value(print, "cups-setting", "Location / / Allow"), "10.20.0.0/24; localhost");
  const auto dhcp = captured_servers("dhcp");
  EXPECT_EQ(value(dhcp, "kea-setting", "kea-dhcp4 / Dhcp4 / valid-lifetime"), "3600");
  EXPECT_EQ(value(dhcp, "kea-setting",
                  "kea-dhcp4 / Dhcp4 / subnet4 [10.20.0.0/24] / reservations [02:00:0a:14:00:32] / ip-address"),
            "10.20.0.50");
}

// What is between braces, or angle brackets, stays together; everything else may come in any order.
std::vector<std::string> units_of(const std::string& text) {
  std::vector<std::string> units;
  std::string unit;
  int depth = 0;
  for (const auto line : lines_of(text)) {
    (unit += line) += '\n';
    const auto plain = trimmed(line);
    if (plain.ends_with('{') || (plain.starts_with('<') && !plain.starts_with("</"))) ++depth;
    if (plain.starts_with('}') || plain.starts_with("</")) --depth;
    if (depth == 0) units.push_back(std::exchange(unit, {}));
  }
  if (!unit.empty()) units.push_back(unit);
  return units;
}

TEST(Servers, OrderOfWhatTheySayDoesNotMatter) {
  std::mt19937 random(20261129);
  const auto shuffled = [&](std::vector<std::string> units, std::size_t kept) {
    const auto first = units.begin() + static_cast<std::ptrdiff_t>(std::min(kept, units.size()));
    std::shuffle(first, units.end(), random);
    std::string text;
    for (const auto& unit : units) text += unit;
    return text;
  };
  for (const auto* role : roles) {
    const auto expected = captured_servers(role);
    for (int round = 0; round < 20; ++round) {
      std::string text;
      for (const auto& [section, said] : debian::sections(server_capture(role), "@@m")) {
        text += fmt::format("@@m {}\n", section);
        for (const auto& [part, content] : debian::sections(said, "=@@m")) {
          text += fmt::format("=@@m {}\n", part);
          // A certificate, the text of a zone and shares are read in their order; JSON: below.
          const bool in_order =
              section == "said tls" || section == "said kea" || section == "said samba" || part == "zones";
          text += in_order ? content : shuffled(units_of(content), section == "said dovecot" ? 1 : 0);
        }
      }
      EXPECT_EQ(servers_in(text).value(), expected) << role << "\n" << text;
    }
  }
}

TEST(Servers, OrderWithinZonesAndSharesDoesNotMatter) {
  const auto zone = server_capture("dns");
  const std::string mx = "corp.example.\t\t\t\t      3600 IN MX\t10 mail1.corp.example.\n";
  const auto moved = with(with(zone, mx, ""), "www.corp.example.\t", mx + "www.corp.example.\t");
  EXPECT_EQ(servers_in(moved).value(), captured_servers("dns"));
  const auto shares = server_capture("file");
  const std::string path = "\tpath = /srv/samba/projects\n";
  EXPECT_EQ(
      servers_in(with(with(shares, path, ""), "\tvalid users = @projects\n", "\tvalid users = @projects\n" + path))
          .value(),
      captured_servers("file"));
  const auto options = server_capture("dhcp");
  const std::string name = R"({"name": "domain-name", "data": "corp.example"})";
  const std::string search = R"({"name": "domain-search", "data": "corp.example"})";
  auto other = with(with(options, name, "@1"), search, "@2");
  other = with(with(other, "@1", search), "@2", name);
  EXPECT_NE(other, options);
  EXPECT_EQ(servers_in(other).value(), captured_servers("dhcp"));
}

TEST(Servers, WithoutAnAnswerTellOnlyThat) {
  const auto stopped = captured_servers("db-stopped");
  EXPECT_EQ(value(stopped, "server", "postgresql"), "does not answer: no server listens in /run/postgresql");
  EXPECT_EQ(stopped.rows.size(), 1U);
  const auto without = servers_in("@@m absent tls\nthere is no openssl\n@@m end\n").value();
  EXPECT_TRUE(without.rows.empty());
  EXPECT_EQ(without.absent_sources.at("tls"), "there is no openssl");
  EXPECT_EQ(servers_in("@@m end\n").value(), HostState{}) << "there is none";
}

TEST(Servers, ThatAreNotAskedToTheEndAreAnError) {
  for (const auto* role : roles) {
    const auto whole = server_capture(role);
    EXPECT_FALSE(servers_in(with(whole, "@@m end", ""))) << role;
    for (const auto& [section, said] : debian::sections(whole, "@@m")) {
      if (!section.starts_with("said ")) continue;
      EXPECT_FALSE(servers_in(with(whole, "@@m " + section, "@@m late " + section.substr(5)))) << section;
      for (const auto& [part, content] : debian::sections(said, "=@@m")) {
        // What need not be there at all.
        if (part == "accounts" || part == "rights" || part == "printers" || section == "said tls") continue;
        if (section == "said postfix" && part != "all") continue;  // may be empty
        if (section == "said kea" || section == "said postgresql" || section == "said cups") continue;
        for (const auto* now : {"", "garbage\n"}) {
          EXPECT_FALSE(servers_in(with(whole, content, now)))
              << role << ": " << section << " " << part << " '" << now << "'";
        }
      }
    }
  }
  EXPECT_FALSE(servers_in(with(server_capture("db"), "\nend\t\t\n", "\n")));
  EXPECT_FALSE(servers_in(with(server_capture("dns"), "; Dump complete", ";")));
  EXPECT_FALSE(servers_in(with(server_capture("print"), "scheduler is running", "scheduler is not running")));
  EXPECT_FALSE(servers_in(with(server_capture("dhcp"), "\"Dhcp4\"", "Dhcp4")));
  EXPECT_FALSE(servers_in(with(server_capture("mail"), "\nover\n", "\nlate\n")));
  EXPECT_FALSE(servers_in(with(server_capture("mail"), "\nover\n", "\n")));
}

TEST(Servers, SecretsDoNotLeaveTheGuest) {
  for (const auto* role : roles) {
    const auto text = server_capture(role);
    for (const auto* secret : {"SCRAM-SHA-256$", "md5c", "PRIVATE", "Master-Key", "Rainy", "Copper", "Quiet-Harbour"})
      EXPECT_THAT(text, Not(HasSubstr(secret))) << role;
  }
  // And what a guest says in spite of that is not shown.
  const auto print =
      servers_in(with(server_capture("print"), "socket://10.20.0.250", "smb://anne:Hidden-1@10.20.0.250"));
  EXPECT_EQ(value(*print, "cups-queue", "office device"), "smb://...@10.20.0.250:9100/?snmp=false");
  const auto kea = servers_in(with(server_capture("dhcp"), "\"persist\": true", "\"password\": \"Hidden-1\""));
  EXPECT_EQ(value(*kea, "kea-setting", "kea-dhcp4 / Dhcp4 / lease-database / password"), "set");
  const auto mail =
      servers_in(with(server_capture("mail"), "mydomain = corp.example", "mydomain = static:anne:Hidden-1"));
  EXPECT_EQ(value(*mail, "postfix-setting", "mydomain"), "static:...");
}

TEST(Servers, KeaUnderstandsItsOwnComments) {
  const auto text = with(server_capture("dhcp"), "\"authoritative\": true,",
                         "# a \"comment\"\n// another\n\"comment\": \"a # in a text\", <?include \"/etc/kea/x\"?>: 1,");
  const auto state = servers_in(text).value();
  EXPECT_EQ(value(state, "kea-setting", "kea-dhcp4 / Dhcp4 / comment"), "a # in a text");
  const auto running =
      with(server_capture("dhcp"), "=@@m file kea-dhcp4\n",
           "=@@m running kea-dhcp4\n{\"result\": 0, \"arguments\": {\"Dhcp4\": {\"t1-percent\": 0.5}, \"hash\": "
           "\"A\"}}\n=@@m file kea-dhcp4\n");
  EXPECT_EQ(value(*servers_in(running), "kea-running", "kea-dhcp4 / Dhcp4 / t1-percent"), "0.5");
  EXPECT_FALSE(servers_in(with(running, "\"result\": 0", "\"result\": 1")));
}

}  // namespace
}  // namespace patchlab::lab::guest::servers
