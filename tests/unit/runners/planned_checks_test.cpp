// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/planned_checks.hpp"

#include <gmock/gmock.h>

#include <set>

#include "checks/identity.hpp"
#include "checks/registry/registry.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"

// A pass is worth what was asked: two checks that ask for different things never have one digest.
namespace patchlab::runners {
namespace {
using checks::check_digest;
using checks::CheckSpec;

Json shipped(const std::string& name) { return read_json_file(PATCHLAB_SOURCE_DIR "/scenarios/" + name).value(); }
Scenario nightly() { return load_scenario(PATCHLAB_SOURCE_DIR "/scenarios/xavier-nightly.json").value(); }

std::vector<CheckSpec> all_checks_of(const Scenario& scenario) {
  std::vector<CheckSpec> all;
  for (const auto& department : scenario.departments) {
    for (const auto& machine : department.machines) all.insert(all.end(), machine.checks.begin(), machine.checks.end());
  }
  return all;
}

Json other_than(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>() + 1;
  if (value.is_number()) return value.get<double>() + 0.5;
  if (value.is_string()) return value.get<std::string>() + "x";
  return "something";  // null, or an empty list or object
}

TEST(CheckDigest, ChangesWithEveryParameterOfEveryKind) {
  std::set<std::string> kinds;
  std::size_t changes = 0;
  auto all = all_checks_of(nightly());
  all.push_back({"plugin",
                 "command",
                 {{"program", "check_tcp"}, {"arguments", {"-p", "{port}"}}, {"port", 25}, {"output", "nagios"}},
                 Milliseconds(1000),
                 {},
                 checks::CheckProgram{"check_tcp", sha256("#!/bin/sh"), "#!/bin/sh"}});
  const auto add = [&](const char* kind, const Json& with) {
    all.push_back({"more", kind, with, Milliseconds(1000), {}, {}});
  };
  // Kinds that the nightly scenario does not need.
  add("mail.size-limit", {{"limit", 1000}, {"from", "a@b.invalid"}, {"to", "c@d.invalid"}});
  add("tcp.banner", {{"port", 22}, {"expect", "SSH-2.0-{any}"}, {"closes", false}});
  add("tls.offered", {{"port", 25}, {"starttls", "smtp"}, {"versions", {"1.2"}}, {"days_left", 1}});
  add("http.get", {{"path", "/owa/"}, {"contains", {"Outlook"}}});
  add("kerberos.ticket", {{"realm", "A.EXAMPLE"}, {"user", "bob"}, {"password", "x"}, {"service", "cifs/a.example"}});
  add("kerberos.password", {{"realm", "A.EXAMPLE"}, {"user", "bob"}, {"password", "x"}});
  const Json ldap_login{{"user", "bob@a.example"}, {"password", "x"}, {"tls", "starttls"}};
  const auto ldap = [&](const char* kind, Json more) {
    more.update(ldap_login);
    add(kind, more);
  };
  ldap("ldap.bind", {{"root_dse", {{"isSynchronized", {"TRUE"}}}}});
  ldap("ldap.replication", {{"to", "10.20.0.12"}, {"container", "DC=a"}, {"within_s", 5}});
  add("ldap.login-refused", {{"user", "bob@a.example"}, {"sub_code", "52e"}});
  add("ldap.locator", {{"domain", "a.example"}, {"host", "dc1.a.example"}, {"flags", {"kdc"}}});
  add("ntp.query", {{"max_stratum", 5}});
  add("smb.referral",
      {{"share", "namespace"}, {"user", "bob"}, {"password", "x"}, {"path", "a"}, {"target", {{"share", "team"}}}});
  add("tls.handshakes", {{"port", 443}, {"rounds", 10}});
  add("tls.client", {{"listen_port", 8443}, {"path", "/calls?to={server}"}});
  add("tftp.get", {{"file", "boot.bin"}, {"windowsize", 4}});
  add("tls.scan", {{"port", 443}, {"suites", {{"1.2", {"ECDHE-RSA-AES256-GCM-SHA384"}}}}, {"groups", {"P-256"}}});
  add("dns.load", {{"records", {"a.example. A 10.20.0.80"}}, {"per_second", 10}, {"seconds", 1}});
  add("dns.transfer", {{"zone", "a.example."}, {"records", 1}, {"sha256", std::string(64, '0')}});
  add("dns.update", {{"zone", "a.example."}, {"allowed", true}});
  for (const auto& spec : all) {
    kinds.insert(spec.kind);
    const auto digest = check_digest(spec);
    const auto differs = [&](const CheckSpec& other, const std::string& what) {
      ++changes;
      EXPECT_NE(check_digest(other), digest) << spec.id << " (" << spec.kind << "): " << what;
    };
    const auto flat = spec.parameters.flatten();
    for (const auto& [pointer, value] : flat.items()) {
      if (pointer.empty()) continue;  // it has none
      const Json::json_pointer at(pointer);
      auto other = spec;
      other.parameters[at] = other_than(value);
      differs(other, pointer + " is another");
      other = spec;
      auto& parent = other.parameters[at.parent_pointer()];
      if (parent.is_array())
        parent.erase(parent.size() - 1);
      else
        parent.erase(at.back());
      differs(other, pointer + " is gone");
    }
    // Also those that this scenario leaves to their defaults.
    const auto keys = shipped("scenario.schema.json")["$defs"]["with-" + spec.kind]["properties"];
    EXPECT_FALSE(keys.empty()) << spec.kind;
    for (const auto& [key, rule] : keys.items()) {
      if (spec.parameters.contains(key)) continue;
      auto other = spec;
      other.parameters[key] = 1;
      differs(other, key + " is there");
    }
    auto other = spec;
    other.kind += "x";
    differs(other, "kind");
    other = spec;
    other.deadline += Milliseconds(1);
    differs(other, "deadline");
    other = spec;
    other.slower = spec.slower ? *spec.slower + Milliseconds(1) : Milliseconds(0);
    differs(other, "how much slower it may become");
    other = spec;
    other.program = checks::CheckProgram{"check_tcp", sha256("#!/bin/bash"), "#!/bin/bash"};
    differs(other, "the program's bytes");
    other = spec;
    other.id += "x";
    EXPECT_EQ(check_digest(other), digest) << "what it asks for is the same, whatever it is called";
  }
  for (const auto* check : checks::all_checks()) EXPECT_TRUE(kinds.contains(check->kind())) << check->kind();
  EXPECT_GT(changes, 200U);
}

// From night to night, and however the file is written.
TEST(CheckDigest, IsTheSameForTheSameCheck) {
  const auto first = all_checks_of(nightly());
  const auto file = PATCHLAB_SOURCE_DIR "/scenarios/xavier-nightly.json";
  const auto again = parse_scenario(read_json_file(file).value().dump(), file);
  ASSERT_TRUE(again) << again.error().message;
  const auto second = all_checks_of(*again);
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(check_digest(first[i]), check_digest(second[i]));
  // The digest is in the records of what was promoted: it must mean the same in the next version.
  EXPECT_EQ(checks::as_planned({"a", "dns.query", {{"name", "x"}}, Milliseconds(1000), {}}).dump(),
            R"({"deadline_ms":1000,"kind":"dns.query","slower_ms":null,"with":{"name":"x"}})");
}

TEST(StateDigest, ChangesWithWhatIsLookedAtAndWhatIsAccepted) {
  MachinePlan plan;
  plan.services = {"bind9"};
  const auto digest = state_digest(plan);
  const std::vector<std::function<void(MachinePlan&)>> ways{
      [](auto& p) { p.services.clear(); },
      [](auto& p) { p.ready_tcp = {53}; },
      [](auto& p) { p.watch_access = {"C:\\Shares"}; },
      [](auto& p) { p.allowances.services = {".*"}; },
      [](auto& p) { p.allowances.listeners = {".*"}; },
      [](auto& p) { p.allowances.addresses = {".*"}; },
      [](auto& p) { p.allowances.error_kinds = {".*"}; },
      [](auto& p) { p.allowances.installed = {".*"}; },
      [](auto& p) { p.allowances.facts = {".*"}; },
  };
  std::set<std::string> digests{digest};
  for (const auto& change : ways) {
    auto other = plan;
    change(other);
    EXPECT_TRUE(digests.insert(state_digest(other)).second) << digests.size();
  }
  plan.address = "10.20.0.9";
  plan.memory_mib = 512;
  EXPECT_EQ(state_digest(plan), digest) << "where it stands is no part of what is looked at";
}

TEST(PlannedChecks, AreWrittenDownByNameAndDigest) {
  for (const auto& department : nightly().departments) {
    for (const auto& plan : department.machines) {
      reports::MachineRecord machine;
      note_planned_checks(plan, machine);
      ASSERT_EQ(machine.checks.size(), plan.checks.size());
      ASSERT_EQ(machine.check_digests.size(), plan.checks.size());
      for (const auto& check : plan.checks) EXPECT_EQ(machine.check_digests.at(check.id), check_digest(check));
      EXPECT_EQ(machine.state_digest, state_digest(plan));
    }
  }
}

}  // namespace
}  // namespace patchlab::runners
