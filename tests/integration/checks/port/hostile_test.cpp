// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Each kind of check against a server that means harm. What such a server does is an observation about it: the check
// fails, it never passes, it is no trouble of the lab, and it ends with its deadline.
#include <gmock/gmock.h>
#include <unistd.h>

#include "checks/registry/registry.hpp"
#include "checks/run.hpp"
#include "tests/support/hostile_server.hpp"

namespace patchlab::checks {
namespace {

using test::HostileServer;
using test::Hostility;

constexpr Milliseconds deadline{1500};

// How servers of these protocols begin, whole; some answer only, and their answer is of no use before the question.
const std::string smtp = "220 mail1.corp.example ESMTP\r\n250-mail1.corp.example\r\n250 STARTTLS\r\n";
const std::string imap = "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n";
const std::string pop3 = "+OK ready\r\n";
const std::string tls_record("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + std::string(64, 'r'));
const std::string http = "HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: 100000\r\n\r\n\x01\x01";
const std::string smb = std::string("\x00\x00\x01\x00\xfeSMB\x40\x00", 10) + std::string(100, '\0');
const std::string postgres =
    std::string("R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x40\x00", 14) + std::string(20, 's');
// The answer to PRELOGIN: SQL Server 2019, and no encryption.
const std::string tds = std::string("\x04\x01\x00\x1a\x00\x00\x01\x00", 8) +
                        std::string("\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff", 11) +
                        std::string("\x0f\x00\x10\x37\x00\x00\x02", 7);
const std::string kerberos = std::string("\x00\x00\x00\x80\x7e\x7e\x30\x7c", 8) + std::string(40, 'k');
const std::string dns_stream = std::string("\x40\x00", 2) + std::string(200, '\0');

// A granted login, so that it goes on.
const std::string ldap("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", 14);

struct Victim {
  std::string kind;
  std::string greeting;
  Json with;
  std::vector<std::string> ports;  // keys that say the port
};

// Below those that the kernel hands out: none of the servers, and no connection to them, is given it.
int nobodys_port() { return 20000 + ::getpid() % 10000; }

std::vector<Victim> victims() {
  const Json mail{{"user", "bob"}, {"password", "x"}, {"from", "bob@corp.example"}, {"to", "bob@corp.example"}};
  const Json file{{"share", "team"}, {"user", "bob"}, {"password", "x"}};
  const Json sql{{"database", "erp"}, {"user", "app"}, {"password", "x"}};
  const Json sql_server{{"driver", "FreeTDS"}, {"database", "erp"}, {"user", "app"}};
  const Json directory{{"user", "bob"}, {"password", "x"}};
  const auto with = [](Json base, const Json& more) {
    base.update(more);
    return base;
  };
  return {
      {"dns.query", dns_stream, {{"name", "a.example"}, {"type", "A"}, {"transport", "tcp"}}, {"port"}},
      {"dns.query", dns_stream, {{"name", "a.example"}, {"type", "A"}}, {"port"}},
      {"dns.records", dns_stream, {{"records", {"a.example. A 10.20.0.80"}}, {"transports", {"udp", "tcp"}}}, {"port"}},
      {"dns.query", dns_stream, {{"name", "a.example"}, {"type", "A"}, {"expect_truncated", true}}, {"port"}},
      {"dns.load", dns_stream, {{"records", {"a.example. A 10.20.0.80"}}, {"seconds", 1}}, {"port"}},
      {"dns.update", dns_stream, {{"zone", "a.example"}}, {"port"}},
      {"dns.transfer", dns_stream, {{"zone", "a.example"}, {"records", 1}, {"sha256", std::string(64, '0')}}, {"port"}},
      {"smb.access", smb, file, {"port"}},
      {"smb.access", smb, with(file, {{"dialect", "1"}}), {"port"}},
      {"smb.access", smb, with(file, {{"netbios", true}}), {"port"}},
      {"smb.denied", smb, file, {"port"}},
      {"smb.readonly", smb, file, {"port"}},
      {"smb.encryption", smb, file, {"port"}},
      {"smb.referral", smb, with(file, {{"path", "a"}, {"target", {{"server", "b"}, {"share", "c"}}}}), {"port"}},
      {"smb.login-refused", smb, {{"share", "team"}, {"user", "bob"}}, {"port"}},
      {"smb.dialects", smb, {{"dialects", {"3.1.1"}}}, {"port"}},
      {"print.queue", http, {{"queue", "floor"}, {"offers", {{"sides-default", "one-sided"}}}}, {"port"}},
      {"print.job", http, {{"queue", "floor"}, {"sink", {{"listen_port", nobodys_port()}}}}, {"port"}},
      {"mail.delivery", smtp, mail, {"smtp_port", "imap_port"}},
      {"mail.delivery", smtp, with(mail, {{"read_by", "pop3"}}), {"smtp_port", "pop3_port"}},
      {"mail.size-limit", smtp, {{"limit", 1000}, {"from", "a@b.invalid"}, {"to", "bob@corp.example"}}, {"smtp_port"}},
      {"mail.bounce",
       smtp,
       {{"user", "bob"}, {"password", "x"}, {"from", "bob@corp.example"}, {"listen_port", nobodys_port() + 1}},
       {"smtp_port", "imap_port"}},
      {"mail.mailbox", imap, {{"user", "bob"}, {"password", "x"}}, {"imap_port"}},
      {"mail.login-refused", smtp, {{"user", "bob"}}, {"smtp_port", "imap_port"}},
      {"mail.relay-refused", smtp, Json::object(), {"smtp_port"}},
      {"database.transaction", postgres, sql, {"port"}},
      {"database.write", postgres, with(sql, {{"table", "notes"}, {"column", "note"}}), {"port"}},
      {"database.isolation", postgres, with(sql, {{"table", "notes"}, {"column", "note"}}), {"port"}},
      {"database.connections", postgres, with(sql, {{"sessions", 3}}), {"port"}},
      {"database.query-hash",
       postgres,
       with(sql, {{"query", "SELECT 1"}, {"rows", 1}, {"sha256", std::string(64, '0')}}),
       {"port"}},
      {"database.settings", postgres, with(sql, {{"settings", {{"fsync", "on"}}}}), {"port"}},
      {"database.denied", postgres, with(sql, {{"query", "SELECT 1"}}), {"port"}},
      {"database.login-refused", postgres, {{"database", "erp"}, {"user", "app"}}, {"port"}},
      {"database.login-refused", postgres, sql, {"port"}},
      {"database.transaction", tds, with(sql_server, {{"password", "x"}}), {"port"}},
      {"database.login-refused", tds, sql_server, {"port"}},
      {"tcp.banner", smtp, {{"expect", "220 somebody else"}}, {"port"}},
      {"tcp.banner", smtp, {{"expect", "220 {any}"}, {"closes", false}}, {"port"}},
      {"http.get", http, {{"contains", {"somebody else"}}}, {"port"}},
      {"kerberos.ticket", kerberos, {{"realm", "A.EXAMPLE"}, {"user", "bob"}, {"password", "x"}}, {"port"}},
      {"kerberos.password",
       kerberos,
       {{"realm", "A.EXAMPLE"}, {"user", "bob"}, {"password", "x"}},
       {"port", "password_port"}},
      {"ldap.bind", ldap, with(directory, {{"tls", "none"}, {"root_dse", {{"a", {"b"}}}}}), {"port"}},
      {"ldap.bind", ldap, with(directory, {{"tls", "starttls"}}), {"port"}},
      {"ldap.bind", tls_record, directory, {"port"}},
      {"ldap.bind",
       ldap,
       with(directory, {{"login", "gssapi"}, {"realm", "A.EXAMPLE"}, {"server", "dc1.a.example"}}),
       {"port", "kerberos_port"}},
      {"ldap.login-refused", ldap, {{"user", "bob"}, {"tls", "none"}}, {"port"}},
      {"ldap.replication",
       ldap,
       with(directory, {{"tls", "none"}, {"to", "127.0.0.1"}, {"container", "DC=a"}, {"within_s", 1}}),
       {"port", "to_port"}},
      {"ldap.locator", ldap, {{"domain", "a.example"}}, {"port"}},
      {"ntp.query", "", Json::object(), {"port"}},
      {"smb.access",
       smb,
       with(file, {{"login", "kerberos"}, {"realm", "A.EXAMPLE"}, {"server", "file1.a.example"}}),
       {"port", "kerberos_port"}},
      {"http.get", tls_record, {{"tls", true}}, {"port"}},
      {"tls.client", http, {{"path", "/calls?to={server}"}, {"listen_port", nobodys_port() + 2}}, {"port"}},
      {"tls.handshakes", tls_record, {{"rounds", 3}}, {"port"}},
      {"tls.handshakes", tls_record, {{"rounds", 3}, {"request", "hello"}, {"first_record", "whole"}}, {"port"}},
      {"tls.handshakes", smtp, {{"starttls", "smtp"}}, {"port"}},
      {"tftp.get", dns_stream, {{"file", "boot.bin"}, {"windowsize", 4}}, {"port"}},
      {"tls.scan", tls_record, {{"suites", {{"1.2", {"ECDHE-RSA-AES256-GCM-SHA384"}}}}}, {"port"}},
      {"tls.offered", tls_record, {{"versions", {"1.2", "1.3"}}}, {"port"}},
      {"tls.offered", smtp, {{"versions", {"1.2", "1.3"}}, {"starttls", "smtp"}}, {"port"}},
      {"tls.offered", imap, {{"versions", {"1.2", "1.3"}}, {"starttls", "imap"}}, {"port"}},
      {"tls.offered", pop3, {{"versions", {"1.2", "1.3"}}, {"starttls", "pop3"}}, {"port"}},
  };
}

class Hostile : public testing::TestWithParam<std::pair<const char*, Hostility>> {};

TEST_P(Hostile, ServersAreSeenForWhatTheyAreInTime) {
  std::vector<std::unique_ptr<HostileServer>> servers;
  std::vector<PlannedCheck> planned;
  for (const auto& victim : victims()) {
    servers.push_back(std::make_unique<HostileServer>(GetParam().second, victim.greeting));
    auto with = victim.with;
    for (const auto& key : victim.ports) with[key] = servers.back()->port();
    planned.push_back({CheckSpec{"c", victim.kind, with, deadline}, Target{"127.0.0.1", "127.0.0.1", "lo"}});
  }
  CheckWorkers workers;
  workers.program = REGISTRY_CHECK_WORKER;
  workers.find = find_check;
  Places places(8);
  workers.places = &places;
  const auto results = run_checks(host_processes(), workers, planned);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& result = results[i];
    const auto told = planned[i].spec.kind + " " + planned[i].spec.parameters.dump() + "\n" + result.reason + ": " +
                      result.observed + "\n" + result.evidence.dump(1).substr(0, 2000);
    EXPECT_EQ(result.outcome, Outcome::fail) << told;
    EXPECT_LE(result.duration, deadline * 11 / 10) << told;
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, Hostile,
                         testing::Values(std::pair{"Silent", Hostility::silent},
                                         std::pair{"Closing", Hostility::closing},
                                         std::pair{"Random", Hostility::random},
                                         std::pair{"Truncated", Hostility::truncated},
                                         std::pair{"Endless", Hostility::endless}, std::pair{"Slow", Hostility::slow}),
                         [](const auto& one) { return one.param.first; });

// A kind that is not in the list above is not tried.
TEST(HostileServers, MeetEachKindThatSpeaksWithOne) {
  std::set<std::string> tried{"command",      // tests/integration/checks/command/misbehaving_test.cpp
                              "dhcp.lease"};  // raw frames: tests/unit/checks/dhcp/client_test.cpp
  for (const auto& victim : victims()) tried.insert(victim.kind);
  std::set<std::string> all;
  for (const auto* check : all_checks()) all.insert(check->kind());
  EXPECT_EQ(tried, all);
}

}  // namespace
}  // namespace patchlab::checks
