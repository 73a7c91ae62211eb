// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/department.hpp"

#include <fmt/ranges.h>

#include <thread>

#include "lab/guest/windows/exit_codes.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::runners {
namespace {

using reports::Purpose;
using reports::TrialRecord;

std::vector<std::string> machine_names(const cell::CellJob& job) {
  std::vector<std::string> names;
  for (const auto& machine : job.machines) names.push_back(machine.plan.name);
  return names;
}

// The failing checks for a reader: clients' view first, three of them at most.
std::string in_short(const std::vector<std::string>& failed) {
  std::vector<std::string> shown;
  std::ranges::copy_if(failed, std::back_inserter(shown),
                       [](const auto& entry) { return entry.find("/state:") == std::string::npos; });
  if (shown.empty()) shown = failed;
  const auto count = std::min<std::size_t>(3, shown.size());
  auto text = fmt::format("{}", fmt::join(shown.begin(), shown.begin() + static_cast<std::ptrdiff_t>(count), ", "));
  if (failed.size() > count) text += fmt::format(" and {} more", failed.size() - count);
  return text;
}

std::string removal_sentence(const TrialRecord& trial, const reports::VerdictRecord& verdict) {
  if (trial.error) return fmt::format("Removal was not rehearsed: {}", trial.error->message);
  for (const auto& removal : trial.removals) {
    if (removal.candidate != verdict.candidate) continue;
    if (removal.outcome == Outcome::skipped) return fmt::format("Removal was not rehearsed: {}", removal.log);
    if (removal.outcome != Outcome::pass) {
      return fmt::format("Cannot be removed from '{}': {}, {}", removal.machine, removal.end,
                         lab::guest::windows::code_text(removal.exit_code));
    }
  }
  std::vector<std::string> broken;
  std::ranges::copy_if(trial.signature, std::back_inserter(broken), [&](const auto& entry) {
    return std::ranges::count(verdict.machines, reports::machine_of_key(entry)) > 0;
  });
  if (!broken.empty()) return fmt::format("Was removed again with all others; then {} failed", in_short(broken));
  if (trial.outcome != Outcome::pass)
    return fmt::format("Was removed again; what came of it: {}", to_string(trial.outcome));
  return "Was removed again, and every check passed";
}

}  // namespace

DepartmentRun::DepartmentRun(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, Clock& clock,
                             std::stop_token stop)
    : job_(job),
      trials_(job, lab, memo, stop),
      candidates_(trials_.candidates()),
      lab_(lab),
      clock_(clock),
      stop_(std::move(stop)) {
  record_.name = job.cell.department;
  for (const auto& candidate : job.candidates) {
    reports::VerdictRecord verdict;
    verdict.candidate = candidate.id;
    for (const auto& [machine, install] : candidate.installs) verdict.machines.push_back(machine);
    if (candidate.installs.empty()) {
      verdict.outcome = Outcome::skipped;
      verdict.reason = candidate.skipped_because;
    }
    record_.verdicts.push_back(std::move(verdict));
  }
}

reports::DepartmentRecord DepartmentRun::run() {
  Indexes remaining;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!candidates_[i].installs.empty()) remaining.push_back(i);
  }
  if (bring_up()) {
    const auto machines = machine_names(job_.cell);
    // Every round ends, or holds back at least one candidate, or leaves one out on one machine: so there is a last one.
    for (bool first = true; !remaining.empty() && !stop_.stop_requested();) {
      const auto trial = trials_.run(first ? Purpose::batch : Purpose::final, machines, remaining);
      if (learn_declined(trial, remaining)) continue;
      first = false;
      if (trial.outcome == Outcome::pass) {
        record_.final_trial = trial.id;
        for (const auto index : remaining) {
          verdict(index).outcome = Outcome::pass;
          verdict(index).trials.push_back(trial.id);
          verdict(index).reason = "every check passed with exactly the set to be promoted" + not_taken_[index];
        }
        rehearse_removal(remaining);
        break;
      }
      if (trial.outcome != Outcome::fail) {
        record_.error =
            trial.error ? *trial.error : infrastructure_error("trial '" + trial.id + "' did not come to an outcome");
        break;
      }
      for (const auto& conviction : convict(trial, remaining)) hold(conviction, trial, remaining);
      drop_dependents(remaining);
    }
  }
  conclude();
  return std::move(record_);
}

// The baseline, then the control: the same trial without any patch. If that does not pass, no trial of this lab means
// anything.
bool DepartmentRun::bring_up() {
  auto baseline = lab_.prepare(job_.cell);
  if (!baseline) {
    record_.error = std::move(baseline).error().while_doing("preparing department '" + record_.name + "'");
    return false;
  }
  trials_.keep(*baseline);
  if (baseline->outcome != Outcome::pass) {
    record_.error = baseline->error;
    return false;
  }
  const auto control = trials_.run(Purpose::control, machine_names(job_.cell), {});
  if (control.outcome == Outcome::pass) return true;
  record_.error = control.error
                      ? *control.error
                      : infrastructure_error(fmt::format("the control trial failed without any patch: {}",
                                                         fmt::join(control.signature, ", ")),
                                             "look at its evidence: the golden image does not survive a restart");
  return false;
}

// One search per failing machine whose own dependencies work: a role that fails because another one does is not a case
// of its own, and if it is, the next round shows it. Searches that share no machine run side by side.
std::vector<Conviction> DepartmentRun::convict(const TrialRecord& failed, const Indexes& set) {
  std::set<std::string> failing;
  for (const auto& entry : failed.signature) failing.insert(reports::machine_of_key(entry));
  std::vector<std::string> chosen;
  std::set<std::string> busy;
  for (const auto& machine : failing) {
    const auto component = trials_.with_dependencies(machine);
    const bool follows =
        std::ranges::any_of(component, [&](const auto& name) { return name != machine && failing.contains(name); });
    const bool shares = std::ranges::any_of(component, [&](const auto& name) { return busy.contains(name); });
    if (follows || shares) continue;
    busy.insert(component.begin(), component.end());
    chosen.push_back(machine);
  }
  if (chosen.empty() && !failing.empty())
    chosen.push_back(*failing.begin());  // roles that depend on each other in a circle
  std::vector<Conviction> convictions(chosen.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      threads.emplace_back([&, i] { convictions[i] = MachineSearch(trials_, chosen[i], failed, set).run(); });
    }
  }
  return convictions;
}

void DepartmentRun::hold(const Conviction& conviction, const TrialRecord& /*failed*/, Indexes& remaining) {
  const auto& held = conviction.culprit.empty() ? conviction.quarantined : conviction.culprit;
  for (const auto index : held) {
    auto& entry = verdict(index);
    std::erase(remaining, index);
    entry.outcome = conviction.culprit.empty() ? Outcome::error : Outcome::fail;
    entry.failed.insert(entry.failed.end(), conviction.failed.begin(), conviction.failed.end());
    entry.trials.insert(entry.trials.end(), conviction.trials.begin(), conviction.trials.end());
    entry.group.clear();
    for (const auto other : held) {
      if (other != index) entry.group.push_back(candidates_[other].id);
    }
    const auto roles = in_short(conviction.failed);
    entry.reason = conviction.culprit.empty()
                       ? fmt::format("the search was inconclusive ({}): held back in quarantine because of {}",
                                     conviction.explanation, roles)
                   : conviction.failed == std::vector{reports::install_key(conviction.machine, entry.candidate)}
                       ? fmt::format("cannot be installed on '{}': {}", conviction.machine, conviction.explanation)
                   : entry.group.empty() ? fmt::format("breaks {}: {}", roles, conviction.explanation)
                                         : fmt::format("breaks {} together with {}: they {}", roles,
                                                       fmt::join(entry.group, ", "), conviction.explanation);
  }
}

bool DepartmentRun::learn_declined(const TrialRecord& trial, Indexes& remaining) {
  bool any = false;
  for (const auto& install : trial.installs) {
    if (install.outcome != Outcome::skipped) continue;
    const auto place = std::ranges::find(candidates_, install.candidate, &PlannedCandidate::id);
    if (place == candidates_.end() || place->installs.erase(install.machine) == 0) continue;
    any = true;
    const auto index = static_cast<std::size_t>(place - candidates_.begin());
    auto& entry = verdict(index);
    std::erase(entry.machines, install.machine);
    entry.trials.push_back(trial.id);
    auto& notes = not_taken_[index];
    notes += fmt::format("; '{}' did not take it: {}, {}", install.machine, install.end,
                         lab::guest::windows::code_text(install.exit_code));
    if (!place->installs.empty()) continue;
    entry.outcome = Outcome::skipped;
    entry.reason = notes.substr(2);
    std::erase(remaining, index);
  }
  return any;
}

void DepartmentRun::rehearse_removal(const Indexes& passed) {
  const bool offered = std::ranges::any_of(
      job_.cell.machines, [](const auto& machine) { return machine.system.family == GuestFamily::windows; });
  if (!offered || !job_.cell.policy.rehearse_removal || stop_.stop_requested()) return;
  const auto trial = trials_.run(Purpose::removal, machine_names(job_.cell), passed, Stability::no);
  for (const auto index : passed) {
    auto& entry = verdict(index);
    entry.removal = removal_sentence(trial, entry);
    entry.trials.push_back(trial.id);
  }
}

// What needs something that is held back cannot be promoted, and a set without its prerequisite is not a valid set.
void DepartmentRun::drop_dependents(Indexes& remaining) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto index : Indexes(remaining)) {
      for (const auto needed : candidates_[index].prerequisites) {
        const bool available = std::ranges::count(remaining, needed) > 0 || candidates_[needed].installs.empty();
        if (available || std::ranges::count(remaining, index) == 0) continue;
        std::erase(remaining, index);
        verdict(index).outcome = Outcome::not_reached;
        verdict(index).reason = fmt::format("needs '{}', which is held back", candidates_[needed].id);
        changed = true;
      }
    }
  }
}

void DepartmentRun::conclude() {
  const bool cancelled = stop_.stop_requested() && record_.final_trial.empty();
  if (cancelled) record_.error = Error{ErrorClass::cancelled, "the run was cancelled", {}};
  record_.outcome = record_.error ? Outcome::error : Outcome::skipped;
  for (auto& entry : record_.verdicts) {
    if (record_.error && entry.outcome == Outcome::not_reached && entry.reason.empty()) {
      entry.outcome = cancelled ? Outcome::not_reached : Outcome::error;
      entry.reason = record_.error->message;
    }
    record_.outcome = combine(record_.outcome, entry.outcome);
  }
  record_.trials = trials_.take_records();
}

}  // namespace patchlab::runners
