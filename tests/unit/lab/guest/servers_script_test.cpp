// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The script itself, run by a shell of this host with tools that say what real ones said: whatever one of them does, it
// is never taken for an answer.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "lab/guest/debian_view.hpp"
#include "lab/process/process.hpp"
#include "tests/support/server_captures.hpp"

namespace patchlab::lab::guest::servers {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ServersScript : public ::testing::Test {
 protected:
  ServersScript() {
    for (const auto* name : {"tools", "etc/kea", "etc/cups"}) fs::create_directories(folder_ / name);
    ProcessSpec where;
    where.program = "/bin/sh";
    where.arguments = {
        "-c",
        "for tool in awk cat chmod cp grep gzip head mkdir rm sed sh sleep tail timeout wc; do command -v $tool; done"};
    std::istringstream found(host_processes().run(where).output);
    for (std::string tool; std::getline(found, tool);)
      fs::create_symlink(tool, folder_ / "tools" / fs::path(tool).filename());
    const auto parts = [](const std::string& role, const std::string& server) {
      return debian::sections(debian::sections(test::server_capture(role), "@@m").at("said " + server), "=@@m");
    };
    const auto mail = parts("mail", "postfix");
    says("postconf", {{"", mail.at("all")}, {"-n", mail.at("set")}, {"-M", mail.at("services")}});
    says("doveconf", {{"-n", parts("mail", "dovecot").at("set")}});
    const auto file = parts("file", "samba");
    says("smbd", {});
    says("testparm", {{"-s", file.at("set")}, {"-sv", file.at("all")}});
    says("pdbedit", {{"-L -w",
                      "alice:2001:XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX:0123456789ABCDEF0123456789ABCDEF:[U          "
                      "]:LCT-6B0BC571:\n"}});
    says("sharesec", {{"--view-all", file.at("rights")}});
    const auto dns = parts("dns", "bind");
    says("named", {});
    says("named-checkconf", {{"-px", test::with(dns.at("set"), "/var/cache/bind", folder_.string())}});
    const auto& zones = dns.at("zones");
    write("dump", zones.substr(0, zones.size() - 1));  // the script adds an empty line
    write("tools/rndc", fmt::format("#!/bin/sh\ncat {0}/dump >{0}/named_dump.db\n", folder_.string()));
    fs::permissions(folder_ / "tools/rndc", fs::perms::owner_all);
    says("kea-dhcp4", {});
    write("etc/kea/kea-dhcp4.conf",
          test::with(parts("dhcp", "kea").at("file kea-dhcp4"), "\"persist\": true", R"("password": "Hidden-\"1")"));
    write("tcp",
          "  sl  local_address rem_address   st\n   0: 0E00140A:0019 00000000:0000 0A 0\n   1: 00000000:0035 "
          "00000000:0000 0A 0\n");
    says("openssl", {{"s_client -connect 10.20.0.14:25 -starttls smtp -min_protocol TLSv1 -max_protocol TLSv1.2 "
                      "-cipher DEFAULT:@SECLEVEL=0",
                      "CONNECTED\nNew, TLSv1.2, Cipher is ECDHE-RSA-AES256-GCM-SHA384\nMaster-Key: 00\n"}});
  }
  ~ServersScript() override { fs::remove_all(folder_); }

  static fs::path new_folder() {
    std::string pattern = testing::TempDir() + "patchlab-servers-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }
  void does(const std::string& tool, const std::string& script) const {
    fs::remove(folder_ / "tools" / tool);
    write("tools/" + tool, "#!/bin/sh\n" + script + "\n");
    fs::permissions(folder_ / "tools" / tool, fs::perms::owner_all);
  }
  // By its arguments; with others it ends badly.
  void says(const std::string& tool, const std::map<std::string, std::string>& answers) const {
    std::string script = "case \"$*\" in\n";
    for (const auto& [arguments, text] : answers)
      script += fmt::format("'{}') cat <<'END'\n{}END\n;;\n", arguments, text);
    does(tool, script + "*) exit 9 ;;\nesac");
  }

  // Of one server alone, or of all.
  [[nodiscard]] std::string said(const std::string& server = {}) const {
    auto text = script();
    for (const auto& collector : collectors()) {
      if (!server.empty() && server != collector.server)
        text = test::with(text, fmt::format("\n  server {}\n", collector.server), "\n");
    }
    const auto replaced = [&](const std::string& path, const std::string& by) {
      for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + by.size()))
        text.replace(at, path.size(), by);
    };
    replaced("PATH=/usr/sbin:/usr/bin:/sbin:/bin;", "PATH=" + (folder_ / "tools").string() + ";");
    replaced("/run/patchlab-servers", (folder_ / "work").string());
    replaced("/etc/kea", (folder_ / "etc/kea").string());
    replaced("/usr/lib/postgresql", (folder_ / "no-postgresql").string());
    replaced("/proc/net/tcp6", (folder_ / "no-tcp6").string());
    replaced("/proc/net/tcp", (folder_ / "tcp").string());
    replaced("timeout -k 5 60", "timeout -k 5 0.4");
    replaced("timeout -k 2 60", "timeout -k 2 0.4");
    replaced("$waited -lt 150", "$waited -lt 2");
    replaced("timeout 5 sh -c 'i=0;", starved_ ? "timeout 0.2 sh -c 'sleep 1; i=0;" : "timeout 60 sh -c 'i=0;");
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-s", "@@m"};
    spec.input = text;
    const auto outcome = host_processes().run(spec);
    return debian::unpacked(outcome.output, 1U << 24U).value();
  }
  [[nodiscard]] Result<HostState> state(const std::string& server = {}) const { return test::servers_in(said(server)); }

  const fs::path folder_ = new_folder();
  bool starved_ = false;
};

TEST_F(ServersScript, AsksThoseThatAreThere) {
  const auto text = said();
  for (const auto* secret : {"Hidden", "0123456789ABCDEF", "Master-Key"})
    EXPECT_EQ(text.find(secret), std::string::npos);
  const auto found = test::servers_in(text);
  ASSERT_TRUE(found) << found.error().message;
  const std::map<std::string, std::string> servers{{"bind", "answers"},    {"dovecot", "answers"}, {"kea", "answers"},
                                                   {"postfix", "answers"}, {"samba", "answers"},   {"tls", "answers"}};
  EXPECT_EQ(found->rows.at("server"), servers);
  for (const auto* kind : {"postfix-setting", "postfix-default", "postfix-service", "samba-setting", "samba-default",
                           "samba-share-right"}) {
    const auto expected = test::captured_servers(std::string(kind).starts_with("samba") ? "file" : "mail");
    EXPECT_EQ(found->rows.at(kind), expected.rows.at(kind)) << kind;
  }
  EXPECT_EQ(found->rows.at("bind-zone"), test::captured_servers("dns").rows.at("bind-zone"));
  EXPECT_EQ(found->rows.at("samba-account").at("alice"), "uid 2001, password set at 6B0BC571, a person's");
  EXPECT_EQ(found->rows.at("kea-setting").at("kea-dhcp4 / Dhcp4 / lease-database / password"), "set");
  EXPECT_EQ(found->rows.at("tls-version").at("25 (smtp) at most 1.2"), "TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384");
  EXPECT_FALSE(fs::exists(folder_ / "work")) << "nothing is left behind";
  EXPECT_FALSE(fs::exists(folder_ / "named_dump.db"));
}

TEST_F(ServersScript, WhateverAToolDoesIsNoAnswer) {
  const std::map<std::string, std::string> server_of{
      {"postconf", "postfix"}, {"doveconf", "dovecot"},     {"testparm", "samba"}, {"pdbedit", "samba"},
      {"sharesec", "samba"},   {"named-checkconf", "bind"}, {"rndc", "bind"}};
  for (const auto& [tool, server] : server_of) {
    const auto real = folder_ / "real";
    fs::rename(folder_ / "tools" / tool, real);
    for (const std::string way : {"echo refused >&2; exit 3", "echo garbage", "sleep 60"}) {
      does(tool, way);
      const auto found = state(server);
      if (!found) continue;
      EXPECT_THAT(found->rows.at("server").at(server), StartsWith("does not answer")) << tool << ": " << way;
      for (const auto& [kind, rows] : found->rows) EXPECT_FALSE(kind.starts_with(server + "-")) << tool << ": " << way;
    }
    fs::rename(real, folder_ / "tools" / tool);
  }
  ASSERT_TRUE(state());
}

TEST_F(ServersScript, WithoutAServerTellsNothingAndWithoutAToolWhy) {
  for (const auto* tool : {"postconf", "doveconf", "smbd", "named", "kea-dhcp4"}) fs::remove(folder_ / "tools" / tool);
  fs::remove(folder_ / "tools/openssl");
  const auto found = state().value();
  EXPECT_TRUE(found.rows.empty());
  EXPECT_EQ(found.absent_sources, (std::map<std::string, std::string>{{"tls", "there is no openssl"}}));
}

// A server that stands still is not the lab's trouble; a guest that gets no processor is.
TEST_F(ServersScript, WhatDoesNotEndIsAnErrorOnlyInAGuestWithoutAProcessor) {
  does("rndc", "sleep 60");
  does("openssl", "sleep 60");
  EXPECT_EQ(state("bind").value().rows.at("server").at("bind"), "does not answer: rndc did not end within 60 s");
  EXPECT_EQ(state("tls").value().rows.at("tls-port").at("25 (smtp)"), "does not answer");
  starved_ = true;
  EXPECT_THAT(state("bind").error().message,
              HasSubstr("'bind' was not asked to the end: rndc did not end within 60 s"));
  EXPECT_THAT(state("tls").error().message, HasSubstr("what port 25 offers in TLS was not seen within its time"));
}

TEST_F(ServersScript, ATlsPortThatSaysNothingOffersNone) {
  does("openssl", "exit 1");
  EXPECT_EQ(state("tls").value().rows.at("tls-port").at("25 (smtp)"), "no TLS");
}

}  // namespace
}  // namespace patchlab::lab::guest::servers
