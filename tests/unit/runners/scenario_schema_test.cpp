// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The program and scenarios/scenario.schema.json say the same of a scenario, as far as JSON Schema can say it.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "checks/check.hpp"
#include "checks/dns/message.hpp"
#include "lab/core/files.hpp"
#include "runners/scenario/scenario.hpp"
#include "tests/support/json_mistakes.hpp"
#include "tests/support/json_schema.hpp"

namespace patchlab::runners {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

const fs::path scenarios = fs::path(PATCHLAB_SOURCE_DIR) / "scenarios";

const Json& schema() {
  static const Json json = read_json_file(scenarios / "scenario.schema.json").value();
  return json;
}

std::vector<std::string> schema_problems(const Json& scenario) {
  static tests::SchemaValidator validator(schema());
  return validator.problems(scenario);
}

// A check of each kind, with every parameter that it knows.
constexpr const char* all_kinds = R"json([
  {"id": "name", "kind": "dns.query", "slower_ms": 100, "timeout_s": 5, "with": {"name": "corp.example.", "type": "MX",
    "transport": "tcp", "expect": ["corp.example. 3600 MX 10 mail1.corp.example."], "expect_rcode": "NOERROR",
    "expect_aa": true, "recursion_desired": false, "udp_size": 512, "port": 53}},
  {"id": "zone", "kind": "dns.records", "with": {"records": ["www.corp.example. A 10.20.0.80"],
    "transports": ["udp", "tcp"], "expect_aa": true, "port": 53}},
  {"id": "lease", "kind": "dhcp.lease", "with": {"pool": {"from": "10.20.0.100", "to": "10.20.0.120"},
    "server": "10.20.0.11", "broadcast": true, "offer_window_ms": 10, "mac": "02:00:0a:14:00:20", "neighbours": 3,
    "options": {"routers": ["10.20.0.1"], "subnet-mask": "255.255.255.0", "domain-name": "corp.example",
                "dhcp-lease-time": 600, "interface-mtu": 1500, "119": "04636f72"}}},
  {"id": "share", "kind": "smb.access", "with": {"share": "team", "user": "alice", "password": "x", "domain": "CORP",
    "port": 445, "operations": ["list", "write", "read"], "folder": "in/today", "bytes": 10,
    "known_files": {"alpha/budget.csv": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}},
  {"id": "secret", "kind": "smb.denied", "with": {"share": "boss", "user": "alice", "password": "x",
    "allowed_share": "team"}},
  {"id": "archive", "kind": "smb.readonly", "with": {"share": "old", "user": "alice", "password": "x",
    "known_files": {"a.txt": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}},
  {"id": "stranger", "kind": "smb.login-refused", "with": {"share": "team", "user": "alice", "domain": "CORP"}},
  {"id": "dialects", "kind": "smb.dialects", "with": {"dialects": ["2.1", "3.1.1"], "signing": "required",
    "encryption": "offered"}},
  {"id": "paper", "kind": "print.job", "with": {"queue": "floor-2", "sink": {"listen_port": 9100}, "port": 631,
    "format": "application/pdf", "exact": false, "bytes": 10, "held": true, "strangers_refused": true}},
  {"id": "mail", "kind": "mail.delivery", "with": {"user": "bob", "password": "x", "from": "bob@corp.example",
    "to": "eve@corp.example", "smtp_port": 587, "imap_port": 993, "imap_tls": "implicit", "mailbox": "INBOX",
    "tls": "verified", "bytes": 1000, "smtp_login": true, "smtp_tls": "starttls", "read_by": "pop3", "pop3_port": 995,
    "pop3_tls": "implicit"}},
  {"id": "no-login", "kind": "mail.login-refused", "with": {"user": "bob", "tls_required": false}},
  {"id": "no-relay", "kind": "mail.relay-refused", "with": {"smtp_port": 25, "from": "a@b.invalid", "to": "c@d.invalid"}},
  {"id": "rollback", "kind": "database.transaction", "with": {"database": "erp", "user": "app", "password": "x",
    "driver": "PostgreSQL Unicode", "port": 5432, "sslmode": "require"}},
  {"id": "write", "kind": "database.write", "with": {"database": "erp", "user": "app", "password": "x",
    "table": "public.notes", "column": "note"}},
  {"id": "rows", "kind": "database.query-hash", "with": {"database": "erp", "user": "app", "password": "x", "rows": 3,
    "time_zone": "UTC",
    "query": "SELECT id::text FROM items ORDER BY id",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
  {"id": "no-right", "kind": "database.denied", "with": {"database": "erp", "user": "app", "password": "x",
    "query": "SELECT * FROM pay"}},
  {"id": "no-entry", "kind": "database.login-refused", "with": {"database": "erp", "user": "app"}},
  {"id": "plugin", "kind": "command", "with": {"program": "plugin.sh", "arguments": ["-H", "{address}"],
    "output": "nagios", "port": 25, "warning_passes": true}},
  {"id": "from-outside", "kind": "mail.delivery", "with": {"user": "bob", "password": "x", "from": "bob@corp.example",
    "to": "eve@corp.example", "smtp_login": false, "smtp_tls": "none"}},
  {"id": "too-large", "kind": "mail.size-limit", "with": {"limit": 10240000, "from": "a@b.invalid",
    "to": "eve@corp.example", "smtp_port": 587, "tls": "verified", "user": "bob", "password": "x", "send": true}},
  {"id": "greeting", "kind": "tcp.banner", "with": {"port": 22, "expect": "SSH-2.0-{any}", "closes": false,
    "wait_ms": 500}},
  {"id": "tls", "kind": "tls.offered", "with": {"port": 25, "starttls": "smtp", "versions": ["1.2", "1.3"],
    "subject": "CN=a", "issuer": "CN=b", "names": ["DNS:a"], "days_left": 7,
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "key_sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
  {"id": "page", "kind": "http.get", "with": {"port": 8080, "tls": true, "host": "mail1.corp.example", "path": "/owa/?x=1",
    "expect_status": 401, "contains": ["Outlook"], "redirects": 2, "user": "bob", "password": "x"}},
  {"id": "ticket", "kind": "kerberos.ticket", "with": {"realm": "OFFICE.EXAMPLE", "port": 88, "user": "web1", "password": "x",
    "enctypes": ["aes256-cts-hmac-sha1-96"], "expect_enctype": "aes256-cts-hmac-sha1-96", "service": "cifs/file1.office.example",
    "for_user": "alice"}},
  {"id": "card", "kind": "kerberos.ticket", "with": {"realm": "OFFICE.EXAMPLE", "user": "card", "certificate": "a",
    "certificate_secret": "b", "authorities": "c", "controller": "dc1.office.example", "refused": true}},
  {"id": "change", "kind": "kerberos.password", "with": {"realm": "OFFICE.EXAMPLE", "port": 88, "password_port": 464,
    "user": "bob", "password": "x"}},
  {"id": "golden", "kind": "ldap.bind", "with": {"tls": "starttls", "port": 389, "server": "dc1.office.example",
    "authorities": "a", "user": "lab-user@office.example", "password": "x", "root_dse": {"isSynchronized": ["TRUE"]},
    "search": {"base": "DC=office,DC=example", "scope": "one", "filter": "(cn=a)", "attributes": ["mail"],
               "expect": {"CN=a,DC=office,DC=example": {"mail": ["a@office.example"]}}}}},
  {"id": "signed", "kind": "ldap.bind", "with": {"login": "gss-spnego", "tls": "none", "server": "dc1.office.example",
    "user": "lab-user", "password": "x", "realm": "OFFICE.EXAMPLE", "kerberos_port": 88, "layer": "none",
    "expect_result": "strongerAuthRequired"}},
  {"id": "stranger-there", "kind": "ldap.login-refused", "with": {"tls": "ldaps", "port": 636, "server": "dc1.office.example",
    "authorities": "a", "user": "lab-other@office.example", "sub_code": "52e"}},
  {"id": "to-dc2", "kind": "ldap.replication", "with": {"login": "gssapi", "server": "dc1.office.example",
    "user": "lab-user", "password": "x", "realm": "OFFICE.EXAMPLE", "to": "10.20.0.12", "to_port": 389,
    "to_server": "dc2.office.example", "container": "OU=a,DC=b", "object_class": "contact", "within_s": 30}},
  {"id": "entry-to-dc2", "kind": "ldap.replication", "with": {"user": "lab-user", "password": "x", "to": "10.20.0.12",
    "entry": "CN=a,DC=b", "attribute": "info"}},
  {"id": "locator", "kind": "ldap.locator", "with": {"domain": "office.example", "port": 389, "host": "dc1.office.example",
    "forest": "office.example", "netbios_domain": "OFFICE", "netbios_name": "DC1", "site": "Branch", "flags": ["kdc"]}},
  {"id": "time", "kind": "ntp.query", "with": {"port": 123, "version": 3, "max_stratum": 4, "offset_ms": 1000}},
  {"id": "by-ticket", "kind": "smb.access", "with": {"share": "team", "user": "alice", "password": "x", "login": "kerberos",
    "realm": "OFFICE.EXAMPLE", "server": "file1.office.example", "controller": "10.20.0.10", "kerberos_port": 88}},
  {"id": "many", "kind": "tls.handshakes", "with": {"port": 443, "starttls": "none", "version": "1.1", "rounds": 10,
    "suites": ["DHE-RSA-AES256-SHA"], "resumes": false, "pieces": false, "request": "GET / HTTP/1.0", "first_record": "whole"}},
  {"id": "scan", "kind": "tls.scan", "with": {"port": 25, "starttls": "smtp", "groups": ["P-256", "X25519"],
    "suites": {"1.2": ["ECDHE-RSA-AES256-GCM-SHA384"], "1.3": ["TLS_AES_256_GCM_SHA384"]}, "dh_bits": 2048}},
  {"id": "boot-file", "kind": "tftp.get", "with": {"file": "boot\\x64\\wdsnbp.com", "port": 69, "blksize": 1456,
    "windowsize": 4, "tsize": false, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
  {"id": "calls", "kind": "tls.client", "with": {"listen_port": 8443, "port": 80, "path": "/c.asp?to={server}",
    "host": "apps.office.example", "version": "1.0"}},
  {"id": "anew", "kind": "mail.delivery", "with": {"user": "bob", "password": "x", "from": "bob@corp.example",
    "to": "bob@corp.example", "exact": false, "adds": {"X-Checked": "yes"}}},
  {"id": "of-windows", "kind": "print.job", "with": {"queue": "labels", "path": "/printers/labels/.printer",
    "sink": {"listen_port": 9101}}},
  {"id": "not-let-in", "kind": "database.login-refused", "with": {"database": "pay", "user": "app", "password": "x"}},
  {"id": "no-name", "kind": "dns.query", "with": {"name": "none.corp.example.", "type": "A", "transport": "udp",
    "expect_rcode": "NXDOMAIN", "expect_negative_ttl": 300, "expect_truncated": true}},
  {"id": "load", "kind": "dns.load", "with": {"records": ["www.corp.example. A 10.20.0.80"], "per_second": 10,
    "seconds": 2, "port": 53}},
  {"id": "long-lease", "kind": "dhcp.lease", "with": {"pool": {"from": "10.20.0.100", "to": "10.20.0.120"},
    "further": ["rebind", "init-reboot", "inform"], "lease_time": {"least": 600, "most": 700},
    "kept": true, "wrong_network": "refused", "declined": true, "relayed": true}},
  {"id": "many-files", "kind": "smb.access", "with": {"share": "team", "user": "alice", "password": "x",
    "names": "insensitive", "files": 100, "together": true, "locks": true, "dialect": "1", "netbios": true}},
  {"id": "update", "kind": "dns.update", "with": {"zone": "corp.example.", "allowed": true, "port": 53}},
  {"id": "transfer", "kind": "dns.transfer", "with": {"zone": "corp.example.", "records": 12, "port": 53,
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
  {"id": "settings", "kind": "database.settings", "with": {"database": "erp", "user": "app", "password": "x",
    "settings": {"fsync": "on", "auto_explain.log_analyze": "off"}}},
  {"id": "offers", "kind": "print.queue", "with": {"queue": "floor-2", "port": 631,
    "offers": {"document-format-supported": ["application/pdf"], "job-k-limit": 0, "printer-is-shared": true}}},
  {"id": "bounce", "kind": "mail.bounce", "with": {"user": "bob", "password": "x", "from": "bob@corp.example",
    "to": "eve@elsewhere.example", "smtp_port": 587, "imap_port": 993, "imap_tls": "implicit", "mailbox": "INBOX",
    "tls": "verified", "listen_port": 2525}},
  {"id": "own-bounce", "kind": "mail.bounce", "with": {"user": "bob", "password": "x", "from": "bob@corp.example",
    "to": "nobody@corp.example", "refused_by": "server"}},
  {"id": "mailbox", "kind": "mail.mailbox", "with": {"user": "bob", "password": "x", "mailbox": "INBOX",
    "imap_port": 993, "imap_tls": "implicit", "tls": "verified", "found_by": ["message-id", "flags"]}},
  {"id": "plan", "kind": "database.query-hash", "with": {"database": "erp", "user": "app", "password": "x", "rows": 2,
    "query": "EXPLAIN (COSTS OFF) SELECT a FROM b WHERE c = '0'",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
  {"id": "pair", "kind": "database.isolation", "with": {"database": "erp", "user": "app", "password": "x",
    "table": "public.notes", "column": "note", "level": "repeatable read", "second_writer": "refused"}},
  {"id": "crowd", "kind": "database.connections", "with": {"database": "erp", "user": "app", "password": "x",
    "sessions": 17}},
  {"id": "encrypted", "kind": "smb.encryption", "with": {"share": "team", "user": "alice", "password": "x",
    "encryption": "required"}},
  {"id": "namespace", "kind": "smb.referral", "with": {"share": "namespace", "user": "alice", "password": "x",
    "domain": "CORP", "port": 445, "path": "projects", "server": "corp.example", "target": {
      "server": "file2.corp.example", "address": "10.20.0.13", "share": "team", "folder": "in/today"}}}])json";

// A change of a scenario: a value at a place, or what is there taken away.
void change(Json& scenario, const std::string& at, const std::string& value) {
  const Json::json_pointer pointer(at);
  if (!value.empty()) {
    scenario[pointer] = Json::parse(value);
    return;
  }
  auto& parent = scenario.at(pointer.parent_pointer());
  if (parent.is_array())
    parent.erase(std::stoul(pointer.back()));
  else
    parent.erase(pointer.back());
}

class ScenarioSchema : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-schema-XXXXXX";
    folder_ = ::mkdtemp(name);
    for (const char* file : {"image/image.json", "recipe/recipe.json", "a.deb", "status"}) {
      fs::create_directories((folder_ / file).parent_path());
      ASSERT_TRUE(write_file_atomically(folder_ / file, "x"));
    }
    ASSERT_TRUE(write_file_atomically(folder_ / "plugin.sh", "#!/bin/sh\n"));
    ASSERT_TRUE(write_file_atomically(folder_ / "more.json", R"({"checks": [
      {"id": "more", "kind": "mail.relay-refused"}]})"));
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Everything that a scenario of images can say.
  static Json of_images() {
    auto json = Json::parse(R"({
      "$schema": "./scenario.schema.json", "name": "lab", "title": "The lab", "stage": "production", "facts": "facts", "folder": ".",
      "planned": {"at": "2026-11-30T18:00:00Z", "due": ["act-now"], "emergency": "x", "feeds": [], "foreseen": {"ms": 1},
        "template": {"file": "/srv/nightly.json", "name": "nightly",
                     "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        "scan": {"digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "day": "2026-11-30",
                 "whole": true},
        "closes": [{"candidate": "apt-bind9-2", "department": "finance", "machine": "dns", "vulnerabilities": ["CVE-2026-1"],
                    "needs": [{"package": "bind9:amd64", "version": "2"}]}],
        "candidates": ["apt-bind9-2"], "not_tested": ["candidate 'y' is known to be bad"], "roles": ["dns", "mail"]},
      "roles": {
        "dns": {"golden": {"recipe": "image"}, "memory_mib": 256, "exposed": false, "importance": "low",
                "checks": [{"id": "a", "kind": "dns.query", "with": {"name": "corp.example.", "type": "A"}}]},
        "spare": {"services": ["Print Spooler"], "address": "10.20.0.99", "depends_on": ["all"], "why": "of machines"}},
      "departments": {"finance": {
        "network": {"subnet": "10.20.0.0/24", "gateway": "10.20.0.1", "client": "10.20.0.250"}, "importance": "medium",
        "machines": {
          "dns": {"address": "10.20.0.10"},
          "all": {"role": "dns", "golden": {"recipe": "image"}, "address": "10.20.0.11", "memory_mib": 0,
                  "services": ["named", "getty@tty1"], "ready_tcp": [53, 80], "depends_on": ["dns"], "exposed": true, "importance": "high", "checks": [],
                  "allow": {"services": ["cups.*"], "listeners": [".*"], "addresses": ["02:.*"], "error_kinds": ["x|y"],
                            "installed": ["tzdata"], "facts": ["memory"]}, "why": "it starts late"}}}},
      "candidates": [
        {"source": "apt", "packages": ["bind9"], "limit": 2, "security_only": true, "order": "as-named"},
        {"path": "a.deb", "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"recipe": "recipe"}],
      "next_packages": [{"path": "a.deb"}],
      "trial": {"new_errors": "review", "service_cycles": 3, "service_timeout_s": 120, "warm_reboots": 1, "cold_reboots": 1, "stability_s": 20, "confirmations": 1, "lab_retries": 1,
                "run_deadline_s": 86400, "reuse_search_h": 24, "reuse_convictions_h": 24, "reuse_controls_h": 24, "reuse_installs_h": 24, "reuse_states_h": 24, "reuse_states_mib": 4096, "server_state": true, "certificate_days": 14, "rehearse_removal": true, "boot_timeout_s": 240, "ready_timeout_s": 60,
                "install_timeout_s": 600}})");
    json["departments"]["finance"]["machines"]["all"]["checks"] = Json::parse(all_kinds);
    return json;
  }

  static Json of_domains() {
    return Json::parse(R"({
      "name": "domains",
      "departments": {"hq": {
        "network": {"subnet": "10.20.0.0/24", "gateway": "10.20.0.1", "client": "10.20.0.250"},
        "machines": {
          "deb": {"address": "10.20.0.10", "checks": [{"id": "a", "kind": "mail.relay-refused"}],
                  "golden": {"libvirt": "qemu+ssh://root@hv1/system", "domain": "deb-dns", "storage": "/srv/clones",
                             "system": {"family": "debian", "architecture": "amd64"}, "dpkg_status": "status"}},
          "win": {"address": "10.20.0.11", "services": ["MSSQL$HQ", "Bonjour Service"], "watch_access": ["C:\\Shares\\Hq"],
                  "checks": [{"id": "a", "kind": "mail.relay-refused"}],
                  "golden": {"libvirt": "qemu+ssh://root@hv1/system", "domain": "srv2012", "storage": "/srv/clones",
                             "system": {"family": "windows", "version": "6.2.9200", "architecture": "amd64",
                                        "servicing_stack": "6.2.9200.23408"}}}}}},
      "candidates": [{"source": "apt"}]})");
  }

  // What the program says, "pointer: message" each.
  [[nodiscard]] static std::vector<std::string> program_problems(const Json& json, const fs::path& file) {
    const auto scenario = parse_scenario(json.dump(), file);
    if (scenario) return {};
    std::vector<std::string> problems;
    std::istringstream lines(scenario.error().message);
    const auto head = file.string() + ": ";
    for (std::string line; std::getline(lines, line);) {
      EXPECT_TRUE(line.starts_with(head)) << line;
      problems.push_back(line.substr(std::min(head.size(), line.size())));
    }
    return problems;
  }
  [[nodiscard]] std::vector<std::string> program_problems(const Json& json) const {
    return program_problems(json, folder_ / "s.json");
  }

  fs::path folder_;
};

enum class Base { images, domains };

struct Wrong {
  Base base;
  std::string at;      // what is changed
  std::string value;   // to that; empty: taken away
  std::string place;   // where the program says so; empty: `at`
  std::string says;    // part of what it says: the thing, and what to write
  std::string cannot;  // why the schema cannot say it; empty: it does
};

constexpr const char* elsewhere = "it is about something outside of the file";
constexpr const char* two_places = "it compares two places of the file";
constexpr const char* numbers = "it computes with what a text says";
constexpr const char* language = "it is a language of its own";

const std::string all_kinds_machine = "/departments/finance/machines/all";
const std::string hq = "/departments/hq/machines";
std::string check(int number) { return fmt::format("{}/checks/{}", all_kinds_machine, number); }

const std::vector<Wrong>& wrong_scenarios() {
  using enum Base;
  static const std::vector<Wrong> all{
      // The file as a whole.
      {images, "/name", "", "/", "'name' is required (text)", ""},
      {images, "/name", "5", "", "must be text, found number", ""},
      {images, "/name", R"("")", "", "'' must start with a letter and hold only a-z, 0-9 and '-'", ""},
      {images, "/name", R"("Nightly")", "", "'Nightly' must start with a letter and hold only a-z", ""},
      {images, "/name", R"("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")", "", "31 characters at most", ""},
      {images, "/title", R"("")", "", "leave it out for the name", ""},
      {images, "/$schema", "5", "", "must be text, found number", ""},
      {images, "/stagee", R"("x")", "", "unknown key; allowed here: $schema, candidates", ""},
      {images, "/stage", R"("")", "", "an empty path names nothing", ""},
      {images, "/stage", "null", "", "must be text, found null", ""},
      {images, "/folder", R"("")", "", "must not be empty: the folder that paths are relative to", ""},
      {images, "/folder", R"("nowhere")", "", "there is no folder", elsewhere},
      {images, "/departments/finance/importance", R"("vital")", "",
       "'vital' is not one of: low, medium, high; leave it out where nobody knows", ""},
      {images, "/roles/dns/importance", "2", "", "must be text, found number", ""},
      {images, all_kinds_machine + "/importance", R"("unknown")", "", "'unknown' is not one of: low, medium, high", ""},
      {images, "/planned/template", "", "/planned", "'template' is required", ""},
      {images, "/planned/closes/0/machine", "", "/planned/closes/0", "'machine' is required", ""},
      {images, "/planned/closes/0/needs/0/version", "", "/planned/closes/0/needs/0", "'version' is required", ""},
      {images, "/planned/scan/digest", R"("x")", "", "must be 64 lower-case hex digits", ""},
      {images, "/candidates/0/order", R"("by-name")", "", "unknown order 'by-name'; known: security-first, as-named",
       ""},
      {images, "/roles", "null", "", "must be an object of role name to role, found null", ""},
      {images, "/departments", "", "/", "'departments' is required: an object of department name", ""},
      {images, "/departments", "{}", "", "is required: an object of department name to department, at least one", ""},
      {images, "/departments", "[]", "", "is required: an object of department name", ""},
      {images, "/candidates", "", "/", "'candidates' is required: a list of at least one", ""},
      {images, "/candidates", "[]", "", "is required: a list of at least one candidate or source", ""},
      // Departments and their networks.
      {images, "/departments/Sales",
       R"({"network": {"subnet": "10.20.0.0/24", "gateway": "10.20.0.1", "client": "10.20.0.2"},
        "machines": {"dns": {"address": "10.20.0.3"}}})",
       "", "'Sales' must start with a letter", ""},
      {images, "/departments/finance", "5", "", "must be an object, found number", ""},
      {images, "/departments/finance/machine", "{}", "",
       "unknown key; allowed here: importance, machines, network; did you mean", ""},
      {images, "/departments/finance/network", "", "/departments/finance", "'network' is required (an object)", ""},
      {images, "/departments/finance/network/gateway", "", "/departments/finance/network", "'gateway' is required", ""},
      {images, "/departments/finance/network/gateway", R"("")", "", "must not be empty: production's gateway, as 10",
       ""},
      {images, "/departments/finance/network/gateway", R"("10.20.0.256")", "",
       "'10.20.0.256' is not an IPv4 address such as", ""},
      {images, "/departments/finance/network/client", R"("10.020.0.9")", "",
       "is not an IPv4 address such as 10.20.0.10", ""},
      {images, "/departments/finance/network/client", R"("10.21.0.9")", "", "is outside the subnet 10.20.0.0/24",
       numbers},
      {images, "/departments/finance/network/client", R"("10.20.0.10")", "/departments/finance/machines/dns/address",
       "address 10.20.0.10 is already that of 'client'", two_places},
      {images, "/departments/finance/network/subnet", R"("10.20.0.0/99")", "",
       "is not a subnet such as 10.20.0.0/24 (prefix 1 to 30)", ""},
      {images, "/departments/finance/network/subnet", R"("10.20.0.0")", "", "is not a subnet such as 10.20.0.0/24", ""},
      {images, "/departments/finance/network/subnet", R"("10.20.0.1/24")", "", "the subnet is 10.20.0.0/24", numbers},
      {images, "/departments/finance/network/vlan", "5", "", "unknown key; allowed here: client, gateway, subnet", ""},
      {images, "/departments/finance/machines", "", "/departments/finance",
       "'machines' is required: an object of machine name", ""},
      {images, "/departments/finance/machines/my dns", R"({"role": "dns", "address": "10.20.0.3"})", "",
       "'my dns' must start with a letter", ""},
      {images, "/departments/finance/machines/x", "[]", "", "must be an object, found array", ""},
      // Machines and roles.
      {images, all_kinds_machine + "/role", R"("dsn")", "", "role 'dsn' is not defined; defined roles: dns, spare",
       two_places},
      {images, all_kinds_machine + "/role", "5", "", "must be text, found number", ""},
      {images, "/roles/spare", "5", "", "must be an object, found number", ""},
      {images, "/roles/spare/role", R"("dns")", "", "unknown key; allowed here: accounts, address, allow", ""},
      {images, "/roles/spare/memory", "512", "", "unknown key; allowed here: accounts, address", ""},
      {images, "/roles/spare/ready_tcp", "[0]", "/roles/spare/ready_tcp/0",
       "must be a port number from 1 to 65535, found 0", ""},
      {images, "/roles/spare/services", R"(["a;b"])", "/roles/spare/services/0",
       "'a;b' cannot be the name of a service: letters", ""},
      {images, "/roles/spare/depends_on", R"(["A b"])", "/roles/spare/depends_on/0", "'A b' must start with a letter",
       ""},
      {images, "/roles/spare/address", R"("10.20")", "", "'10.20' is not an IPv4 address such as 10.20.0.10", ""},
      {images, "/roles/spare/checks", R"([{"id": "a", "kind": "dns.qurey", "with": {}}])", "/roles/spare/checks/0/kind",
       "did you mean dns.query", ""},
      {images, "/roles/spare/allow", R"({"services": ["("]})", "/roles/spare/allow/services/0",
       "'(' is not a regular expression that can be used", ""},
      {images, "/roles/dns/golden/recipe", R"("")", "", "must not be empty: the folder of an image recipe", ""},
      {images, "/roles/dns/golden/recipe", R"("nowhere")", "", "there is no golden image recipe at", elsewhere},
      {images, "/roles/dns/memory_mib", R"("256")", "", "must be a whole number from 0 to 1048576, found \"256\"", ""},
      {images, "/roles/dns/checks/0/with/type", R"("mx")", "", "'mx' is not a DNS record type; there are: A, AAAA", ""},
      {images, "/roles/dns/golden", "", "/departments/finance/machines/dns",
       R"('golden' is required: {"recipe": "images/dns"})", "a role may say it"},
      {images, all_kinds_machine + "/golden", "null", "", "must be an object, found null", ""},
      {images, all_kinds_machine + "/golden", "{}", all_kinds_machine + "/golden", "'recipe' is required", ""},
      {images, all_kinds_machine + "/golden/tag", R"("x")", "", "unknown key; allowed here: domain, libvirt, recipe",
       ""},
      {images, all_kinds_machine + "/address", "", all_kinds_machine, "'address' is required (text)",
       "a role may say it"},
      {images, all_kinds_machine + "/address", R"("10.20.0.10")", "/departments/finance/machines/dns/address",
       "is already that of 'machine 'all''", two_places},
      {images, all_kinds_machine + "/address", R"("10.20.0.255")", "",
       "is the network or broadcast address of 10.20.0.0/24", numbers},
      {images, all_kinds_machine + "/memory_mib", "1", "",
       "must be 0 (what the image says), or from 64 to 1048576, found 1", ""},
      {images, all_kinds_machine + "/memory_mib", "-1", "", "must be a whole number from 0 to 1048576, found -1", ""},
      {images, all_kinds_machine + "/memory_mib", "1.5", "", "must be a whole number from 0 to 1048576, found 1.5", ""},
      {images, all_kinds_machine + "/services", R"("named")", "", "must be a list of texts, found string", ""},
      {images, all_kinds_machine + "/services/0", R"("named resolved")", "",
       "'named resolved' cannot be the name of a service: letters", ""},
      {images, all_kinds_machine + "/services/0", R"("-f")", "", "'-f' cannot be the name of a service", ""},
      {images, all_kinds_machine + "/ready_tcp/0", "70000", "", "must be a port number from 1 to 65535, found 70000",
       ""},
      {images, all_kinds_machine + "/ready_tcp", "null", "", "must be a list of port numbers, found null", ""},
      {images, all_kinds_machine + "/depends_on/0", R"("mail")", "",
       "there is no machine 'mail' in department 'finance'", two_places},
      {images, all_kinds_machine + "/depends_on/0", R"("all")", "", "a machine cannot depend on itself", two_places},
      {images, all_kinds_machine + "/checks", "[]", "", "is required: a list of at least one check", ""},
      {images, all_kinds_machine + "/allow/services/0", R"("a[")", "",
       "'a[' is not a regular expression that can be used", ""},
      {images, all_kinds_machine + "/allow/services/0", R"("")", "",
       "an empty expression accepts nothing; leave it out", ""},
      {images, all_kinds_machine + "/allow/service", R"(["x"])", "", "did you mean services", ""},
      {images, all_kinds_machine + "/allow", "", all_kinds_machine + "/why", "says why of 'allow', which is not there",
       "a role may say it"},
      {images, all_kinds_machine + "/why", R"("")", "", "an empty reason says nothing", ""},
      {images, check(3) + "/with/password", R"({"account": "alice"})", check(3) + "/with/password/account",
       "'alice' is not an account of this machine; 'accounts' has none", two_places},
      {images, check(3) + "/with/password", "{}", "", "'account' is required (text)", ""},
      {images, check(3) + "/with/password", R"({"account": "alice", "of": 1})", check(3) + "/with/password/of",
       "unknown key; allowed here: account", ""},
      {images, check(13) + "/with/password", R"({"account": ""})", check(13) + "/with/password/account",
       "must not be empty: the user of an account", ""},
      // Golden domains.
      {domains, hq + "/win/golden/libvirt", "", hq + "/win/golden", "'libvirt' is required", ""},
      {domains, hq + "/win/golden/libvirt", R"("hv1")", "", "'hv1' is no URI of a libvirt such as qemu:///system", ""},
      {domains, hq + "/win/golden/libvirt", R"("qemu+tls://hv1/system")", "", "write qemu+ssh://root@HOST/system", ""},
      {domains, hq + "/win/golden/libvirt", R"("qemu+ssh://root@hv1/system?no_verify=1")", "",
       "parameters that are followed: keyfile", language},
      {domains, hq + "/win/golden/libvirt", R"("qemu:///system")", "",
       "the domains of a department are all on one libvirt", two_places},
      {domains, hq + "/win/golden/domain", R"("")", "", "the name of a domain there", ""},
      {domains, hq + "/win/golden/domain", R"("deb-dns")", "", "'deb-dns' is the golden domain of 'deb' too",
       two_places},
      {domains, hq + "/win/golden/recipe", R"("image")", "", "cannot stand beside 'domain'", ""},
      {domains, hq + "/win/golden/system", "", hq + "/win/golden",
       R"('system' is required for a domain: {"family": "windows")", ""},
      {domains, hq + "/win/golden/system/version", "", hq + "/win/golden/system", "'version' is required (text)", ""},
      {domains, hq + "/win/golden/system/version", R"("")", "", "'' is no Windows version such as '6.2.9200'", ""},
      {domains, hq + "/win/golden/system/version", R"("2012")", "", "'2012' is no Windows version such as '6.2.9200'",
       ""},
      {domains, hq + "/win/golden/system/version", R"("6.1.7601")", "", "the oldest is Server 2012 (6.2.9200)", ""},
      {domains, hq + "/win/golden/system/version", R"("10.0.26100")", "",
       "(Server 2025 and later) is not supported yet", ""},
      {domains, hq + "/win/golden/system/servicing_stack", R"("6.2.9200")", "",
       "no version of a servicing stack such as '10.0", ""},
      {domains, hq + "/win/golden/system/family", R"("linux")", "",
       "'linux' is not known; there are 'debian' and 'windows'", ""},
      {domains, hq + "/win/golden/system/architecture", R"("x64")", "", "'x64' is not known; there are 'amd64'", ""},
      {domains, hq + "/deb/golden/system/version", R"("12")", "", "unknown key; allowed here: architecture, family",
       ""},
      {domains, hq + "/deb/golden/dpkg_status", "", hq + "/deb/golden",
       "'dpkg_status' is required for a Debian domain: a copy", ""},
      {domains, hq + "/deb/golden/dpkg_status", R"("")", "", "must not be empty: the path of a file", ""},
      {domains, hq + "/deb/golden/dpkg_status", R"("gone")", "", "there is no file", elsewhere},
      {domains, hq + "/win/golden/dpkg_status", R"("status")", "", "is for Debian domains only", ""},
      {domains, hq + "/win/golden/storage", R"("")", "", "must not be empty: the path of a folder", ""},
      {domains, hq + "/win/memory_mib", "2048", "", "a clone keeps the memory of its golden domain", ""},
      {domains, hq + "/win/watch_access/0", R"("%TEMP%")", "", "'%TEMP%' must be a path such as C:\\Shares\\Finance",
       ""},
      {domains, hq + "/win/watch_access/0", R"("C:\\a|b")", "", "must be a path such as C:\\Shares\\Finance", ""},
      {domains, hq + "/win/watch_access/0", R"("C:\\a\\")", "", "must be a path such as C:\\Shares\\Finance", ""},
      {domains, hq + "/deb/services", R"(["Print Spooler"])", hq + "/deb/services/0",
       "cannot be the name of a service: letters", ""},
      // Checks of all kinds.
      {images, check(8) + "/with/held", "", check(8) + "/with/strangers_refused",
       "needs \"held\": true, which makes the job", ""},
      {images, check(8) + "/with/bytes", "16777217", "", "must be a whole number from 0 to 16777216", ""},
      {images, check(2) + "/with/wrong_network", R"("told")", "", "must be \"refused\" or \"ignored\", found \"told\"",
       ""},
      {images, check(0) + "/id", R"("Name")", "", "'Name' must start with a letter", ""},
      {images, check(0) + "/id", R"("")", "", "'' must start with a letter", ""},
      {images, check(1) + "/id", R"("name")", "", "check id 'name' is used twice on this machine", two_places},
      {images, check(0) + "/kind", "", check(0), "'kind' is required (text)", ""},
      {images, check(0) + "/kind", R"("")", "", "unknown check kind ''; known kinds: command, database.connections",
       ""},
      {images, check(0) + "/with", "", check(0),
       "'with' is required, with the parameters of dns.query: 'name' is required", ""},
      {images, check(0) + "/timeout_s", "0", "", "must be a whole number from 1 to 600, found 0", ""},
      {images, check(0) + "/slower_ms", "5", "", "must be a whole number from 10 to 600000, found 5", ""},
      {images, check(0) + "/retries", "3", "", "unknown key; allowed here: id, kind, slower_ms", ""},
      {images, check(6) + "/slower_ms", "100", "", "is not for smb.login-refused, which passes when the server refuses",
       ""},
      {images, check(15) + "/slower_ms", "100", "", "leave it out", ""},
      {images, check(0) + "/with/name", R"("a..b")", "", "'a..b' is not a domain name such as 'mail1.corp.example.'",
       ""},
      {images, check(0) + "/with/name", R"("")", "", "'' is not a domain name", ""},
      {images, check(0) + "/with/type", R"("MXX")", "", "'MXX' is not a DNS record type; there are: A, AAAA", ""},
      {images, check(0) + "/with/type", R"("TYPE65536")", "", "and TYPE1 to TYPE65535", ""},
      {images, check(0) + "/with/expect_rcode", R"("NXDOMAINE")", "", "there are: NOERROR, FORMERR, SERVFAIL, NXDOMAIN",
       ""},
      {images, check(0) + "/with/transport", R"("tls")", "", R"(must be "udp" or "tcp", found "tls")", ""},
      {images, check(0) + "/with/expect/0", R"("corp.example. MX")", "", "write it as \"www.corp.example. 3600 A",
       language},
      {images, check(1) + "/with/records", "[]", "", "must hold at least one record, such as \"www.corp.example.", ""},
      {images, check(1) + "/with/records", "", check(1) + "/with", "'records' is required: a list of at least one", ""},
      {images, check(2) + "/with/pool", "", check(2) + "/with", "'pool' is required (an object)", ""},
      {images, check(2) + "/with/pool/to", R"("10.20.0.99")", check(2) + "/with/pool",
       "'to' is below 'from'; name the lower", numbers},
      {images, check(2) + "/with/server", R"("")", "", "'' is not an IPv4 address such as 10.20.0.11", ""},
      {images, check(2) + "/with/mac", R"("")", "", "'' is not a MAC such as 02:00:0a:14:00:20", ""},
      {images, check(2) + "/with/options/router", R"(["10.20.0.1"])", "", "unknown DHCP option; known are subnet-mask",
       ""},
      {images, check(2) + "/with/options/119", R"("4")", "", "must be hex digits as text, found \"4\"", ""},
      {images, check(3) + "/with/share", R"("a/b")", "", "'a/b' is not the name of a share", ""},
      {images, check(3) + "/with/share", R"("")", "", "'' is not the name of a share: it must not be empty", ""},
      {images, check(3) + "/with/user", R"("")", "", "a session without a name is looked at by smb.login-refused", ""},
      {images, check(3) + "/with/operations", R"(["list", "read"])", "", "'read' needs 'write', which makes the file",
       ""},
      {images, check(3) + "/with/operations/2", R"("list")", "", "'list' stands there twice", ""},
      {images, check(3) + "/with/operations/0", R"("copy")", "", "unknown operation 'copy'; known are list, write", ""},
      {images, check(3) + "/with/operations", "[]", "", "must name at least one operation: list, write", ""},
      {images, check(3) + "/with/folder", R"("../x")", "", "'../x' must be a path below the share, as team/in", ""},
      {images, check(3) + "/with/known_files/a~1..~1b",
       R"("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")", "",
       "must be a path below the share, as alpha/budget.csv", ""},
      {images, check(3) + "/with/known_files/a.txt", R"("abc")", "",
       "must be the SHA-256 of the file, 64 lower-case hex digits", ""},
      {images, check(4) + "/with/allowed_share", R"("boss")", "", "must be another share than 'share'", two_places},
      {images, check(4) + "/with/allowed_share", R"("")", "", "is not the name of a share", ""},
      {images, check(7) + "/with/dialects/0", R"("2")", "", "'2' is none of 1, 2.0.2, 2.1", ""},
      {images, check(7) + "/with/dialects", "", check(7) + "/with", "'dialects' must name at least one dialect", ""},
      {images, check(7) + "/with/signing", R"("")", "", R"(must be "required" or "not-required", found "")", ""},
      {images, check(8) + "/with/queue", R"("floor 2")", "", "'floor 2' must be a queue's name of letters", ""},
      {images, check(8) + "/with/sink", "", check(8) + "/with", R"('sink' is required ({"listen_port": 9100}))", ""},
      {images, check(8) + "/with/format", R"("pdf")", "", "'pdf' is no MIME type such as application/pdf", ""},
      {images, check(9) + "/with/from", R"("bob")", "", "must be a plain mail address such as \"alice@corp.example\"",
       ""},
      {images, check(9) + "/with/user", R"("a\nb")", "", "must be one line", ""},
      {images, check(9) + "/with/mailbox", R"("")", "", "must not be empty", ""},
      {images, check(9) + "/with/tls", R"("any")", "", R"(must be "self-signed-ok" or "verified", found "any")", ""},
      {images, check(12) + "/with/database", R"("a;b")", "", "must not contain any of", ""},
      {images, check(12) + "/with/driver", R"("")", "", "'' must be the name of a driver in odbcinst.ini", ""},
      {images, check(12) + "/with/driver", R"("ODBC Driver 18 for SQL Server")", "",
       "has connection keywords of its own; SQL Server is asked by \"FreeTDS\"", ""},
      {images, check(14) + "/with/driver", R"("FreeTDS")", check(14) + "/with/time_zone",
       "is for PostgreSQL: a session of SQL Server has no time zone", ""},
      {images, check(13) + "/with/table", R"("notes; --")", "",
       R"(must be a name of letters, digits and _, also "schema.table")", ""},
      {images, check(14) + "/with/query", R"("DELETE FROM x")", "",
       "'DELETE FROM x' must be one SELECT (or WITH ... SELECT)", ""},
      {images, check(14) + "/with/query", R"("EXPLAIN ANALYZE SELECT 1")", "", "or EXPLAIN (COSTS OFF) SELECT", ""},
      {images, check(14) + "/with/query", R"("EXPLAIN (COSTS OFF) SELECT 1; DROP TABLE x")", "",
       "is more than one statement", language},
      {images, check(14) + "/with/query", R"("SELECT id FROM items")", "",
       "needs ORDER BY: 3 rows may come in any order", ""},
      {images, check(14) + "/with/query", R"("SELECT 1 ORDER BY 1; DROP TABLE x")", "", "is more than one statement",
       language},
      {images, check(14) + "/with/sha256", R"("ABC")", "", "must be 64 lower-case hex digits", ""},
      {images, check(15) + "/with/query", R"("")", "", "must not be empty: name a query that the user has no right to",
       ""},
      {images, check(16) + "/with/password", R"("")", "", "must not be empty", ""},
      {images, check(17) + "/with/program", R"("")", "", "must not be empty: the file of a program", ""},
      {images, check(17) + "/with/program", R"("gone.sh")", "", "there is no file", elsewhere},
      {images, check(17) + "/with/program", R"("status")", "", "is neither a script nor a program of Linux", elsewhere},
      {images, check(17) + "/with/output", R"("nagois")", "", "'nagois' is nothing that a program says", ""},
      {images, check(17) + "/with/output", R"("tap")", check(17) + "/with/warning_passes", "is for the output 'nagios'",
       ""},
      {images, check(17) + "/with/bytes", R"("x")", "", "unknown key; allowed here: arguments, output", ""},
      {images, check(17) + "/with/arguments", R"("-H")", "", "must be a list of texts, found string", ""},
      // Candidates and trials.
      {images, "/candidates/0", "{}", "", "must have exactly one of: path", ""},
      {images, "/candidates/0/path", R"("a.deb")", "/candidates/0", "must have exactly one of: path", ""},
      {images, "/candidates/0", R"("a.deb")", "", "must be an object, found string", ""},
      {images, "/candidates/0/source", R"("yum")", "", "unknown source 'yum'; known: apt", ""},
      {images, "/candidates/0/packages/0", R"("bind9=1.2")", "", "is no name of a source package such as bind9", ""},
      {images, "/candidates/0/limit", "-1", "", "must be a whole number from 0 to 10000, found -1", ""},
      {images, "/candidates/1/path", R"("")", "", "must not be empty: a package, or the folder of a candidate", ""},
      {images, "/candidates/1/path", R"("b.deb")", "", "there is no file or folder", elsewhere},
      {images, "/candidates/1/sha256", R"("")", "", "must be 64 lower-case hex digits (sha256sum shows them)", ""},
      {images, "/candidates/2/recipe", R"("")", "", "must not be empty: the folder of a candidate recipe", ""},
      {images, "/candidates/2/sha256", R"("x")", "", "unknown key; allowed here: path, recipe, source", ""},
      {images, "/trial", "null", "", "must be an object, found null", ""},
      {images, "/trial/reboots", "3", "", "unknown key; allowed here: boot_timeout_s", ""},
      {images, "/trial/warm_reboots", "21", "", "must be a whole number from 0 to 20, found 21", ""},
      {images, "/trial/run_deadline_s", "0", "", "must be a whole number from 1 to 604800, found 0", ""},
      {images, "/trial/server_state", R"("yes")", "", "must be true or false, found \"yes\"", ""},
      {images, "/trial/rehearse_removal", R"("yes")", "", "must be true or false, found \"yes\"", ""},
  };
  return all;
}

TEST_F(ScenarioSchema, AndTheProgramTakeWhatIsRight) {
  for (const auto& right : {of_images(), of_domains()}) {
    EXPECT_THAT(program_problems(right), IsEmpty());
    EXPECT_THAT(schema_problems(right), IsEmpty());
  }
  std::size_t shipped = 0;
  for (const auto& entry : fs::recursive_directory_iterator(scenarios)) {
    if (!entry.is_regular_file()) continue;
    const auto json = Json::parse(std::ifstream(entry.path()), nullptr, false, true);  // with comments
    if (!json.is_object() || !json.contains("departments") || !json.contains("candidates")) continue;
    ++shipped;
    auto problems = program_problems(json, entry.path());
    std::erase_if(problems,
                  [](const auto& problem) { return problem.find("there is no file or fol") != std::string::npos; });
    EXPECT_THAT(problems, IsEmpty());  // but for packages that a test makes
    EXPECT_THAT(schema_problems(json), IsEmpty()) << entry.path();
  }
  EXPECT_GE(shipped, 3U) << "the nightly one, that with the stand-in, and those of init";
}

// Each key of the schema is used by the two above, and may be left out where nothing says that it is required.
TEST_F(ScenarioSchema, EveryFeatureIsRightAlone) {
  const std::vector<std::pair<std::string, std::string>> rights{
      {"/roles", "{}"},
      {"/title", R"("Two words, and a third")"},
      {all_kinds_machine + "/memory_mib", "64"},
      {all_kinds_machine + "/services", "[]"},
      {all_kinds_machine + "/ready_tcp", "[]"},
      {all_kinds_machine + "/allow", "{}"},
      {all_kinds_machine + "/checks", R"("more.json")"},
      {all_kinds_machine + "/checks/0", R"("more.json")"},
      {all_kinds_machine + "/accounts", R"({"alice": "x", "CORP\\bob": "y"})"},
      {check(0) + "/with/name", R"(".")"},
      {check(0) + "/with/name", R"("a\\.b.corp.example")"},
      {check(0) + "/with/type", R"("TYPE65280")"},
      {check(0) + "/with/udp_size", "0"},
      {check(1) + "/with/transports", "[]"},
      {check(2) + "/with/options", "{}"},
      {check(3) + "/with/operations", R"(["list"])"},
      {check(3) + "/with/folder", R"("")"},
      {check(3) + "/with/known_files", "{}"},
      {check(6) + "/with/user", R"("")"},
      {check(8) + "/with/format", R"("text/plain; charset=utf-8")"},
      {check(11) + "/with", ""},
      {check(14) + "/with/query", R"("with x as (select 1) select * from x order  by 1;")"},
      {check(14) + "/with/query", R"("SELECT ';' FROM x ORDER BY 1")"},
      {check(12) + "/with/driver", R"("FreeTDS")"},
      {check(13) + "/with/driver", R"("FreeTDS 1.4")"},
      {"/candidates/0/packages", R"(["mongodb_exporter", "g++"])"},
      {"/trial", "{}"},
      {"/trial/stability_s", "0"},
  };
  for (const auto& [at, value] : rights) {
    auto json = of_images();
    if (at == "/roles") {
      json["departments"]["finance"]["machines"].erase("dns");
      json["departments"]["finance"]["machines"]["all"].erase("role");
      json["departments"]["finance"]["machines"]["all"].erase("depends_on");
    }
    change(json, at, value);
    EXPECT_THAT(program_problems(json), IsEmpty()) << at << " " << value;
    EXPECT_THAT(schema_problems(json), IsEmpty()) << at << " " << value;
  }
  auto one_row = of_images();
  change(one_row, check(14) + "/with/rows", "1");
  change(one_row, check(14) + "/with/query", R"("SELECT count(*)::text FROM x")");
  EXPECT_THAT(program_problems(one_row), IsEmpty());
  EXPECT_THAT(schema_problems(one_row), IsEmpty());
  for (const char* version : {"6.2", "6.3.9600", "10.0", "10.0.14393", "10.0.26099.1"}) {
    auto json = of_domains();
    change(json, hq + "/win/golden/system/version", Json(version).dump());
    EXPECT_THAT(program_problems(json), IsEmpty()) << version;
    EXPECT_THAT(schema_problems(json), IsEmpty()) << version;
  }
}

// Once, at a place that is in the file, with a text that names the thing and says what to write.
TEST_F(ScenarioSchema, AndTheProgramRefuseWhatIsWrong) {
  std::size_t said_by_the_schema = 0;
  for (const auto& wrong : wrong_scenarios()) {
    auto json = wrong.base == Base::images ? of_images() : of_domains();
    change(json, wrong.at, wrong.value);
    const auto what = fmt::format("{} = {}", wrong.at, wrong.value);
    const auto place = wrong.place.empty() ? wrong.at : wrong.place;
    const auto problems = program_problems(json);
    EXPECT_EQ(problems.size(), 1U) << what << "\n" << fmt::format("{}", fmt::join(problems, "\n"));
    if (problems.empty()) continue;
    EXPECT_TRUE(problems.front().starts_with(place + ": ")) << what << "\n" << problems.front();
    EXPECT_THAT(problems.front(), HasSubstr(wrong.says)) << what;
    EXPECT_TRUE(place == "/" || json.contains(Json::json_pointer(place))) << what << ": " << place;
    const bool is_expressed = wrong.cannot.empty();
    EXPECT_EQ(schema_problems(json).empty(), !is_expressed) << what << ": " << wrong.cannot;
    said_by_the_schema += is_expressed ? 1U : 0U;
  }
  EXPECT_GE(wrong_scenarios().size(), 100U);
  EXPECT_GE(said_by_the_schema, 100U);
}

// What only the program can say, by a part of its message: what the schema cannot know of, and why.
const std::vector<std::pair<std::string, std::string>>& only_the_program_says() {
  static const std::vector<std::pair<std::string, std::string>> all{
      {"there is no file or folder", elsewhere},
      {"there is no golden image recipe", elsewhere},
      {"there is no candidate recipe", elsewhere},
      {"there is no file", elsewhere},
      {"there is no folder", elsewhere},
      {"there is no machine", two_places},
      {"is not defined; defined roles", two_places},
      {"'golden' is required", "a role may say it"},
      {"'address' is required", "a role may say it"},
      {"'checks' is required", "a role may say it"},
      {"is not that of", two_places},
      {"is not an account of this machine", two_places},
      {"'most' is below 'least'", two_places},
      {"is not a DNS record", language},
      {"it needs 'reuse_states_h'", two_places},
  };
  return all;
}

// A scenario in small pieces, of which each is right: reading a large one for every mistake takes too long.
std::vector<Json> pieces_of(const Json& scenario) {
  auto frame = scenario;
  auto& departments = frame["departments"];
  while (departments.size() > 1) departments.erase(std::prev(departments.end()));
  std::vector<Json> pieces;
  const auto take_checks = [&](Json& owner, const Json& golden) {
    if (!owner.contains("checks") || !owner["checks"].is_array()) return;
    for (const auto& one : owner["checks"]) {
      pieces.push_back({{"name", "piece"}, {"candidates", {{{"source", "apt"}}}}});
      auto& department = pieces.back()["departments"]["d"];
      department["network"] = departments.front()["network"];
      department["network"]["subnet"] = "10.0.0.0/8";
      department["machines"]["m"] = {{"golden", golden}, {"address", "10.99.99.99"}, {"checks", {one}}};
      if (owner.contains("accounts")) department["machines"]["m"]["accounts"] = owner["accounts"];
    }
    owner["checks"].erase(std::next(owner["checks"].begin()), owner["checks"].end());
  };
  Json some_golden;
  for (auto& role : frame["roles"]) some_golden = role.value("golden", some_golden);
  for (auto& machine : departments.front()["machines"]) some_golden = machine.value("golden", some_golden);
  for (auto& role : frame["roles"]) take_checks(role, some_golden);
  for (auto& machine : departments.front()["machines"]) take_checks(machine, some_golden);
  if (frame["roles"].empty()) frame.erase("roles");
  pieces.insert(pieces.begin(), std::move(frame));
  return pieces;
}

// The same scenario with the checks of its files in it.
Json with_checks_inside(Json scenario) {
  for (auto& role : scenario["roles"]) {
    if (!role["checks"].is_string()) continue;
    const auto file = scenarios / role["checks"].get<std::string>();
    role["checks"] = parse_json(without_comments(read_file(file).value()), file.string()).value().at("checks");
  }
  return scenario;
}

std::vector<std::string> lines_of(const std::string& text, std::size_t head) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line.substr(std::min(head, line.size())));
  return lines;
}

// The rule behind the table, over every sort of place in everything that is shipped: the program refuses what the
// schema refuses and, but for what is listed above, the other way round; and each of its problems is at a place of the
// file.
TEST_F(ScenarioSchema, AndTheProgramAgreeAboutEveryMistake) {
  const auto file = folder_ / "s.json";
  std::vector<std::pair<Json, fs::path>> all;
  for (const char* name : {"xavier-nightly.json", "windows-stand-in.json"})
    all.emplace_back(read_json_file(scenarios / name).value(), scenarios / name);
  all.front().first["trial"] = of_images()["trial"];
  all.insert(all.begin(), {with_checks_inside(all.front().first), all.front().second});
  all.emplace_back(of_images(), file);
  all.emplace_back(of_domains(), file);
  std::size_t mistakes = 0;
  std::set<std::string> needed;
  const auto look_at = [&](const Json& wrong, const fs::path& from, const std::string& what) {
    ++mistakes;
    const auto by_schema = schema_problems(wrong);
    const auto scenario = parse_scenario(wrong.dump(), from);
    if (scenario) {
      EXPECT_THAT(by_schema, IsEmpty()) << what;
      return;
    }
    for (const auto& problem : lines_of(scenario.error().message, from.string().size() + 2)) {
      const auto place = problem.substr(0, problem.find(": "));
      EXPECT_TRUE(place == "/" || wrong.contains(Json::json_pointer(place))) << what << ": " << problem;
      if (!by_schema.empty()) continue;
      const auto known = std::ranges::find_if(only_the_program_says(), [&](const auto& difference) {
        return problem.find(difference.first) != std::string::npos;
      });
      if (known == only_the_program_says().end())
        ADD_FAILURE() << what << ": only the program says: " << problem;
      else
        needed.insert(known->first);
    }
  };
  const auto is_named = [](const std::string& sort) {
    return sort.ends_with("/roles") || sort.ends_with("/departments") || sort.ends_with("/machines");
  };
  std::map<std::string, std::string> seen;
  for (const auto& one : all) {
    for (const auto& json : pieces_of(one.first)) {
      const auto before = seen;
      tests::collect_places(json, "", "", is_named, seen);
      for (const auto& [sort, at] : seen) {
        if (before.contains(sort)) continue;
        tests::with_each_mistake(json, at,
                                 [&](const Json& wrong, const std::string& what) { look_at(wrong, one.second, what); });
      }
    }
  }
  EXPECT_GT(mistakes, 1000U);
  for (const auto& [says, why] : only_the_program_says()) EXPECT_TRUE(needed.contains(says)) << says << ": " << why;
}

}  // namespace
}  // namespace patchlab::runners
