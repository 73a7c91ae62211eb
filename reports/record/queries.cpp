// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/queries.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "reports/record/severity.hpp"

namespace patchlab::reports {
namespace {
template <class T, class Member>
const T* find_by(const std::vector<T>& values, Member member, const std::string& wanted) {
  const auto found = std::ranges::find(values, wanted, member);
  return found == values.end() ? nullptr : &*found;
}
}  // namespace

const std::string& title_of(const RunRecord& record) {
  return record.scenario_title.empty() ? record.scenario_name : record.scenario_title;
}

const CandidateRecord* find_candidate(const RunRecord& record, const std::string& id) {
  return find_by(record.candidates, &CandidateRecord::id, id);
}
const MachineRecord* find_machine(const DepartmentRecord& department, const std::string& name) {
  return find_by(department.machines, &MachineRecord::name, name);
}
const TrialRecord* find_trial(const DepartmentRecord& department, const std::string& id) {
  return find_by(department.trials, &TrialRecord::id, id);
}
std::optional<StateCost> cost_of_state(const RunRecord& record) {
  StateCost cost;
  bool told = false;
  for (const auto& timing : record.timings) {
    if (timing.machine.empty()) continue;
    cost.machines_ms += timing.duration_ms;
    if (timing.phase != state_step) continue;
    told = true;
    cost.state_ms += timing.duration_ms;
  }
  return told ? std::optional(cost) : std::nullopt;
}

std::string to_string(const StateCost& cost) {
  const auto seconds = [](std::int64_t ms) { return (ms + 500) / 1000; };
  return fmt::format(
      "changes: {} s of {} s machine time ({:.1f} %)", seconds(cost.state_ms), seconds(cost.machines_ms),
      100.0 * static_cast<double>(cost.state_ms) / static_cast<double>(std::max<std::int64_t>(cost.machines_ms, 1)));
}

const TrialRecord* trial_with_purpose(const DepartmentRecord& department, Purpose purpose) {
  const auto found = std::ranges::find_if(
      department.trials, [&](const TrialRecord& trial) { return trial.purpose == purpose && !is_lost(trial); });
  return found == department.trials.end() ? nullptr : &*found;
}
const VerdictRecord* find_verdict(const DepartmentRecord& department, const std::string& candidate) {
  return find_by(department.verdicts, &VerdictRecord::candidate, candidate);
}
const checks::CheckResult* find_check(const PhaseRecord& phase, const std::string& id) {
  return find_by(phase.checks, &checks::CheckResult::id, id);
}

const TrialRecord* facts_of(const DepartmentRecord& department, const TrialRecord& trial) {
  if (trial.reused_from.empty()) return &trial;
  if (!trial.reused_run.empty()) return nullptr;  // they lie with another run
  const auto* source = find_trial(department, trial.reused_from);
  if (source == nullptr || !source->reused_from.empty()) return nullptr;
  const bool same = source->set_digest == trial.set_digest && source->candidates == trial.candidates &&
                    source->machines == trial.machines;
  return same ? source : nullptr;
}

const PhaseRecord* find_phase(const TrialRecord& trial, const std::string& phase, const std::string& machine) {
  const auto found = std::ranges::find_if(
      trial.phases, [&](const PhaseRecord& record) { return record.phase == phase && record.machine == machine; });
  return found == trial.phases.end() ? nullptr : &*found;
}

std::vector<std::string> kept_configuration(const DepartmentRecord& department) {
  std::set<std::string> sentences;
  for (const auto& trial : department.trials) {
    for (const auto& install : trial.installs) {
      for (const auto& file : install.kept_files) {
        sentences.insert(fmt::format("{}: {} kept its own configuration when {} was installed; the package's is in {}",
                                     department.name, install.machine, install.candidate, file));
      }
    }
  }
  return {sentences.begin(), sentences.end()};
}

std::string worst_severity(const RunRecord& record, const std::vector<std::string>& candidates) {
  std::string_view worst;
  for (const auto& id : candidates) {
    const auto* candidate = find_candidate(record, id);
    if (candidate == nullptr || !is_known_severity(candidate->severity)) return "unknown";
    if (worst.empty() || severity_rank(candidate->severity) < severity_rank(worst)) worst = candidate->severity;
  }
  return worst.empty() ? "unknown" : std::string(worst);
}

std::string check_key(const std::string& machine, const std::string& check) { return machine + "/" + check; }
std::string difference_key(const std::string& machine, const StateDifference& difference) {
  return machine + "/state:" + difference.kind + ":" + difference.item;
}
std::string install_key(const std::string& machine, const std::string& candidate) {
  return machine + "/install:" + candidate;
}
std::string machine_of_key(const std::string& key) { return key.substr(0, key.find('/')); }

std::vector<std::string> failure_signature(const TrialRecord& trial) {
  std::set<std::string> keys;
  for (const auto& install : trial.installs) {
    if (install.outcome == Outcome::fail) keys.insert(install_key(install.machine, install.candidate));
  }
  for (const auto& removal : trial.removals) {
    if (removal.outcome == Outcome::fail) keys.insert(fmt::format("{}/removal:{}", removal.machine, removal.candidate));
  }
  for (const auto& phase : trial.phases) {
    for (const auto& check : phase.checks) {
      if (check.outcome == Outcome::fail) keys.insert(check_key(phase.machine, check.id));
    }
    for (const auto& difference : phase.differences) {
      if (difference.is_failure()) keys.insert(difference_key(phase.machine, difference));
    }
  }
  return {keys.begin(), keys.end()};
}

std::string counts_of(const FlakyRecord& flaky) {
  const auto times = [](std::size_t count) { return count == 1 ? "once" : fmt::format("{} times", count); };
  const auto* where = [&] {
    switch (flaky.kind) {
      case FlakeKind::in_control: return "without any patch";
      case FlakeKind::in_search: return "in a set that was tried during a search";
      case FlakeKind::not_reproduced: return "in the set that was to be promoted: not reproduced";
    }
    return "";
  }();
  return fmt::format("failed {} and passed {}, {}", times(flaky.failed.size()), times(flaky.passed.size()), where);
}

bool is_flaky_without_patches(const DepartmentRecord& department, const std::string& fact) {
  // Asked again in the same phase, or in another trial.
  for (const auto& trial : department.trials) {
    if (!trial.candidates.empty()) continue;
    for (const auto& phase : trial.phases) {
      for (const auto& check : phase.checks) {
        if (checks::is_flaky(check) && check_key(phase.machine, check.id) == fact) return true;
      }
    }
  }
  const auto controls = [&](auto wanted) {
    return std::ranges::any_of(department.trials, [&](const TrialRecord& trial) {
      return trial.purpose == Purpose::control && trial.candidates.empty() && wanted(trial);
    });
  };
  return controls([&](const auto& trial) {
           return trial.outcome == Outcome::fail && std::ranges::count(failure_signature(trial), fact) > 0;
         }) &&
         controls([](const auto& trial) { return trial.outcome == Outcome::pass; });
}

std::vector<const FlakyRecord*> unexplained_flakes(const DepartmentRecord& department) {
  std::vector<const FlakyRecord*> flakes;
  for (const auto& flaky : department.flaky) {
    if (flaky.kind == FlakeKind::not_reproduced && !is_flaky_without_patches(department, flaky.fact))
      flakes.push_back(&flaky);
  }
  return flakes;
}

bool must_be_complete(const DepartmentRecord& department, const TrialRecord& trial) {
  if (is_lost(trial)) return false;              // the try in its place is looked at
  if (!trial.reused_from.empty()) return false;  // the trial with the facts is looked at
  switch (trial.purpose) {
    case Purpose::baseline:
    case Purpose::control:
    case Purpose::final: return true;
    case Purpose::batch:
    case Purpose::search:
    case Purpose::confirm:
    case Purpose::removal: break;
  }
  return trial.id == department.final_trial;
}

bool began_with_another_run(const TrialRecord& trial) {
  return std::ranges::any_of(trial.installs, [](const auto& install) { return !install.installed_run.empty(); });
}

bool is_trial_of_a_set(const TrialRecord& trial) {
  switch (trial.purpose) {
    case Purpose::batch:
    case Purpose::search:
    case Purpose::confirm:
    case Purpose::final: return !is_lost(trial) && !trial.candidates.empty();
    case Purpose::baseline:
    case Purpose::control:
    case Purpose::removal: break;
  }
  return false;
}

const TrialRecord* trial_to_tell_of(const DepartmentRecord& department,
                                    const std::function<bool(const PhaseRecord&)>& tells) {
  const auto has = [&](const TrialRecord& trial) { return std::ranges::any_of(trial.phases, tells); };
  const auto* trial = find_trial(department, department.final_trial);
  if (trial != nullptr && has(*trial)) return trial;
  trial = nullptr;
  for (const auto& one : department.trials) {
    const bool is_better = trial == nullptr || is_trial_of_a_set(one) || !is_trial_of_a_set(*trial);
    if (has(one) && is_better) trial = &one;
  }
  return trial;
}

std::vector<std::string> phases_for(Purpose purpose, std::vector<std::string> planned) {
  switch (purpose) {
    case Purpose::baseline: return {"baseline"};
    case Purpose::removal: return {after_removal_phase};
    case Purpose::control:
      // It installs nothing: the baseline has seen that moment already, and it counts only when nothing else is
      // planned.
      if (planned.size() > 1) std::erase(planned, after_install_phase);
      return planned;
    case Purpose::batch:
    case Purpose::search:
    case Purpose::confirm:
    case Purpose::final: break;
  }
  return planned;
}

std::string beside_set(const std::string& id) { return id.substr(0, id.find('/')); }

bool is_alarm(const checks::CheckResult& beside) {
  return beside.outcome == Outcome::fail || (beside.outcome == Outcome::error && beside.reason == "unknown");
}

std::vector<std::string> not_observed(const DepartmentRecord& department) {
  std::map<std::string, std::set<std::string>> machines;
  for (const auto& trial : department.trials) {
    for (const auto& phase : trial.phases) {
      for (const auto& what : phase.not_observed) machines[what].insert(phase.machine);
    }
  }
  std::vector<std::string> sentences;
  for (const auto& [what, names] : machines)
    sentences.push_back(fmt::format("not observed on {} in '{}': {}", fmt::join(names, ", "), department.name, what));
  return sentences;
}

std::vector<std::string> planned_phases(const DepartmentRecord& department, const TrialRecord& trial) {
  return phases_for(trial.purpose, department.phases);
}

namespace {

// After a move of the clock and of stopped services only, and as the control of the same run has it: nothing else
// excuses a check.
bool fails_in_control(const DepartmentRecord& department, const PhaseRecord& phase, const std::string& check) {
  if (!may_fail_without_patch(phase.phase)) return false;
  return std::ranges::any_of(department.trials, [&](const TrialRecord& trial) {
    if (trial.purpose != Purpose::control || is_lost(trial)) return false;
    const auto* control = find_phase(trial, phase.phase, phase.machine);
    return control != nullptr && control->fails_without_patch.contains(check);
  });
}

}  // namespace

std::vector<MissingCheck> missing_checks(const DepartmentRecord& department, const TrialRecord& trial) {
  std::vector<MissingCheck> missing;
  for (const auto& phase_name : planned_phases(department, trial)) {
    for (const auto& name : trial.machines) {
      const auto* machine = find_machine(department, name);
      if (machine == nullptr || machine->checks.empty()) {
        missing.push_back({phase_name, name, "*"});
        continue;
      }
      const auto* phase = find_phase(trial, phase_name, name);
      for (const auto& check : machine->checks) {
        const auto* result = phase == nullptr ? nullptr : find_check(*phase, check);
        const bool was_executed =
            result != nullptr && result->outcome != Outcome::not_reached && result->outcome != Outcome::skipped;
        // It was asked, and tells nothing of a patch: said by remarks().
        if (phase != nullptr && phase->fails_without_patch.contains(check) &&
            fails_in_control(department, *phase, check))
          continue;
        if (!was_executed) missing.push_back({phase_name, name, check});
      }
    }
  }
  return missing;
}

}  // namespace patchlab::reports
