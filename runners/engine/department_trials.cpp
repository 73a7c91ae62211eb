// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/department_trials.hpp"

#include "reports/record/anew.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"
#include "runners/engine/memo_key.hpp"
#include "runners/engine/silence.hpp"

namespace patchlab::runners {

using reports::Purpose;
using reports::TrialRecord;

DepartmentTrials::DepartmentTrials(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo, const Clock& clock,
                                   std::stop_token stop)
    : job_(job),
      candidates_(job.candidates),
      lab_(lab),
      memo_(memo),
      clock_(clock),
      deadline_(job.run_began.value_or(clock.now()) + job.cell.policy.run_deadline),
      stop_(std::move(stop)) {
  for (const auto& machine : job.cell.machines) machines_.push_back(machine.plan.name);
}

// Everything about it but its number and its media.
cell::TrialJob DepartmentTrials::inputs(Purpose purpose, const std::vector<std::string>& machines, const Indexes& set,
                                        Stability stability) const {
  const bool is_alone = job_.each_alone && purpose == Purpose::final;
  cell::TrialJob trial;
  trial.purpose = purpose;
  trial.machines = machines;
  trial.stability = stability == Stability::yes;
  trial.from_baseline = purpose == Purpose::confirm || is_alone;
  trial.stop_at_first_failure = purpose == Purpose::search || purpose == Purpose::confirm || is_alone;
  if (purpose == Purpose::control) trial.reboot_anyway = machines;
  std::vector<std::string> digests;
  for (const auto index : set) {
    trial.candidates.push_back(candidates_[index].id);
    digests.push_back(candidates_[index].digest);
  }
  trial.set_digest = reports::patch_set_digest(digests);
  for (const auto& machine : machines) {
    for (const auto index : set) {
      const auto install = candidates_[index].installs.find(machine);
      if (install != candidates_[index].installs.end()) trial.installs[machine].push_back(install->second);
    }
  }
  return trial;
}

Result<cell::TrialJob> DepartmentTrials::plan(const cell::TrialJob& inputs, const Indexes& set) {
  auto trial = inputs;
  for (const auto& [machine, installs] : inputs.installs) {
    Indexes here;
    std::ranges::copy_if(set, std::back_inserter(here),
                         [&, name = machine](auto index) { return candidates_[index].installs.contains(name); });
    auto medium = job_.medium(machine, here);
    if (!medium) return std::move(medium).error().while_doing("making the medium of machine '" + machine + "'");
    trial.media[machine] = std::move(medium).value();
  }
  // Of what is installed behind a set, where none is.
  for (const auto& machine : job_.cell.machines) {
    const auto& name = machine.plan.name;
    const bool is_looked_at = std::ranges::count(inputs.reboot_anyway, name) > 0;
    if (!machine.next_package || trial.media.contains(name) || !is_looked_at) continue;
    auto medium = job_.medium(name, {});
    if (!medium) return std::move(medium).error().while_doing("making the medium of machine '" + name + "'");
    trial.media[name] = std::move(medium).value();
  }
  return trial;
}

TrialRecord DepartmentTrials::run(Purpose purpose, const std::vector<std::string>& machines, const Indexes& set,
                                  Stability stability) {
  const auto wanted = inputs(purpose, machines, set, stability);
  TrialRecord record{
      .purpose = purpose, .candidates = wanted.candidates, .set_digest = wanted.set_digest, .machines = machines};
  for (std::size_t attempt = 0; !must_stop();) {
    const auto lost = std::exchange(record.id, next_id());
    if (!lost.empty()) retried(lost, record.id);
    record = run_once(wanted, record.id, set);
    {
      const std::lock_guard lock(mutex_);
      count_repeated_silence(record, records_);
    }
    keep(record, stability);
    if (is_doubtful(record)) {
      if (forget_installs()) continue;
      break;
    }
    const auto retries = std::max(job_.cell.policy.lab_retries, least_retries(record));
    if (record.outcome != Outcome::error || attempt++ >= retries) break;
  }
  if (is_doubtful(record)) {
    record.outcome = Outcome::error;
    record.error = infrastructure_error("'" + record.id +
                                        "' began with what an earlier run installed, and was not tried "
                                        "without that");
  }
  return as_first_failed(record);
}

// What an earlier run installed spares time and says nothing: neither a failure nor a doubt is held against a set that
// was not installed tonight.
bool DepartmentTrials::is_doubtful(const TrialRecord& record) {
  return reports::began_with_another_run(record) && (!holds_nothing_against(record) || made_a_check_flaky(record));
}

bool DepartmentTrials::forget_installs() {
  if (!job_.cell.keep_installs || std::exchange(forgot_installs_, true)) return false;
  return lab_.forget_installs().has_value();
}

TrialRecord DepartmentTrials::run_once(const cell::TrialJob& wanted, const std::string& id, const Indexes& set) {
  auto trial = plan(wanted, set);
  auto done = [&]() -> Result<TrialRecord> {
    if (!trial) return trial.error();
    trial->id = id;
    const TrialMemo::AtWork at_work(memo_, wanted.machines.size());
    return lab_.run_trial(*trial);
  }();
  if (done) return std::move(done).value();
  // Its cell is ended when the run is cancelled, which is no trouble of the lab.
  const auto why = stop_.stop_requested() ? Error{ErrorClass::cancelled, "the run was cancelled", {}} : done.error();
  return {.id = id,
          .purpose = wanted.purpose,
          .candidates = wanted.candidates,
          .set_digest = wanted.set_digest,
          .machines = wanted.machines,
          .outcome = Outcome::error,
          .error = why};
}

TrialRecord DepartmentTrials::as_first_failed(TrialRecord record) const {
  const auto phases = reports::phases_for(record.purpose, planned_phases(job_.cell.policy));
  const auto place_of = [&](const std::string& phase) { return std::ranges::find(phases, phase) - phases.begin(); };
  std::map<std::string, std::ptrdiff_t> first;  // by machine
  for (const auto& phase : record.phases) {
    if (phase.outcome == Outcome::pass) continue;
    const auto [known, is_new] = first.emplace(phase.machine, place_of(phase.phase));
    if (!is_new) known->second = std::min(known->second, place_of(phase.phase));
  }
  bool any = false;
  for (auto& phase : record.phases) {
    const auto known = first.find(phase.machine);
    if (known == first.end() || place_of(phase.phase) <= known->second) continue;
    any = any || phase.outcome != Outcome::not_reached;
    phase = {.phase = phase.phase,
             .machine = phase.machine,
             .outcome = Outcome::not_reached,
             .checks = {},
             .differences = {},
             .error = {},
             .beside = std::move(phase.beside)};
  }
  if (any) record.signature = reports::failure_signature(record);
  return record;
}

void DepartmentTrials::take_over(std::vector<TrialRecord> earlier) {
  const std::lock_guard lock(mutex_);
  last_id_ = static_cast<int>(earlier.size());
  records_ = std::move(earlier);
}

void DepartmentTrials::take_control(TrialRecord earlier) {
  earlier.id = next_id();
  earlier.duration_ms = 0;
  keep(earlier);
}

std::size_t DepartmentTrials::own_controls() {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      records_, [](const auto& record) { return record.purpose == Purpose::control && record.reused_run.empty(); }));
}

void DepartmentTrials::retried(const std::string& lost, const std::string& as) {
  const std::lock_guard lock(mutex_);
  const auto place = std::ranges::find(records_, lost, &TrialRecord::id);
  if (place != records_.end()) place->retried_as = as;
}

void DepartmentTrials::give_way_to(const TrialRecord& trial) {
  const std::lock_guard lock(mutex_);
  for (auto& record : records_) {
    if (record.purpose == trial.purpose && record.id != trial.id && record.retried_as.empty())
      record.retried_as = trial.id;
  }
}

std::string DepartmentTrials::key_of(const Asked& asked) const {
  return memo_key(job_.cell, inputs(asked.purpose, asked.machines, asked.set, asked.stability));
}

TrialRecord DepartmentTrials::ask(const Asked& asked, const std::function<std::optional<Asked>()>& likely_next) {
  const auto times = [this](const Asked& question) {
    const std::lock_guard lock(mutex_);
    return asked_[question];
  };
  const auto before = times(asked);
  {
    const std::lock_guard lock(mutex_);
    ++asked_[asked];
  }
  // Another department runs it. As soon as there is a processor to spare, this one goes ahead.
  const auto go_ahead = [&] {
    if (memo_.machines_at_work() >= job_.cell.slot_count) return;
    const auto next = likely_next();
    if (next && !memo_.knows(execution(key_of(*next), times(*next)))) (void)answer(*next, times(*next), [] {});
  };
  auto record = answer(asked, before, go_ahead);
  if (record.outcome == Outcome::pass || record.outcome == Outcome::fail || record.reused_from.empty()) return record;
  // Trouble of another cell says nothing about this one.
  return run(asked.purpose, asked.machines, asked.set, asked.stability);
}

TrialRecord DepartmentTrials::answer(const Asked& asked, std::size_t before, const std::function<void()>& meanwhile) {
  const auto key = key_of(asked);
  std::string own_id;
  const auto work = [&]() -> Result<TrialRecord> {
    if (auto earlier = earlier_answer(asked.purpose, key, before)) return std::move(*earlier);
    auto record = run(asked.purpose, asked.machines, asked.set, asked.stability);
    own_id = record.id;
    if (memo_.kept() != nullptr) memo_.kept()->keep(key, record);
    return record;
  };
  auto record = memo_.answer(execution(key, before), work, meanwhile).value();
  if (own_id.empty()) {
    record.reused_from = record.reused_from.empty() ? record.id : record.reused_from;
    record.id = next_id();
    record.duration_ms = 0;
    keep(record, asked.stability);
  }
  return record;
}

// The first confirming trial of each set is one of this run: nobody is convicted by what was seen on another day alone.
std::optional<TrialRecord> DepartmentTrials::earlier_answer(Purpose purpose, const std::string& key,
                                                            std::size_t before) const {
  const std::size_t own = purpose == Purpose::confirm ? 1 : 0;
  if (memo_.kept() == nullptr || before < own) return std::nullopt;
  return memo_.kept()->earlier(key, before - own);
}

// The name of what was really run.
std::string DepartmentTrials::execution_of(const TrialRecord& record) {
  if (record.reused_from.empty()) return record.id;
  return record.reused_run.empty() ? record.reused_from : record.reused_run + "/" + record.reused_from;
}

std::vector<DepartmentTrials::SeenTrial> DepartmentTrials::seen_on(const std::vector<std::string>& machines,
                                                                   const Indexes& domain, Stability stability) {
  const std::lock_guard lock(mutex_);
  std::vector<SeenTrial> seen;
  std::set<std::string> sources;  // an answer that several trials took from one is one observation
  for (const auto& record : records_) {
    const auto source = execution_of(record);
    if (!takes_part(record, machines) || !saw_patches(record, stability) || sources.contains(source)) continue;
    if (auto set = set_on(record, machines); !set.empty() && std::ranges::includes(domain, set)) {
      sources.insert(source);
      seen.push_back({std::move(set), as_first_failed(record)});
    }
  }
  return seen;
}

bool DepartmentTrials::takes_part(const TrialRecord& record, const std::vector<std::string>& machines) {
  return std::ranges::all_of(machines, [&](const auto& name) { return std::ranges::count(record.machines, name) > 0; });
}

// Whether it says something about the candidates. A trial that did not wait for late damage tells nothing of it by
// passing.
bool DepartmentTrials::saw_patches(const TrialRecord& record, Stability stability) const {
  const bool declined = std::ranges::count(record.installs, Outcome::skipped, &reports::InstallRecord::outcome) > 0;
  switch (record.purpose) {
    case Purpose::baseline:
    case Purpose::control:
    case Purpose::removal: return false;
    case Purpose::batch:
    case Purpose::search:
    case Purpose::confirm:
    case Purpose::final: break;
  }
  if (declined || record.candidates.empty() || reports::began_with_another_run(record)) return false;
  if (record.outcome == Outcome::fail) return true;
  return record.outcome == Outcome::pass && (stability == Stability::no || waited_.contains(record.id));
}

DepartmentTrials::Indexes DepartmentTrials::set_on(const TrialRecord& record,
                                                   const std::vector<std::string>& machines) const {
  Indexes set;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const auto& candidate = candidates_[i];
    const bool touches =
        std::ranges::any_of(machines, [&](const auto& name) { return candidate.installs.contains(name); });
    if (touches && std::ranges::count(record.candidates, candidate.id) > 0) set.push_back(i);
  }
  return set;
}

bool DepartmentTrials::is_declined(const TrialRecord& trial, std::size_t candidate) const {
  const auto& planned = candidates_[candidate];
  const auto declined = std::ranges::count_if(trial.installs, [&](const auto& install) {
    return install.candidate == planned.id && install.outcome == Outcome::skipped;
  });
  const auto wanted =
      std::ranges::count_if(trial.machines, [&](const auto& machine) { return planned.installs.contains(machine); });
  return declined > 0 && declined == wanted;
}

void DepartmentTrials::keep(const TrialRecord& record, Stability stability) {
  const std::lock_guard lock(mutex_);
  if (stability == Stability::yes) waited_.insert(record.id);
  records_.push_back(record);
}

bool DepartmentTrials::made_a_check_flaky(const TrialRecord& trial) {
  const std::lock_guard lock(mutex_);
  return !reports::flaky_since_patched(records_, trial).empty();
}

bool DepartmentTrials::was_flaky_before_installed_anew(const TrialRecord& trial) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(records_, [&](const TrialRecord& other) {
    return reports::was_installed_anew(other) && reports::are_of_the_same_set(other, trial) &&
           other.outcome == Outcome::pass && !reports::flaky_since_patched(records_, other).empty();
  });
}

std::vector<reports::FlakyRecord> DepartmentTrials::left_open(const std::string& trial) {
  const std::lock_guard lock(mutex_);
  const auto place = std::ranges::find(records_, trial, &TrialRecord::id);
  if (place == records_.end()) return {};
  std::vector<std::string> passed;
  std::map<std::string, std::vector<std::string>> failed;
  for (const auto& record : records_) {
    if (record.purpose == Purpose::removal || !reports::are_of_the_same_set(record, *place)) continue;
    if (!reports::began_with_another_run(record) && record.outcome == Outcome::pass) passed.push_back(record.id);
    if (!reports::was_installed_anew(record)) continue;
    for (const auto& fact : reports::not_seen_again(records_, record)) failed[fact].push_back(record.id);
    for (const auto& [fact, trials] : silent_again(record, records_)) failed[fact] = trials;
  }
  std::vector<reports::FlakyRecord> open;
  for (const auto& [fact, trials] : failed)
    open.push_back({reports::FlakeKind::not_reproduced, fact, place->candidates, trials, passed});
  return open;
}

std::vector<TrialRecord> DepartmentTrials::take_records() {
  const std::lock_guard lock(mutex_);
  std::ranges::sort(records_, {}, &TrialRecord::id);
  return std::move(records_);
}

bool holds_nothing_against(const TrialRecord& trial) {
  return trial.outcome == Outcome::pass && std::ranges::all_of(trial.phases, [](const reports::PhaseRecord& phase) {
           return std::ranges::all_of(phase.differences, [](const auto& difference) {
             return difference.finding == checks::state::FindingClass::notice;
           });
         });
}

bool DepartmentTrials::is_overdue() const { return clock_.now() >= deadline_; }
bool DepartmentTrials::must_stop() const { return stop_.stop_requested() || is_overdue(); }

std::string DepartmentTrials::next_id() {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}/t{:02}", job_.cell.department, ++last_id_);
}

std::vector<std::string> DepartmentTrials::with_dependencies(const std::string& machine) const {
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

}  // namespace patchlab::runners
