// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/record.hpp"

// Records for tests of reports, gate and stage, made by a tiny simulation: trials of sets, of which some members break
// something. So baseline, trials, signatures, verdicts and digests always agree with each other, and a test can spoil
// exactly one fact.
namespace patchlab::tests {

using reports::RunRecord;

struct SampleCheck {
  const char* id;
  const char* kind;
  const char* expected;
};
struct SampleMachine {
  const char* name;
  const char* golden;
  const char* address;
  std::uint32_t memory_mib;
  std::vector<SampleCheck> checks;
};

inline const std::vector<SampleMachine>& sample_machines() {
  static const std::vector<SampleMachine> machines{
      {"db",
       "database",
       "10.20.0.15",
       384,
       {{"golden-query", "database.query", "digest 5b1f… of 24 rows"},
        {"transaction", "database.transaction", "insert, select, roll back"}}},
      {"dhcp",
       "dhcp",
       "10.20.0.11",
       256,
       {{"lease", "dhcp.lease", "an offer from 10.20.0.11 out of 10.20.0.100-10.20.0.199"},
        {"renew", "dhcp.renew", "the same address again"}}},
      {"dns",
       "dns",
       "10.20.0.10",
       256,
       {{"a-record", "dns.query", "mail.corp.example A 10.20.0.14"},
        {"cname-chain", "dns.query", "www -> web -> 10.20.0.12"},
        {"mx-record", "dns.query", "corp.example MX 10 mail.corp.example"},
        {"nxdomain", "dns.query", "NXDOMAIN"},
        {"srv-record", "dns.query", "_ldap._tcp SRV 0 100 389 file.corp.example"}}},
      {"file",
       "file",
       "10.20.0.12",
       320,
       {{"denied-user", "smb.denied", "NT_STATUS_ACCESS_DENIED for 'guest'"},
        {"share-access", "smb.access", "write, read back by hash, rename, delete"}}},
      {"mail",
       "mail",
       "10.20.0.14",
       320,
       {{"deliver", "mail.deliver", "250 after DATA, then byte-identical by IMAP"},
        {"relay-refused", "mail.relay", "554 5.7.1 for a foreign recipient"}}},
      {"print",
       "print",
       "10.20.0.13",
       256,
       {{"printer-ready", "ipp.attributes", "printer-state idle"},
        {"print-job", "ipp.job", "job completed, 48 211 bytes in the sink"}}}};
  return machines;
}

// One way in which a set breaks: all of `set` must be installed.
struct SampleFault {
  std::vector<std::string> set;
  std::string department;  // empty: everywhere
  std::string first_phase;
  std::string machine;
  std::string check;  // empty: a state difference instead
  std::string reason;
  std::string observed;
};

class SampleRun {
 public:
  explicit SampleRun(std::vector<SampleMachine> machines = sample_machines()) : machines_(std::move(machines)) {
    record_.id = "2026-11-22T060250Z-7f3a91";
    record_.tool_version = "0.1.0";
    record_.scenario_name = "xavier-nightly";
    record_.scenario_digest = sha256("scenario");
    record_.started = "2026-11-22T06:02:50.123Z";
    record_.finished = "2026-11-22T06:13:31.480Z";
    record_.host = {{"accelerator", "tcg"}, {"cpus", "2"},        {"kernel", "6.1.0-28-amd64"},
                    {"libvirt", "9.0.0"},   {"memory", "24 GiB"}, {"os", "Debian GNU/Linux 12 (bookworm)"},
                    {"qemu", "7.2.15"}};
    record_.digests = {{"check_set", sha256("checks")}, {"policy", sha256("policy")}};
    record_.complete = true;
  }

  void add_candidate(std::string id, std::string title, std::string severity, std::string origin,
                     std::vector<std::string> machines) {
    reports::CandidateRecord candidate;
    candidate.title = std::move(title);
    candidate.severity = std::move(severity);
    candidate.kind = "deb";
    candidate.origin = std::move(origin);
    candidate.digest = sha256("candidate " + id);
    candidate.files = {{id + "_amd64.deb", sha256("content of " + id), std::string("content of " + id).size()}};
    candidate.id = id;
    applies_to_[id] = std::move(machines);
    record_.candidates.push_back(std::move(candidate));
  }

  void add_fault(SampleFault fault) { faults_.push_back(std::move(fault)); }

  void start_department(const std::string& name, std::int64_t start_ms,
                        const std::vector<std::string>& only_machines = {}) {
    auto& department = record_.departments.emplace_back();
    department.name = name;
    department.phases = {"after-install", "after-reboot-1"};
    now_ms_ = start_ms;
    for (const auto& machine : machines_) {
      if (!only_machines.empty() && std::ranges::count(only_machines, machine.name) == 0) continue;
      reports::MachineRecord entry;
      entry.name = entry.role = machine.name;
      entry.golden = std::string("images/") + machine.golden;
      entry.golden_at = "image";
      entry.golden_digest = entry.golden_digest_after = sha256(std::string("golden ") + machine.golden);
      entry.address = machine.address;
      entry.memory_mib = machine.memory_mib;
      for (const auto& check : machine.checks) {
        entry.checks.emplace_back(check.id);
        entry.check_digests[check.id] = sha256(std::string("check ") + machine.name + "/" + check.id);
      }
      entry.state_digest = sha256(std::string("state of ") + machine.name);
      department.machines.push_back(std::move(entry));
    }
    prepare();
  }

  // Runs a trial on the given machines (empty: all); returns its id.
  std::string trial(reports::Purpose purpose, const std::vector<std::string>& candidates,
                    std::vector<std::string> machines = {}) {
    auto& department = record_.departments.back();
    if (machines.empty()) {
      for (const auto& machine : department.machines) machines.push_back(machine.name);
    }
    reports::TrialRecord trial;
    trial.id = fmt::format("{}/t{}", department.name, department.trials.size());
    trial.purpose = purpose;
    trial.candidates = candidates;
    trial.machines = std::move(machines);
    std::vector<std::string> digests;
    for (const auto& id : candidates) digests.push_back(reports::find_candidate(record_, id)->digest);
    trial.set_digest = reports::patch_set_digest(digests);
    trial.evidence_folder = "evidence/" + trial.id;
    trial.started = at(now_ms_);
    const auto begin = now_ms_;
    if (purpose != reports::Purpose::baseline) spend(trial, "revert", trial.machines, 1400);
    install(trial);
    for (const auto& phase : reports::planned_phases(department, trial)) {
      if (phase.starts_with("after-reboot")) spend(trial, "reboot", touched(trial), 16800);
      look(trial, phase);
    }
    trial.signature = reports::failure_signature(trial);
    trial.outcome = trial.signature.empty() ? Outcome::pass : Outcome::fail;
    trial.duration_ms = now_ms_ - begin;
    department.trials.push_back(std::move(trial));
    return department.trials.back().id;
  }

  reports::VerdictRecord& verdict(const std::string& candidate, Outcome outcome, std::string reason) {
    auto& department = record_.departments.back();
    reports::VerdictRecord verdict;
    verdict.candidate = candidate;
    verdict.outcome = outcome;
    verdict.reason = std::move(reason);
    for (const auto& machine : applies_to_.at(candidate)) {
      if (reports::find_machine(department, machine) != nullptr) verdict.machines.push_back(machine);
    }
    department.verdicts.push_back(std::move(verdict));
    return department.verdicts.back();
  }

  void end_department(const std::string& final_trial) {
    auto& department = record_.departments.back();
    department.final_trial = final_trial;
    fence_probes("after");
    department.outcome = Outcome::skipped;
    for (const auto& verdict : department.verdicts) {
      department.outcome = combine(department.outcome, verdict.outcome);
    }
  }

  RunRecord finish() {
    for (const auto& timing : record_.timings)
      record_.duration_ms = std::max(record_.duration_ms, timing.start_ms + timing.duration_ms);
    record_.peak_memory_kib = 5'412'864;
    record_.not_tested = {"Windows guests: all machines of this scenario are stand-ins"};
    record_.finished = at(record_.duration_ms);
    return std::move(record_);
  }

 private:
  static std::string at(std::int64_t offset_ms) {
    using namespace std::chrono;
    const auto start = sys_days{year{2026} / 11 / 22} + hours{6} + minutes{2} + seconds{50} + milliseconds{123};
    return rfc3339(system_clock::time_point(start + milliseconds{offset_ms}));
  }

  // Machines work side by side, a little out of step; the clock moves on by the slowest.
  void spend(const reports::TrialRecord& trial, const char* phase, const std::vector<std::string>& machines,
             std::int64_t each_ms) {
    const auto& department = record_.departments.back().name;
    std::int64_t longest = 0;
    for (std::size_t i = 0; i < machines.size(); ++i) {
      const auto duration =
          each_ms + static_cast<std::int64_t>((i * 7 + trial.candidates.size() * 3) % 5) * each_ms / 12;
      const auto offset = static_cast<std::int64_t>(i) * each_ms / 20;
      record_.timings.push_back({department, machines[i], trial.id, phase, now_ms_ + offset, duration});
      longest = std::max(longest, offset + duration);
    }
    now_ms_ += longest;
  }

  void fence_probes(const char* phase) {
    auto& department = record_.departments.back();
    const std::vector<std::pair<const char*, const char*>> probes{
        {"arp", "10.20.0.1"},  {"arp", "192.0.2.7"},    {"ping", "10.20.0.1"},    {"ping", "192.0.2.7"},
        {"dns", "192.0.2.53"}, {"tcp", "192.0.2.7:22"}, {"tcp", "192.0.2.7:443"}, {"ipv6-nd", "ff02::2"}};
    for (const auto& [probe, target] : probes) {
      department.fence.attempts.push_back({phase, probe, target, false, "3 frames sent, none came back within 800 ms"});
    }
    department.fence.attempts.push_back(
        {phase, "watch", "any", false, "heard 2180 frames and 96 beacons in 96.0 s, no stranger"});
    for (const auto* probe : {"arp", "ping", "dns", "tcp", "ipv6-nd"}) {
      reports::FenceAttempt control{phase, probe, "169.254.77.1", true, "answer from 02:00:00:00:77:01"};
      control.control = true;
      control.device = "br0";
      department.fence.attempts.push_back(control);
    }
    record_.timings.push_back({department.name, "", "", "fence", now_ms_, 2600});
    now_ms_ += 2600;
  }

  void prepare() {
    auto& department = record_.departments.back();
    std::vector<std::string> machines;
    for (const auto& machine : department.machines) machines.push_back(machine.name);
    reports::TrialRecord none;
    record_.timings.push_back({department.name, "", "", "clone", now_ms_, 900});
    now_ms_ += 900;
    spend(none, "boot", machines, 24000);
    spend(none, "ready", machines, 5200);
    fence_probes("before");
    trial(reports::Purpose::baseline, {});
    spend(none, "snapshot", machines, 320);
    trial(reports::Purpose::control, {});
    fence_probes("during");
  }

  [[nodiscard]] std::vector<std::string> touched(const reports::TrialRecord& trial) const {
    if (trial.candidates.empty()) return trial.machines;  // the control reboots everything
    std::vector<std::string> machines;
    for (const auto& machine : trial.machines) {
      const bool applies = std::ranges::any_of(
          trial.candidates, [&](const std::string& id) { return std::ranges::count(applies_to_.at(id), machine) > 0; });
      if (applies) machines.push_back(machine);
    }
    return machines;
  }

  void install(reports::TrialRecord& trial) {
    for (const auto& id : trial.candidates) {
      for (const auto& machine : trial.machines) {
        if (std::ranges::count(applies_to_.at(id), machine) == 0) continue;
        trial.installs.push_back({machine, id, Outcome::pass, 0, "Setting up " + id + " ...", 3100});
      }
    }
    spend(trial, "install", trial.candidates.empty() ? std::vector<std::string>{} : touched(trial), 5400);
  }

  void look(reports::TrialRecord& trial, const std::string& phase_name) {
    for (const auto& name : trial.machines) {
      const auto machine = std::ranges::find(machines_, name, &SampleMachine::name);
      reports::PhaseRecord phase;
      phase.phase = phase_name;
      phase.machine = name;
      phase.outcome = Outcome::pass;
      for (const auto& check : machine->checks) phase.checks.push_back(run_check(check));
      if (phase_name == "baseline") phase.not_observed = {"kernel: it comes from outside the guest"};
      if (trial.purpose == reports::Purpose::final && phase_name == "after-reboot-1") phase.growth = growth_of(name);
      for (const auto& fault : faults_) apply(fault, trial, phase);
      trial.phases.push_back(std::move(phase));
    }
    spend(trial, "checks", trial.machines, 2900);
  }

  // Nothing grows; one machine cannot be watched.
  static checks::growth::Growth growth_of(const std::string& machine) {
    if (machine == "db") return {.why_not = "guests of this kind are not watched for growth"};
    checks::growth::Growth growth{.looks = 11, .planned = 11, .time = Milliseconds(20000), .asked = 4};
    growth.hardest = {{.used = {Resource::memory, "named"}, .told_from = 92160, .from = 12288, .to = 12288},
                      {.used = {Resource::disk, "/"}, .told_from = 92160, .from = 500000, .to = 500004}};
    return growth;
  }

  static checks::CheckResult run_check(const SampleCheck& check) {
    checks::CheckResult result;
    result.id = check.id;
    result.kind = check.kind;
    result.outcome = Outcome::pass;
    result.reason = "as-expected";
    result.expected = result.observed = check.expected;
    result.evidence = {{"attempts", 1}, {"reply", check.expected}};
    result.duration = Milliseconds(180);
    return result;
  }

  void apply(const SampleFault& fault, const reports::TrialRecord& trial, reports::PhaseRecord& phase) const {
    const auto& phases = record_.departments.back().phases;
    const auto position = [&](const std::string& name) { return std::ranges::find(phases, name) - phases.begin(); };
    const bool here = fault.department.empty() || fault.department == record_.departments.back().name;
    const bool all_in =
        std::ranges::all_of(fault.set, [&](const auto& id) { return std::ranges::count(trial.candidates, id) > 0; });
    if (!here || !all_in || phase.machine != fault.machine || phase.phase == "baseline") return;
    if (position(phase.phase) < position(fault.first_phase)) return;
    phase.outcome = Outcome::fail;
    if (fault.check.empty()) {
      phase.differences.push_back({"service", fault.reason, "running", fault.observed});
      return;
    }
    for (auto& check : phase.checks) {
      if (check.id != fault.check) continue;
      check.outcome = Outcome::fail;
      check.reason = fault.reason;
      check.observed = fault.observed;
      check.evidence = {
          {"attempts", 1}, {"client", "10.20.0.250"}, {"reply", fault.observed}, {"sent_at", trial.started}};
    }
  }

  std::vector<SampleMachine> machines_;
  RunRecord record_;
  std::map<std::string, std::vector<std::string>> applies_to_;
  std::vector<SampleFault> faults_;
  std::int64_t now_ms_ = 0;
};

// One department of two machines, two harmless candidates, promoted.
inline RunRecord good_record() {
  SampleRun run;
  run.add_candidate("dns-update", "DNS server update", "important", "apt", {"dns"});
  run.add_candidate("tidy", "Tidied package", "low", "repack", {"dns", "mail"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto batch = run.trial(reports::Purpose::batch, {"dns-update", "tidy"});
  run.verdict("dns-update", Outcome::pass, "passed as part of the exact set").trials = {batch};
  run.verdict("tidy", Outcome::pass, "passed as part of the exact set").trials = {batch};
  run.end_department(batch);
  return run.finish();
}

// Both candidates together break what mail does: a set that only a waiver lets through.
inline reports::RunRecord held_back_record() {
  SampleRun run;
  run.add_candidate("dns-update", "DNS server update", "important", "apt", {"dns"});
  run.add_candidate("tidy", "Tidied package", "low", "repack", {"dns", "mail"});
  run.add_fault({{"tidy"}, "", "after-install", "mail", "deliver", "smtp-refused", "454 4.7.0 not available"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto batch = run.trial(reports::Purpose::batch, {"dns-update", "tidy"});
  run.verdict("dns-update", Outcome::pass, "passed as part of the exact set").trials = {batch};
  auto& tidy = run.verdict("tidy", Outcome::fail, "mail/deliver");
  tidy.trials = {batch};
  tidy.failed = {"mail/deliver"};
  run.end_department(run.trial(reports::Purpose::final, {"dns-update"}));
  return run.finish();
}

inline void sample_candidates(SampleRun& run) {
  run.add_candidate("bind9-9.18.33-deb12u2", "bind9: security update (CVE-2024-11187)", "important", "apt", {"dns"});
  run.add_candidate("postgresql-15.10-deb12u1", "postgresql-15: security update (CVE-2024-10979)", "critical", "apt",
                    {"db"});
  run.add_candidate("base-files-tidy", "base-files, repackaged without change", "low", "repack",
                    {"db", "dhcp", "dns", "file", "mail", "print"});
  run.add_candidate("tzdata-refresh", "Time zone data, repackaged without change", "low", "repack", {"db", "mail"});
  run.add_candidate("postfix-tls-strict", "Postfix: stricter TLS defaults", "moderate", "repack", {"mail"});
  run.add_candidate("bind9-journal-cleanup", "bind9: cleans its journals at shutdown", "moderate", "repack", {"dns"});
  run.add_candidate("samba-share-defaults", "Samba: new defaults for shares", "moderate", "repack", {"file"});
  run.add_candidate("pg-tuning-memory", "PostgreSQL: memory settings", "low", "repack", {"db"});
  run.add_candidate("pg-tuning-connections", "PostgreSQL: connection settings", "low", "repack", {"db"});
  run.add_fault({{"postfix-tls-strict"},
                 "",
                 "after-install",
                 "mail",
                 "deliver",
                 "smtp-refused",
                 "454 4.7.0 TLS not available due to local problem <mail.corp.example>"});
  run.add_fault({{"bind9-journal-cleanup"},
                 "",
                 "after-reboot-1",
                 "dns",
                 "a-record",
                 "no-answer",
                 "no answer within 5 s (udp, then tcp)"});
  run.add_fault({{"bind9-journal-cleanup"},
                 "",
                 "after-reboot-1",
                 "dns",
                 "mx-record",
                 "no-answer",
                 "no answer within 5 s (udp, then tcp)"});
  run.add_fault({{"bind9-journal-cleanup"}, "", "after-reboot-1", "dns", "", "named", "failed"});
  run.add_fault({{"samba-share-defaults"},
                 "engineering",
                 "after-install",
                 "file",
                 "share-access",
                 "write-denied",
                 "NT_STATUS_ACCESS_DENIED creating 'patchlab-4f1c.bin' on \\\\10.20.0.12\\projects"});
  run.add_fault({{"pg-tuning-memory", "pg-tuning-connections"},
                 "",
                 "after-install",
                 "db",
                 "transaction",
                 "connect-failed",
                 "could not connect: FATAL: could not map anonymous shared memory: Cannot allocate memory"});
  run.add_fault({{"pg-tuning-memory", "pg-tuning-connections"}, "", "after-install", "db", "", "postgresql", "failed"});
}

inline void sample_department(SampleRun& run, const std::string& name, std::int64_t start_ms) {
  const std::vector<std::string> all{"bind9-9.18.33-deb12u2", "postgresql-15.10-deb12u1", "base-files-tidy",
                                     "tzdata-refresh",        "postfix-tls-strict",       "bind9-journal-cleanup",
                                     "samba-share-defaults",  "pg-tuning-memory",         "pg-tuning-connections"};
  const bool samba_fails = name == "engineering";
  run.start_department(name, start_ms);
  const auto batch = run.trial(reports::Purpose::batch, all);
  const auto mail = run.trial(reports::Purpose::search, {"postfix-tls-strict"}, {"mail"});
  const auto dns_good = run.trial(reports::Purpose::search, {"bind9-9.18.33-deb12u2", "base-files-tidy"}, {"dns"});
  const auto dns = run.trial(reports::Purpose::search, {"bind9-journal-cleanup"}, {"dns"});
  const auto memory = run.trial(reports::Purpose::search, {"pg-tuning-memory"}, {"db"});
  const auto connections = run.trial(reports::Purpose::search, {"pg-tuning-connections"}, {"db"});
  const auto pair = run.trial(reports::Purpose::confirm, {"pg-tuning-memory", "pg-tuning-connections"}, {"db"});
  const auto samba =
      samba_fails ? run.trial(reports::Purpose::search, {"samba-share-defaults"}, {"file"}) : std::string();
  std::vector<std::string> good{"bind9-9.18.33-deb12u2", "postgresql-15.10-deb12u1", "base-files-tidy",
                                "tzdata-refresh"};
  if (!samba_fails) good.emplace_back("samba-share-defaults");
  const auto final_trial = run.trial(reports::Purpose::final, good);
  for (const auto& id : all) {
    if (std::ranges::count(good, id) > 0)
      run.verdict(id, Outcome::pass, "passed as part of the exact set that is promoted").trials = {final_trial};
    if (id == "postfix-tls-strict") {
      auto& verdict = run.verdict(id, Outcome::fail, "alone, it stops mail from being delivered");
      verdict.failed = {"mail/deliver"};
      verdict.trials = {mail, batch};
    }
    if (id == "bind9-journal-cleanup") {
      auto& verdict =
          run.verdict(id, Outcome::fail, "alone, it stops the DNS server from starting again after a reboot");
      verdict.failed = {"dns/a-record", "dns/mx-record", "dns/state:service:named"};
      verdict.trials = {dns, batch, dns_good};
    }
    if (id == "samba-share-defaults" && samba_fails) {
      auto& verdict = run.verdict(id, Outcome::fail, "with this department's share configuration, writing is denied");
      verdict.failed = {"file/share-access"};
      verdict.trials = {samba, batch};
    }
    if (id.starts_with("pg-tuning")) {
      const bool is_memory = id == "pg-tuning-memory";
      auto& verdict =
          run.verdict(id, Outcome::fail, "harmless alone; together the two stop the database from starting");
      verdict.group = {is_memory ? "pg-tuning-connections" : "pg-tuning-memory"};
      verdict.failed = {"db/state:service:postgresql", "db/transaction"};
      verdict.trials = {pair, is_memory ? memory : connections, is_memory ? connections : memory};
    }
  }
  run.end_department(final_trial);
}

// The shape of the shipped scenario: two departments of six roles, nine candidates, among them one that breaks mail at
// once, one that breaks DNS after a reboot, one that breaks file shares in engineering only, and a pair.
inline RunRecord rich_record() {
  SampleRun run;
  sample_candidates(run);
  sample_department(run, "engineering", 400);
  sample_department(run, "finance", 1900);
  return run.finish();
}

// As if what passed had been published seven minutes after the run.
inline reports::Decisions sample_decisions(const RunRecord& record) {
  reports::Decisions decisions;
  for (const auto& department : record.departments) {
    reports::DecisionRecord decision{.department = department.name,
                                     .as_of = "2026-11-22T06:20:31.000Z",
                                     .since = "2026-11-22T06:20:00.000Z",
                                     .stage = "production/" + department.name,
                                     .manifest_digest = sha256("manifest " + department.name)};
    for (const auto& verdict : department.verdicts) {
      if (verdict.outcome == Outcome::pass) decision.candidates.push_back(verdict.candidate);
    }
    decision.state = decision.candidates.empty() ? reports::DecisionState::refused : reports::DecisionState::promoted;
    decision.requirements.push_back({"run-incomplete",
                                     {{"run", record.id}},
                                     record.id,
                                     true,
                                     "it ran to its end, without an error of its own",
                                     ""});
    for (const auto& verdict : department.verdicts) {
      if (verdict.outcome != Outcome::fail) continue;
      decision.requirements.push_back({"candidate-failed",
                                       {{"department", department.name}, {"candidate", verdict.candidate}},
                                       verdict.candidate,
                                       false,
                                       verdict.reason,
                                       ""});
    }
    decisions.push_back(std::move(decision));
  }
  return decisions;
}

}  // namespace patchlab::tests
