// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/department.hpp"

#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include <deque>
#include <set>
#include <thread>

#include "checks/slowness.hpp"
#include "lab/guest/windows/exit_codes.hpp"
#include "reports/record/effect.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/removal.hpp"
#include "runners/cell/control_knowledge.hpp"
#include "runners/engine/baseline.hpp"
#include "runners/engine/kept_controls.hpp"
#include "runners/engine/kept_convictions.hpp"

namespace patchlab::runners {
namespace {

using reports::Purpose;
using reports::TrialRecord;

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
  return reports::removed_and_passed;
}

std::string minute(std::chrono::system_clock::time_point when) {
  return fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::chrono::system_clock::to_time_t(when)));
}

bool is_slower(const checks::CheckResult& check) {
  return check.outcome == Outcome::fail && check.reason == checks::slower_reason && check.slowness.has_value();
}

// Everything in it did what it should, and something took too long.
bool is_only_slower(const TrialRecord& trial) {
  if (trial.outcome != Outcome::fail || trial.error) return false;
  std::set<std::string> slower;
  for (const auto& phase : trial.phases) {
    for (const auto& check : phase.checks) {
      if (is_slower(check)) slower.insert(reports::check_key(phase.machine, check.id));
    }
  }
  return !slower.empty() && std::ranges::equal(trial.signature, slower);
}

// Whether each check that was too slow in the trial would not have been, held against this control.
bool is_as_slow(const TrialRecord& control, const TrialRecord& trial, const DepartmentJob& job) {
  const auto grants = [&](const reports::PhaseRecord& failed, const checks::CheckResult& check) {
    const auto& plan = std::ranges::find(job.cell.machines, failed.machine, [](const auto& machine) {
                         return machine.plan.name;
                       })->plan;
    const auto tolerance = std::ranges::find(plan.checks, check.id, &checks::CheckSpec::id)->slower;
    return std::ranges::any_of(control.phases, [&](const reports::PhaseRecord& phase) {
      if (phase.machine != failed.machine) return false;
      const auto now = std::ranges::find(phase.checks, check.id, &checks::CheckResult::id);
      if (now == phase.checks.end() || !now->slowness) return false;
      return !now->slowness->judged || now->slowness->quickest + *tolerance >= check.slowness->quickest;
    });
  };
  return std::ranges::all_of(trial.phases, [&](const reports::PhaseRecord& phase) {
    return std::ranges::all_of(phase.checks,
                               [&](const auto& check) { return !is_slower(check) || grants(phase, check); });
  });
}

}  // namespace

DepartmentRun::DepartmentRun(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, Clock& clock,
                             std::stop_token stop)
    : job_(job),
      trials_(job, lab, memo, clock, stop),
      candidates_(trials_.candidates()),
      lab_(lab),
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
  hold_known(remaining);
  if (bring_up()) {
    test(remaining);
    keep_installs(remaining);
  }
  conclude();
  return std::move(record_);
}

void DepartmentRun::hold_known(Indexes& remaining) {
  if (job_.convictions == nullptr) return;
  for (const auto& known : job_.convictions->known(trials_, remaining)) {
    convict(known.culprits, known.failed, known.explanation, remaining);
    for (const auto index : known.culprits) {
      verdict(index).known_from = known.run;
      verdict(index).reason += fmt::format("; seen by run {} of {}, and not tried again before {}", known.run,
                                           minute(known.seen), minute(known.until));
    }
  }
  drop_dependents(remaining);
}

// Of what is kept so, a whole set has passed.
void DepartmentRun::keep_installs(const Indexes& remaining) {
  if (job_.states == nullptr || !job_.cell.keep_installs || record_.error || record_.final_trial.empty() ||
      trials_.must_stop())
    return;
  std::map<std::string, std::vector<std::string>> digests;
  for (const auto index : remaining) {
    for (const auto& [machine, install] : candidates_[index].installs) digests[machine].push_back(install.digest);
  }
  const auto made = lab_.installs_for_later(digests);
  if (!made) return;
  if (auto states = cell::patched_states_from_json(*made)) job_.states->keep_installs(std::move(*states));
}

// Every round ends the department, or holds back at least one candidate, or leaves one out on one machine: so there is
// a last one.
void DepartmentRun::test(Indexes& remaining) {
  bool again = false;
  std::optional<TrialRecord> passed;  // a final trial that the search ran already
  for (bool first = true; !remaining.empty() && !trials_.must_stop();) {
    auto trial = passed ? *std::exchange(passed, std::nullopt)
                        : trials_.run(first ? Purpose::batch : Purpose::final, trials_.machines(), remaining);
    if (learn_declined(trial, remaining)) continue;
    first = false;
    auto beside = beside_own_control(std::move(trial), remaining);
    if (!beside) return;
    if (learn_declined(*beside, remaining)) continue;
    trial = timed_again(std::move(*beside), remaining);
    if (trial.outcome == Outcome::pass) {
      if (!std::exchange(again, true) && asks_for_another(trial)) continue;
      return accept(trial.id, remaining, "every check passed with exactly the set to be promoted");
    }
    again = false;
    if (trials_.must_stop()) return;
    if (trial.outcome != Outcome::fail) {
      record_.error =
          trial.error ? *trial.error : infrastructure_error("trial '" + trial.id + "' did not come to an outcome");
      return;
    }
    const auto before = remaining.size();
    const auto findings = search(trial, remaining);
    for (const auto& finding : findings) hold(finding, remaining);
    drop_dependents(remaining);
    if (remaining.size() == before) return end_without_a_name(findings, remaining);
    for (const auto& finding : findings) {
      if (finding.rest_trial && is_of_exactly(*finding.rest_trial, remaining)) passed = finding.rest_trial;
    }
  }
}

// A check that was steady without a patch failed once: whether the set makes it do so, another trial of the set shows,
// in which its first failure counts. And what failed with the installations of an earlier run, and passed once with
// those of this run, passes twice, as all that is not reproduced.
bool DepartmentRun::asks_for_another(const TrialRecord& passed) {
  if (!trials_.left_open(passed.id).empty()) return true;
  return trials_.made_a_check_flaky(passed) && !trials_.was_flaky_before_installed_anew(passed);
}

bool DepartmentRun::is_of_exactly(const TrialRecord& trial, const Indexes& set) const {
  return std::ranges::equal(trial.candidates, set, {}, {}, [&](auto index) { return candidates_[index].id; });
}

void DepartmentRun::accept(const std::string& final_trial, const Indexes& passed, const std::string& reason) {
  record_.final_trial = final_trial;
  auto open = trials_.left_open(final_trial);
  std::string but;
  if (!open.empty()) {
    std::vector<std::string> failed;
    std::ranges::transform(open, std::back_inserter(failed), &reports::FlakyRecord::fact);
    but = fmt::format("; {} failed with it as an earlier run had installed it, and that was not reproduced",
                      in_short(failed));
  }
  std::ranges::move(open, std::back_inserter(record_.flaky));
  for (const auto index : passed) {
    verdict(index).outcome = Outcome::pass;
    verdict(index).trials.push_back(final_trial);
    verdict(index).reason = reason + but + not_taken_[index];
  }
  rehearse_removal(passed);
}

// A round that holds nobody back is the last one: the same set is never tried until it passes.
void DepartmentRun::end_without_a_name(const std::vector<SearchFinding>& findings, const Indexes& remaining) {
  if (trials_.must_stop()) return;
  const auto& last = findings.back();
  if (last.end == SearchEnd::not_reproduced && !last.final_trial.empty()) {
    return accept(last.final_trial, remaining,
                  fmt::format("every check passed with exactly the set to be promoted; before, {} failed with that set "
                              "and that was not reproduced: nobody is blamed",
                              in_short(last.failed)));
  }
  for (const auto index : remaining) {
    auto& entry = verdict(index);
    entry.outcome = Outcome::error;
    entry.failed = last.failed;
    entry.trials = last.trials;
    entry.reason = fmt::format("{} failed, and the search on the whole department was inconclusive ({})",
                               in_short(last.failed), last.explanation);
  }
}

// The baseline, then the control: the same trial without any patch. If that does not pass, no trial of this lab means
// anything.
bool DepartmentRun::bring_up() {
  for (bool anew = false;; anew = true) {
    auto baseline = take_baseline(
        lab_, job_.cell, [this] { return trials_.must_stop(); }, job_.states);
    for (const auto& tried : baseline.tries) trials_.keep(tried);
    std::ranges::move(baseline.flaky, std::back_inserter(record_.flaky));
    if (baseline.error) {
      record_.error = std::move(baseline.error);
      return false;
    }
    const auto& taken = baseline.tries.back();
    if (anew) trials_.give_way_to(taken);
    is_on_kept_state_ = !taken.state_of_run.empty();
    if (take_kept_control()) return true;
    const auto control = run_control();
    if (anew) trials_.give_way_to(control);
    if (control.outcome == Outcome::pass) {
      keep_control(control);
      return true;
    }
    if (trials_.must_stop()) return false;
    if (taken.state_of_run.empty() || anew) return no_control(control);
    // A kept state costs no department: it is given up, and everything begins again with machines that start.
    job_.states->refuse();
  }
}

bool DepartmentRun::take_kept_control() {
  if (job_.kept_controls == nullptr || trials_.must_stop()) return false;
  auto known = job_.kept_controls->of(job_.cell);
  if (!known || !lab_.know(known->knowledge)) return false;
  trials_.take_control(std::move(known->control));
  goes_by_kept_control_ = true;
  return true;
}

void DepartmentRun::keep_control(const TrialRecord& control) {
  // One that failed before has taught as well.
  if (job_.kept_controls == nullptr || job_.cell.libvirt || trials_.own_controls() != 1 || !may_be_kept(control))
    return;
  if (const auto knowledge = lab_.control_knowledge()) job_.kept_controls->keep(job_.cell, control, *knowledge);
}

std::optional<TrialRecord> DepartmentRun::beside_own_control(TrialRecord trial, const Indexes& set) {
  if (!goes_by_kept_control_ || trials_.must_stop() || holds_nothing_against(trial)) return trial;
  goes_by_kept_control_ = false;
  auto nothing = Json::object();
  for (const auto& machine : trials_.machines()) nothing[machine] = cell::ControlKnowledge();
  if (auto forgotten = lab_.know(nothing); !forgotten) {
    record_.error = std::move(forgotten).error();
    return std::nullopt;
  }
  const auto control = run_control();
  trials_.give_way_to(control);
  if (control.outcome != Outcome::pass) {
    if (trials_.must_stop()) return std::nullopt;
    if (is_on_kept_state_ && job_.states != nullptr) job_.states->refuse();  // no later night begins with it
    (void)no_control(control);
    return std::nullopt;
  }
  keep_control(control);
  if (trials_.must_stop()) return std::nullopt;
  const auto taught = lab_.control_knowledge();
  if (!taught || trials_.made_a_check_flaky(trial) || !cell::explains(*taught, trial, is_as_slow(control, trial, job_)))
    return trial;
  auto again = trials_.run(trial.purpose, trials_.machines(), set);
  trials_.retried(trial.id, again.id);
  return again;
}

bool DepartmentRun::no_control(const TrialRecord& control) {
  record_.error = control.error
                      ? *control.error
                      : infrastructure_error(fmt::format("the control trial failed twice without any patch: {}",
                                                         fmt::join(control.signature, ", ")),
                                             "look at its evidence: the golden image does not survive a restart");
  return false;
}

// A lab that fails twice without any patch is broken, one that fails once is flaky there.
TrialRecord DepartmentRun::run_control() {
  auto first = trials_.run(Purpose::control, trials_.machines(), {});
  if (first.outcome != Outcome::fail || trials_.must_stop()) return first;
  auto second = trials_.run(Purpose::control, trials_.machines(), {});
  if (second.outcome != Outcome::pass) return second;
  trials_.retried(first.id, second.id);
  for (const auto& fact : first.signature)
    record_.flaky.push_back({reports::FlakeKind::in_control, fact, {}, {first.id}, {second.id}});
  return second;
}

// Load that begins after the control and stays makes every set slow, the empty one too: before a search blames somebody
// for it, the control is timed again. Whatever the machines have learnt there holds for what comes after it.
TrialRecord DepartmentRun::timed_again(TrialRecord trial, const Indexes& set) {
  if (timed_again_ || trials_.must_stop() || !is_only_slower(trial)) return trial;
  timed_again_ = true;
  const auto control = run_control();
  if (control.outcome != Outcome::pass || !is_as_slow(control, trial, job_) || trials_.must_stop()) return trial;
  auto again = trials_.run(trial.purpose, trials_.machines(), set);
  trials_.retried(trial.id, again.id);
  return again;
}

// Of the failing machines those whose own dependencies work: a role that fails because another one does is not a case
// of its own, and if it is, the next round shows it. No two of them share a machine.
std::vector<std::string> DepartmentRun::machines_to_search(const TrialRecord& failed) const {
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
  return chosen;
}

// First on each failing machine with what it depends on, side by side. When that names nobody, a candidate may have
// broken a machine that does not say it depends on its own: then once more on the whole department.
std::vector<SearchFinding> DepartmentRun::search(const TrialRecord& failed, const Indexes& set) {
  (void)trials_.forget_installs();
  std::deque<MachineSearch> searches;
  bool whole = false;
  for (const auto& machine : machines_to_search(failed)) {
    MachineSearch search(trials_, trials_.with_dependencies(machine), failed, set);
    whole = whole || search.covers_the_department();
    if (search.has_candidates()) searches.push_back(std::move(search));
  }
  std::vector<SearchFinding> findings(searches.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < searches.size(); ++i) {
      threads.emplace_back([&, i] { findings[i] = searches[i].run(); });
    }
  }
  const bool named = std::ranges::any_of(findings, &SearchFinding::names_somebody);
  if (!named && !whole && !trials_.must_stop()) {
    const auto passes = std::ranges::count(findings, SearchEnd::not_reproduced, &SearchFinding::end);
    findings = {MachineSearch(trials_, trials_.machines(), failed, set, static_cast<std::size_t>(passes)).run()};
  }
  // Beside somebody who was named, the whole set is not the one that may be promoted: what passed without him may have
  // failed because of him.
  const bool changes = std::ranges::any_of(findings, &SearchFinding::names_somebody);
  for (const auto& finding : findings) {
    for (auto flaky : finding.flaky) {
      const bool of_the_rest = finding.rest_trial && flaky.candidates == finding.rest_trial->candidates;
      if (changes && !of_the_rest && flaky.kind == reports::FlakeKind::not_reproduced)
        flaky.kind = reports::FlakeKind::in_search;
      record_.flaky.push_back(std::move(flaky));
    }
  }
  return findings;
}

reports::VerdictRecord& DepartmentRun::hold_back(std::size_t index, Outcome outcome,
                                                 const std::vector<std::string>& failed, const Indexes& group,
                                                 Indexes& remaining) {
  auto& entry = verdict(index);
  std::erase(remaining, index);
  entry.outcome = outcome;
  entry.failed.insert(entry.failed.end(), failed.begin(), failed.end());
  entry.group.clear();
  for (const auto other : group) {
    if (other != index) entry.group.push_back(candidates_[other].id);
  }
  return entry;
}

void DepartmentRun::convict(const Indexes& culprits, const std::vector<std::string>& failed,
                            const std::string& explanation, Indexes& remaining) {
  for (const auto index : culprits) {
    auto& entry = hold_back(index, Outcome::fail, failed, culprits, remaining);
    const auto refused_by = std::ranges::find_if(trials_.machines(), [&](const auto& machine) {
      return failed == std::vector{reports::install_key(machine, entry.candidate)};
    });
    entry.reason = refused_by != trials_.machines().end()
                       ? fmt::format("cannot be installed on '{}': {}", *refused_by, explanation)
                   : entry.group.empty() ? fmt::format("breaks {}: {}", in_short(failed), explanation)
                                         : fmt::format("breaks {} together with {}: they {}", in_short(failed),
                                                       fmt::join(entry.group, ", "), explanation);
  }
}

void DepartmentRun::hold(const SearchFinding& finding, Indexes& remaining) {
  const auto add_trials = [&](const Indexes& held) {
    for (const auto index : held) {
      auto& trials = verdict(index).trials;
      trials.insert(trials.end(), finding.trials.begin(), finding.trials.end());
    }
  };
  for (const auto& conviction : finding.convictions) {
    convict(conviction.culprits, conviction.failed, conviction.explanation, remaining);
    add_trials(conviction.culprits);
    if (job_.convictions != nullptr) {
      job_.convictions->keep(trials_, finding.machines, finding.stability, conviction.culprits, conviction.failed,
                             conviction.explanation);
    }
  }
  for (const auto index : finding.quarantined) {
    auto& entry = hold_back(index, Outcome::error, finding.failed, finding.quarantined, remaining);
    entry.reason = fmt::format("the search was inconclusive ({}): held back in quarantine because of {}",
                               finding.explanation, in_short(finding.failed));
  }
  add_trials(finding.quarantined);
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
    notes += fmt::format("; '{}' did not take it: {}", install.machine, install.end);
    if (install.exit_code != 0) notes += ", " + lab::guest::windows::code_text(install.exit_code);
    if (!place->installs.empty()) continue;
    entry.outcome = Outcome::skipped;
    entry.reason = notes.substr(2);
    std::erase(remaining, index);
  }
  return any;
}

void DepartmentRun::rehearse_removal(const Indexes& passed) {
  const bool offered = std::ranges::any_of(
      job_.cell.machines, [](const auto& machine) { return traits_of(machine.system.family).offers_removal; });
  if (!offered || !job_.cell.policy.rehearse_removal || stop_.stop_requested()) return;
  const auto trial = trials_.run(Purpose::removal, trials_.machines(), passed, Stability::no);
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
  if (cancelled)
    record_.error = Error{ErrorClass::cancelled, "the run was cancelled", {}};
  else if (trials_.is_overdue() && record_.final_trial.empty())
    record_.error = timeout_error(
        fmt::format("the run did not end within its deadline of {} s", job_.cell.policy.run_deadline.count() / 1000));
  record_.outcome = record_.error ? Outcome::error : Outcome::skipped;
  for (auto& entry : record_.verdicts) {
    if (record_.error && entry.outcome == Outcome::not_reached && entry.reason.empty()) {
      entry.outcome = cancelled ? Outcome::not_reached : Outcome::error;
      entry.reason = record_.error->message;
    }
    record_.outcome = combine(record_.outcome, entry.outcome);
  }
  record_.trials = trials_.take_records();
  const auto* final_trial = reports::find_trial(record_, record_.final_trial);
  const auto* facts = final_trial == nullptr ? nullptr : reports::facts_of(record_, *final_trial);
  for (auto& entry : record_.verdicts) {
    if (entry.outcome != Outcome::pass) continue;
    if (facts != nullptr) entry.effect = reports::effect_sentence(*facts, entry.candidate);
    if (entry.effect.empty()) entry.effect = reports::effect_not_seen;
  }
}

}  // namespace patchlab::runners
