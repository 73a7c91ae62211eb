// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/run_sums.hpp"

#include <algorithm>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "promotion/stage/manifest.hpp"
#include "reports/record/host_keys.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::history {
namespace {

std::string role_of(const reports::DepartmentRecord& department, const std::string& machine) {
  const auto* found = reports::find_machine(department, machine);
  return found == nullptr ? "" : found->role;
}

// Whether what it saw was seen by itself, and counts.
bool counts(const reports::TrialRecord& trial) { return trial.reused_from.empty() && !reports::is_lost(trial); }

void add(CheckSums& sums, const checks::CheckResult& result, bool bare) {
  switch (result.outcome) {
    case Outcome::pass:
    case Outcome::fail: break;
    case Outcome::error: ++sums.errors; return;
    case Outcome::skipped:
    case Outcome::not_reached: return;
  }
  ++sums.asked;
  if (result.tries.size() > 1) ++sums.asked_again;
  if (checks::is_flaky(result)) ++sums.disagreed;
  if (!bare) return;
  ++sums.bare;
  if (result.outcome == Outcome::fail) ++sums.bare_failed;
}

// By machine, of what this trial installed there itself or went on from.
std::map<std::string, std::string> kinds_of(const reports::RunRecord& record, const reports::TrialRecord& trial) {
  std::map<std::string, std::set<std::string>> kinds;
  for (const auto& install : trial.installs) {
    const auto* candidate = reports::find_candidate(record, install.candidate);
    if (install.outcome == Outcome::pass && candidate != nullptr) kinds[install.machine].insert(candidate->kind);
  }
  std::map<std::string, std::string> words;
  for (const auto& [machine, all] : kinds) words[machine] = all.size() == 1 ? *all.begin() : "mixed";
  return words;
}

bool was_installed_here(const reports::InstallRecord& install) {
  return install.outcome == Outcome::pass && install.installed_in.empty() && install.installed_run.empty();
}

}  // namespace

std::string month_of(const reports::RunRecord& record) {
  return parse_rfc3339(record.started) ? record.started.substr(0, 7) : "unknown";
}

std::string accelerator_of(const reports::RunRecord& record, const std::string& department) {
  for (const auto& key : {reports::accelerator_key_of(department), std::string(reports::accelerator_key)}) {
    if (const auto found = record.host.find(key); found != record.host.end()) return found->second;
  }
  return {};
}

std::map<CheckKey, CheckSums> check_sums_of(const reports::RunRecord& record) {
  std::map<CheckKey, CheckSums> sums;
  for (const auto& department : record.departments) {
    for (const auto& trial : department.trials) {
      if (!counts(trial)) continue;
      for (const auto& phase : trial.phases) {
        for (const auto& check : phase.checks) {
          // After the clock was moved it fails without any patch as well: that says nothing of it.
          if (phase.fails_without_patch.contains(check.id)) continue;
          add(sums[{department.name, phase.machine, role_of(department, phase.machine), check.id}], check,
              trial.candidates.empty());
        }
      }
    }
    for (const auto& flaky : department.flaky) {
      const auto machine = reports::machine_of_key(flaky.fact);
      const auto fact = flaky.fact.size() > machine.size() ? flaky.fact.substr(machine.size() + 1) : std::string();
      ++sums[{department.name, machine, role_of(department, machine), fact}].between_trials;
    }
  }
  std::erase_if(sums, [](const auto& one) { return one.second == CheckSums{}; });
  return sums;
}

std::int64_t kept_ms(std::int64_t ms) {
  std::int64_t unit = 1;
  while (ms / unit >= 1000) unit *= 10;
  const auto digits = ms / unit;
  const auto step = unit * (digits < 100 ? 1 : digits < 200 ? 2 : digits < 500 ? 5 : 10);
  return (ms + step / 2) / step * step;
}

std::map<DurationKey, std::int64_t> durations_of(const reports::RunRecord& record) {
  std::map<DurationKey, std::int64_t> durations;
  std::map<std::string, std::pair<const reports::DepartmentRecord*, const reports::TrialRecord*>> trials;
  std::map<std::string, std::map<std::string, std::string>> kinds;
  for (const auto& department : record.departments) {
    for (const auto& trial : department.trials) {
      if (!counts(trial) || trial.outcome == Outcome::error) continue;
      trials[trial.id] = {&department, &trial};
      kinds[trial.id] = kinds_of(record, trial);
      for (const auto& install : trial.installs) {
        const auto* candidate = reports::find_candidate(record, install.candidate);
        if (!was_installed_here(install) || candidate == nullptr) continue;
        ++durations[{accelerator_of(record, department.name), role_of(department, install.machine), candidate->kind,
                     "install", kept_ms(install.duration_ms)}];
      }
    }
  }
  for (const auto& timing : record.timings) {
    const auto trial = trials.find(timing.trial);
    const std::string step = timing.phase == "reboot" ? "restart" : timing.phase == "checks" ? "checks" : "";
    if (trial == trials.end() || timing.machine.empty() || step.empty()) continue;
    const auto& department = *trial->second.first;
    const auto& words = kinds[timing.trial];
    const auto kind = words.find(timing.machine);
    ++durations[{accelerator_of(record, department.name), role_of(department, timing.machine),
                 kind == words.end() ? "none" : kind->second, step, kept_ms(timing.duration_ms)}];
  }
  return durations;
}

namespace {

// By trial and machine: how long all restarts took together, and how many they were.
using Restarts = std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, std::int64_t>>;

Restarts restarts_in(const reports::RunRecord& record) {
  Restarts restarts;
  for (const auto& timing : record.timings) {
    if (timing.phase != "reboot" || timing.trial.empty()) continue;
    auto& [ms, n] = restarts[{timing.trial, timing.machine}];
    ms += timing.duration_ms;
    ++n;
  }
  return restarts;
}

// Of the trial with most restarts on such a machine, of several the slowest: one that failed at once says nothing of
// what was to come. Only where it installed the candidate itself, and did not end in an error.
std::optional<TriedTimes> times_of(const reports::DepartmentRecord& department, const std::string& candidate,
                                   const std::string& role, const Restarts& restarts) {
  std::optional<TriedTimes> times;
  const auto key = [](const TriedTimes& one) { return std::pair(one.restarts, one.install_ms + one.restart_ms); };
  for (const auto& trial : department.trials) {
    if (!counts(trial) || trial.outcome == Outcome::error) continue;
    for (const auto& install : trial.installs) {
      if (install.candidate != candidate || !was_installed_here(install) ||
          role_of(department, install.machine) != role)
        continue;
      TriedTimes seen{.install_ms = install.duration_ms, .asked = install.end.find("reboot") != std::string::npos};
      if (const auto found = restarts.find({trial.id, install.machine}); found != restarts.end())
        std::tie(seen.restart_ms, seen.restarts) = found->second;
      if (!times || key(seen) > key(*times)) times = seen;
    }
  }
  return times;
}

}  // namespace

std::vector<Tried> tried_in(const reports::RunRecord& record) {
  std::vector<Tried> rows;
  const auto started = parse_rfc3339(record.started), finished = parse_rfc3339(record.finished);
  if (!started || !finished) return rows;
  const auto restarts = restarts_in(record);
  for (const auto& department : record.departments) {
    for (const auto& verdict : department.verdicts) {
      const auto* candidate = reports::find_candidate(record, verdict.candidate);
      if (candidate == nullptr) continue;
      std::vector<std::string> files;
      std::string signature;
      for (const auto& file : candidate->files) {
        files.push_back(file.name);
        if (signature.empty()) signature = file.signature;
      }
      Tried row{record.id,
                rfc3339(*started),
                rfc3339(*finished),
                department.name,
                candidate->id,
                {},
                candidate->digest,
                candidate->kind,
                source_of(candidate->origin, signature),
                products_of(candidate->kind, candidate->title, files),
                verdict.known_from.empty() ? verdict.outcome : Outcome::not_reached,
                accelerator_of(record, department.name)};
      std::set<std::string> roles;
      for (const auto& machine : verdict.machines) roles.insert(role_of(department, machine));
      for (const auto& role : roles) {
        row.role = role;
        row.times = times_of(department, candidate->id, role, restarts);
        rows.push_back(row);
      }
    }
  }
  std::ranges::sort(rows, {}, [](const auto& row) { return std::tie(row.department, row.candidate, row.role); });
  return rows;
}

const std::vector<std::string>* set_in(const reports::RunRecord& record, const std::string& department,
                                       const std::string& digest) {
  const auto its = std::ranges::find(record.departments, department, &reports::DepartmentRecord::name);
  if (its == record.departments.end()) return nullptr;
  std::set<std::string> seen;  // one set is tried again and again
  for (const auto& trial : its->trials) {
    if (trial.candidates.empty() || !seen.insert(trial.set_digest).second) continue;
    if (sha256(promotion::sha256sums_of(record, trial.candidates)) == digest) return &trial.candidates;
  }
  return nullptr;
}

}  // namespace patchlab::history
