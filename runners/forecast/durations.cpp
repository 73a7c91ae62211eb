// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/forecast/durations.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "reports/record/queries.hpp"

namespace patchlab::runners::forecast {
namespace {

using reports::PhaseRecord;
using reports::TrialRecord;

std::size_t place_of(StepKind kind) { return static_cast<std::size_t>(kind); }

std::optional<StepKind> kind_of(const std::string& phase, bool whole_department) {
  if (phase == "fence") return whole_department ? StepKind::fence : StepKind::fence_inside;
  if (phase == "boot") return StepKind::boot;
  if (phase == "ready") return StepKind::ready;
  if (phase == "checks") return StepKind::checks;
  if (phase == reports::state_step) return StepKind::state;
  if (phase == "settle") return StepKind::settle;
  if (phase == "snapshot") return StepKind::snapshot;
  if (phase == "revert") return StepKind::revert;
  if (phase == "reboot") return StepKind::reboot;
  if (phase == reports::stability_phase) return StepKind::stability;
  if (phase == reports::next_package_phase) return StepKind::next_package;
  if (phase == reports::services_phase) return StepKind::service_cycles;
  return std::nullopt;  // install and removal: each candidate says it itself
}

bool was_run(const TrialRecord& trial) { return trial.reused_from.empty() && trial.reused_run.empty(); }

bool was_seen(const PhaseRecord& phase) { return phase.outcome == Outcome::pass || phase.outcome == Outcome::fail; }

// How often a machine was looked at in a trial, and whether something failed there.
struct Looks {
  std::int64_t count = 0;
  bool failed = false;
};

}  // namespace

const char* to_string(StepKind kind) {
  switch (kind) {
    case StepKind::fence: return "fence";
    case StepKind::fence_inside: return "fence from inside";
    case StepKind::boot: return "boot";
    case StepKind::ready: return "ready";
    case StepKind::checks: return "checks";
    case StepKind::failing_checks: return "failing checks";
    case StepKind::state: return "state";
    case StepKind::settle: return "settle";
    case StepKind::snapshot: return "snapshot";
    case StepKind::revert: return "revert";
    case StepKind::install: return "install";
    case StepKind::reboot: return "reboot";
    case StepKind::stability: return "stability";
    case StepKind::service_cycles: return "service cycles";
    case StepKind::next_package: return "next package";
    case StepKind::removal: return "removal";
  }
  return "?";
}

const char* to_string(Said said) {
  switch (said) {
    case Said::recorded: return "recorded";
    case Said::of_this_kind: return "of this kind";
    case Said::by_scenario: return "by the scenario";
    case Said::assumed: return "assumed";
  }
  return "?";
}

std::int64_t assumed_ms(StepKind kind, GuestFamily family) {
  const bool windows = family == GuestFamily::windows;
  switch (kind) {
    case StepKind::fence:
    case StepKind::fence_inside: return 1'200;
    case StepKind::boot: return windows ? 120'000 : 5'000;
    case StepKind::ready: return windows ? 30'000 : 1'000;
    case StepKind::checks: return windows ? 15'000 : 6'000;
    case StepKind::failing_checks: return windows ? 45'000 : 30'000;
    case StepKind::state: return windows ? 15'000 : 2'000;
    case StepKind::settle: return windows ? 10'000 : 300;
    case StepKind::snapshot: return windows ? 20'000 : 1'000;
    case StepKind::revert: return windows ? 10'000 : 1'000;
    case StepKind::install: return windows ? 1'500'000 : 10'000;
    case StepKind::reboot: return windows ? 300'000 : 6'000;
    case StepKind::stability: return 30'000;
    case StepKind::next_package: return windows ? 60'000 : 10'000;
    case StepKind::service_cycles: return windows ? 60'000 : 15'000;
    case StepKind::removal: return windows ? 900'000 : 10'000;
  }
  return 0;
}

Durations::Durations(const std::vector<reports::RunRecord>& newest_first) {
  for (const auto& record : newest_first) {
    runs_.push_back(record.id);
    read(record, static_cast<std::uint32_t>(runs_.size() - 1));
  }
}

// Each run is added up by itself; what a newer one said stays.
void Durations::read(const reports::RunRecord& record, std::uint32_t run) {
  std::unordered_map<std::string, Kinds> machines, roles, departments;
  std::unordered_map<std::string, Sum> installs;
  std::unordered_map<std::string, std::string> role_of;    // by "finance/dns"
  std::unordered_map<std::string, Looks> looks;            // by "finance/dns finance/t01"
  std::unordered_map<std::string, std::string> digest_of;  // by candidate
  for (const auto& candidate : record.candidates) digest_of[candidate.id] = candidate.digest;

  const auto add = [&](Sum& sum, std::int64_t ms, std::int64_t count) {
    sum.ms += ms;
    sum.count += count;
    sum.run = run;
  };
  const auto add_step = [&](const std::string& machine, StepKind kind, std::int64_t ms, std::int64_t count) {
    add(machines[machine][place_of(kind)], ms, count);
    add(roles[role_of[machine]][place_of(kind)], ms, count);
    add(roles[""][place_of(kind)], ms, count);
  };

  for (const auto& department : record.departments) {
    departments_.insert(department.name);
    for (const auto& machine : department.machines) role_of[department.name + "/" + machine.name] = machine.role;
    for (const auto& trial : department.trials) {
      if (!was_run(trial)) continue;
      // Of a baseline, steps after the start name no trial.
      const auto id = trial.purpose == reports::Purpose::baseline ? std::string() : trial.id;
      for (const auto& phase : trial.phases) {
        if (!was_seen(phase)) continue;
        auto& seen = looks[department.name + "/" + phase.machine + " " + id];
        ++seen.count;
        seen.failed = seen.failed || phase.outcome == Outcome::fail;
      }
      for (const auto& install : trial.installs) {
        if (install.outcome != Outcome::pass || !install.installed_in.empty() || !install.installed_run.empty())
          continue;
        const auto machine = department.name + "/" + install.machine;
        add_step(machine, StepKind::install, install.duration_ms, 1);
        const auto& digest = digest_of[install.candidate];
        add(installs[machine + " " + digest], install.duration_ms, 1);
        add(installs[" " + digest], install.duration_ms, 1);
        add(installs[install.candidate], install.duration_ms, 1);
      }
      for (const auto& removal : trial.removals) {
        if (removal.outcome == Outcome::pass)
          add_step(department.name + "/" + removal.machine, StepKind::removal, removal.duration_ms, 1);
      }
    }
  }

  std::int64_t first = record.duration_ms, last = 0;
  bool tells_state = false;
  std::set<std::string> looked_at;  // whose looks were counted: "finance/dns finance/t01 3"
  for (const auto& timing : record.timings) {
    first = std::min(first, timing.start_ms);
    last = std::max(last, timing.start_ms + timing.duration_ms);
    const auto kind = kind_of(timing.phase, timing.machine.empty());
    if (!kind) continue;
    if (timing.machine.empty()) {
      add(departments[timing.department][place_of(*kind)], timing.duration_ms, 1);
      add(departments[""][place_of(*kind)], timing.duration_ms, 1);
      continue;
    }
    const auto machine = timing.department + "/" + timing.machine;
    if (*kind == StepKind::checks || *kind == StepKind::state) {
      // One look may be told in several pieces.
      tells_state = tells_state || *kind == StepKind::state;
      const auto trial = machine + " " + timing.trial;
      const auto seen = looks.find(trial);
      if (seen == looks.end() || seen->second.count == 0) continue;
      const auto of = *kind == StepKind::checks && seen->second.failed ? StepKind::failing_checks : *kind;
      const bool is_new = looked_at.insert(trial + " " + to_string(of)).second;
      add_step(machine, of, timing.duration_ms, is_new ? seen->second.count : 0);
      continue;
    }
    // Within an installation, it is a part of that.
    if (*kind == StepKind::settle && !timing.trial.empty()) continue;
    add_step(machine, *kind, timing.duration_ms, 1);
  }
  // Of older versions, checks hold it.
  if (!tells_state) {
    for (auto* where : {&machines, &roles}) {
      for (auto& [name, kinds] : *where) {
        if (kinds[place_of(StepKind::checks)].count > 0) add(kinds[place_of(StepKind::state)], 0, 1);
      }
    }
  }

  const auto keep = [](auto& where, const auto& found) {
    for (const auto& [key, kinds] : found) {
      auto& mine = where[key];
      for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (mine[i].count == 0) mine[i] = kinds[i];
      }
    }
  };
  keep(by_machine_, machines);
  keep(by_role_, roles);
  keep(by_department_, departments);
  for (const auto& [key, sum] : installs) installs_.emplace(key, sum);
  if (frame_.count == 0 && last > 0) add(frame_, first + std::max<std::int64_t>(record.duration_ms - last, 0), 1);
}

std::optional<Time> Durations::known(const std::unordered_map<std::string, Kinds>& where, const std::string& key,
                                     StepKind kind, Said said) const {
  const auto found = where.find(key);
  if (found == where.end()) return std::nullopt;
  const auto& sum = found->second[place_of(kind)];
  if (sum.count == 0) return std::nullopt;
  return Time{sum.mean(), said, sum.run};
}

Durations::OfMachine Durations::of(const std::string& department, const std::string& machine, const std::string& role,
                                   GuestFamily family) const {
  OfMachine of;
  of.all_ = this;
  of.name_ = department + "/" + machine;
  of.role_ = role;
  of.family_ = family;
  of.has_installs_ = !installs_.empty();
  return of;
}

Time Durations::OfMachine::of(StepKind kind) const {
  if (auto time = all_->known(all_->by_machine_, name_, kind, Said::recorded)) return *time;
  if (auto time = all_->known(all_->by_role_, role_, kind, Said::of_this_kind)) return *time;
  // Roles that runs have not seen are like others, but Windows is like nothing else.
  if (family_ != GuestFamily::windows) {
    if (auto time = all_->known(all_->by_role_, "", kind, Said::of_this_kind)) return *time;
  }
  return {assumed_ms(kind, family_), Said::assumed, 0};
}

Time Durations::OfMachine::install(const std::string& candidate, const std::string& digest) const {
  if (has_installs_) {
    const auto& known = all_->installs_;
    if (const auto here = known.find(name_ + " " + digest); here != known.end())
      return {here->second.mean(), Said::recorded, here->second.run};
    for (const auto& key : {" " + digest, candidate}) {
      if (const auto there = known.find(key); there != known.end())
        return {there->second.mean(), Said::of_this_kind, there->second.run};
    }
  }
  auto time = of(StepKind::install);
  if (time.said == Said::recorded) time.said = Said::of_this_kind;  // of other candidates
  return time;
}

Time Durations::of_department(const std::string& department, StepKind kind) const {
  if (auto time = known(by_department_, department, kind, Said::recorded)) return *time;
  if (auto time = known(by_department_, "", kind, Said::of_this_kind)) return *time;
  return {assumed_ms(kind, GuestFamily::debian), Said::assumed, 0};
}

Time Durations::frame() const {
  if (frame_.count > 0) return {frame_.mean(), Said::recorded, frame_.run};
  return {10'000, Said::assumed, 0};
}

}  // namespace patchlab::runners::forecast
