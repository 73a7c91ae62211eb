// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/department.hpp"

#include <fmt/ranges.h>

#include <numeric>
#include <thread>

#include "lab/core/digest.hpp"
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
    : job_(job), candidates_(job.candidates), lab_(lab), memo_(memo), clock_(clock), stop_(std::move(stop)) {
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
      const auto trial = run_trial(first ? Purpose::batch : Purpose::final, machines, remaining);
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
  keep(*baseline);
  if (baseline->outcome != Outcome::pass) {
    record_.error = baseline->error;
    return false;
  }
  const auto control = run_trial(Purpose::control, machine_names(job_.cell), {});
  if (control.outcome == Outcome::pass) return true;
  record_.error = control.error
                      ? *control.error
                      : infrastructure_error(fmt::format("the control trial failed without any patch: {}",
                                                         fmt::join(control.signature, ", ")),
                                             "look at its evidence: the golden image does not survive a restart");
  return false;
}

cell::TrialJob DepartmentRun::plan_trial(Purpose purpose, const std::vector<std::string>& machines, const Indexes& set,
                                         Stability stability, std::optional<Error>& error) {
  cell::TrialJob trial;
  trial.id = next_id();
  trial.purpose = purpose;
  trial.machines = machines;
  trial.stability = stability == Stability::yes;
  trial.from_baseline = purpose == Purpose::confirm;
  trial.stop_at_first_failure = purpose == Purpose::search || purpose == Purpose::confirm;
  if (purpose == Purpose::control) trial.reboot_anyway = machines;
  std::vector<std::string> digests;
  for (const auto index : set) {
    trial.candidates.push_back(candidates_[index].id);
    digests.push_back(candidates_[index].digest);
  }
  trial.set_digest = reports::patch_set_digest(digests);
  for (const auto& machine : machines) {
    Indexes here;
    for (const auto index : set) {
      const auto install = candidates_[index].installs.find(machine);
      if (install == candidates_[index].installs.end()) continue;
      here.push_back(index);
      trial.installs[machine].push_back(install->second);
    }
    if (here.empty()) continue;
    auto medium = job_.medium(machine, here);
    if (!medium) {
      error = std::move(medium).error().while_doing("making the medium of machine '" + machine + "'");
      break;
    }
    trial.media[machine] = std::move(medium).value();
  }
  return trial;
}

TrialRecord DepartmentRun::run_trial(Purpose purpose, const std::vector<std::string>& machines, const Indexes& set,
                                     Stability stability) {
  for (std::size_t attempt = 0;; ++attempt) {
    std::optional<Error> error;
    const auto trial = plan_trial(purpose, machines, set, stability, error);
    TrialRecord record{.id = trial.id,
                       .purpose = purpose,
                       .candidates = trial.candidates,
                       .set_digest = trial.set_digest,
                       .machines = machines};
    if (!error) {
      const TrialMemo::AtWork at_work(memo_, machines.size());
      auto done = lab_.run_trial(trial);
      if (done)
        record = std::move(done).value();
      else
        error = done.error();
    }
    if (error) {
      record.error = error;
      record.outcome = Outcome::error;
    }
    keep(record);
    const bool try_again =
        record.outcome == Outcome::error && attempt < job_.cell.policy.lab_retries && !stop_.stop_requested();
    if (!try_again) return record;
  }
}

std::string DepartmentRun::memo_key(const std::vector<std::string>& machines, const Indexes& set,
                                    Stability stability) const {
  Json key{{"network", {job_.cell.network.subnet, job_.cell.network.gateway, job_.cell.network.client}},
           {"policy", job_.cell.policy},
           {"stability", stability == Stability::yes}};
  for (const auto& machine : job_.cell.machines) {
    if (std::ranges::count(machines, machine.plan.name) == 0) continue;
    Json checks = Json::array();
    for (const auto& check : machine.plan.checks)
      checks.push_back({check.id, check.kind, check.parameters, check.deadline.count()});
    Json candidates = Json::array();
    for (const auto index : set) {
      if (candidates_[index].installs.contains(machine.plan.name)) candidates.push_back(candidates_[index].digest);
    }
    key["machines"].push_back({machine.plan.name, machine.golden_digest, machine.plan.address, machine.plan.memory_mib,
                               machine.plan.services, machine.plan.depends_on, machine.plan.allowances,
                               machine.kernel_arguments, checks, candidates});
  }
  return sha256(key.dump());
}

// `likely_next`: what the search will ask after this, if this passes.
TrialRecord DepartmentRun::search_trial(const std::vector<std::string>& machines, const Indexes& set,
                                        Stability stability,
                                        const std::function<std::optional<Indexes>()>& likely_next) {
  std::string own_id;
  const auto work = [&]() -> Result<TrialRecord> {
    auto record = run_trial(Purpose::search, machines, set, stability);
    own_id = record.id;
    return record;
  };
  // Another department runs it. As soon as there is a processor to spare, this one goes ahead.
  const auto go_ahead = [&] {
    if (memo_.machines_at_work() >= job_.cell.slot_count) return;
    const auto next = likely_next();
    if (!next || memo_.knows(memo_key(machines, *next, stability))) return;
    (void)search_trial(machines, *next, stability, [] { return std::nullopt; });
  };
  auto answer = memo_.answer(memo_key(machines, set, stability), work, go_ahead);
  auto record = std::move(answer).value();
  if (own_id.empty()) {
    record.reused_from = record.reused_from.empty() ? record.id : record.reused_from;
    record.id = next_id();
    record.duration_ms = 0;
    keep(record);
  }
  return record;
}

std::vector<std::string> DepartmentRun::with_dependencies(const std::string& machine) const {
  std::vector<std::string> closed;
  std::vector<std::string> open{machine};
  while (!open.empty()) {
    const auto name = open.back();
    open.pop_back();
    if (std::ranges::count(closed, name) > 0) continue;
    closed.push_back(name);
    for (const auto& other : job_.cell.machines) {
      if (other.plan.name == name) open.insert(open.end(), other.plan.depends_on.begin(), other.plan.depends_on.end());
    }
  }
  std::ranges::sort(closed);
  return closed;
}

// One search per failing machine whose own dependencies work: a role that fails because another one does is not a case
// of its own, and if it is, the next round shows it. Searches that share no machine run side by side.
std::vector<DepartmentRun::Conviction> DepartmentRun::convict(const TrialRecord& failed, const Indexes& set) {
  std::set<std::string> failing;
  for (const auto& entry : failed.signature) failing.insert(reports::machine_of_key(entry));
  std::vector<std::string> chosen;
  std::set<std::string> busy;
  for (const auto& machine : failing) {
    const auto component = with_dependencies(machine);
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
      threads.emplace_back([&, i] { convictions[i] = search_machine(chosen[i], failed, set); });
    }
  }
  return convictions;
}

DepartmentRun::Conviction DepartmentRun::search_machine(const std::string& machine, const TrialRecord& failed,
                                                        const Indexes& set) {
  const auto machines = with_dependencies(machine);
  Indexes domain;  // indexes of candidates that touch these machines
  for (const auto index : set) {
    const auto& installs = candidates_[index].installs;
    if (std::ranges::any_of(machines, [&](const auto& name) { return installs.contains(name); }))
      domain.push_back(index);
  }
  std::vector<SearchCandidate> candidates;
  for (const auto index : domain) {
    SearchCandidate candidate{candidates_[index].id, {}};
    for (const auto needed : candidates_[index].prerequisites) {
      const auto place = std::ranges::find(domain, needed);
      if (place != domain.end()) candidate.prerequisites.push_back(static_cast<std::size_t>(place - domain.begin()));
    }
    candidates.push_back(std::move(candidate));
  }
  Conviction conviction;
  conviction.machine = machine;
  conviction.trials.push_back(failed.id);
  const auto failures_here = [&machine](const TrialRecord& trial) {
    std::vector<std::string> keys;
    for (const auto& entry : trial.signature) {
      if (reports::machine_of_key(entry) == machine) keys.push_back(entry);
    }
    return keys;
  };
  const auto searched = failures_here(failed);
  conviction.failed = searched;
  std::optional<std::size_t> suspect;
  for (std::size_t i = 0; i < domain.size(); ++i) {
    const auto key = reports::install_key(machine, candidates[i].id);
    if (std::ranges::count(searched, key) > 0) suspect = i;
  }
  // A machine that fails is not looked at in later phases, so this one tells that nothing was seen before.
  const auto* late = reports::find_phase(failed, reports::stability_phase, machine);
  const auto stability = late != nullptr && late->outcome == Outcome::fail ? Stability::yes : Stability::no;
  const auto chosen = [&](const Indexes& members) {
    Indexes indexes;
    for (const auto member : members) indexes.push_back(domain[member]);
    return indexes;
  };
  Indexes all(domain.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  // The trial that started this search is itself the answer for the whole set on this machine.
  std::map<Indexes, Outcome> answers{{all, Outcome::fail}};
  // Other candidates of the first trial may have broken something as well: only what the smallest failing set broke,
  // when it was tried last, is said of it.
  std::size_t smallest = domain.size();
  const auto run = [&](const Indexes& members, Freshness freshness) {
    if (freshness == Freshness::fresh) return run_trial(Purpose::confirm, machines, chosen(members), stability);
    if (freshness == Freshness::again) return run_trial(Purpose::search, machines, chosen(members), stability);
    return search_trial(machines, chosen(members), stability, [&]() -> std::optional<Indexes> {
      auto assumed = answers;
      assumed.emplace(members, Outcome::pass);
      const auto next = next_question(candidates, assumed, suspect);
      return next ? std::optional(chosen(*next)) : std::nullopt;
    });
  };
  const auto probe = [&](const Indexes& members, Freshness freshness) {
    if (stop_.stop_requested()) return Outcome::not_reached;
    if (const auto known = answers.find(members); known != answers.end() && freshness == Freshness::may_reuse)
      return known->second;
    const auto outcome = [&] {
      // What no guest takes without a candidate that is left out here might as well be left out too.
      for (auto tried = members; !tried.empty();) {
        const auto record = run(tried, freshness);
        conviction.trials.push_back(record.id);
        const bool same = std::ranges::any_of(
            record.signature, [&](const auto& entry) { return std::ranges::count(searched, entry) > 0; });
        if (record.outcome == Outcome::fail && same) {
          if (tried.size() <= smallest) {
            smallest = tried.size();
            conviction.failed = failures_here(record);
          }
          return Outcome::fail;
        }
        const auto taken = std::erase_if(tried, [&](auto member) { return is_declined(record, domain[member]); });
        if (taken > 0) continue;
        // Another failure than the one that is searched for answers nothing here: it is tried again, and never sends
        // the search astray. Nor does a candidate that one guest takes and another does not.
        const bool astray = record.outcome == Outcome::fail || record.outcome == Outcome::skipped ||
                            std::ranges::count(record.installs, Outcome::skipped, &reports::InstallRecord::outcome) > 0;
        return astray ? Outcome::error : record.outcome;
      }
      return Outcome::pass;
    }();
    if (outcome == Outcome::fail || outcome == Outcome::pass) answers.insert_or_assign(members, outcome);
    return outcome;
  };
  const SearchPolicy policy{
      .confirmations = job_.cell.policy.confirmations, .unresolved_retries = 1, .suspect = suspect};
  const auto result = find_culprit(candidates, probe, policy);
  conviction.explanation = result.explanation;
  for (const auto member : result.culprit) conviction.culprit.push_back(domain[member]);
  if (result.end != SearchEnd::found) {
    for (const auto member : result.suspicious) conviction.quarantined.push_back(domain[member]);
  }
  return conviction;
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

bool DepartmentRun::is_declined(const TrialRecord& trial, std::size_t candidate) const {
  const auto& planned = candidates_[candidate];
  const auto declined = std::ranges::count_if(trial.installs, [&](const auto& install) {
    return install.candidate == planned.id && install.outcome == Outcome::skipped;
  });
  const auto wanted =
      std::ranges::count_if(trial.machines, [&](const auto& machine) { return planned.installs.contains(machine); });
  return declined > 0 && declined == wanted;
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
  const auto trial = run_trial(Purpose::removal, machine_names(job_.cell), passed, Stability::no);
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

void DepartmentRun::keep(const TrialRecord& record) {
  const std::lock_guard lock(mutex_);
  record_.trials.push_back(record);
}

std::string DepartmentRun::next_id() {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}/t{:02}", record_.name, ++last_id_);
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
  std::ranges::sort(record_.trials, {}, &TrialRecord::id);
}

}  // namespace patchlab::runners
