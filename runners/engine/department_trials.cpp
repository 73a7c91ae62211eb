// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/department_trials.hpp"

#include "lab/core/digest.hpp"

namespace patchlab::runners {

using reports::Purpose;
using reports::TrialRecord;

DepartmentTrials::DepartmentTrials(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo,
                                   std::stop_token stop)
    : job_(job), candidates_(job.candidates), lab_(lab), memo_(memo), stop_(std::move(stop)) {}

cell::TrialJob DepartmentTrials::plan(Purpose purpose, const std::vector<std::string>& machines, const Indexes& set,
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

TrialRecord DepartmentTrials::run(Purpose purpose, const std::vector<std::string>& machines, const Indexes& set,
                                  Stability stability) {
  for (std::size_t attempt = 0;; ++attempt) {
    std::optional<Error> error;
    const auto trial = plan(purpose, machines, set, stability, error);
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

std::string DepartmentTrials::memo_key(const std::vector<std::string>& machines, const Indexes& set,
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

TrialRecord DepartmentTrials::search(const std::vector<std::string>& machines, const Indexes& set, Stability stability,
                                     const std::function<std::optional<Indexes>()>& likely_next) {
  std::string own_id;
  const auto work = [&]() -> Result<TrialRecord> {
    auto record = run(Purpose::search, machines, set, stability);
    own_id = record.id;
    return record;
  };
  // Another department runs it. As soon as there is a processor to spare, this one goes ahead.
  const auto go_ahead = [&] {
    if (memo_.machines_at_work() >= job_.cell.slot_count) return;
    const auto next = likely_next();
    if (!next || memo_.knows(memo_key(machines, *next, stability))) return;
    (void)search(machines, *next, stability, [] { return std::nullopt; });
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

bool DepartmentTrials::is_declined(const TrialRecord& trial, std::size_t candidate) const {
  const auto& planned = candidates_[candidate];
  const auto declined = std::ranges::count_if(trial.installs, [&](const auto& install) {
    return install.candidate == planned.id && install.outcome == Outcome::skipped;
  });
  const auto wanted =
      std::ranges::count_if(trial.machines, [&](const auto& machine) { return planned.installs.contains(machine); });
  return declined > 0 && declined == wanted;
}

void DepartmentTrials::keep(const TrialRecord& record) {
  const std::lock_guard lock(mutex_);
  records_.push_back(record);
}

std::vector<TrialRecord> DepartmentTrials::take_records() {
  const std::lock_guard lock(mutex_);
  std::ranges::sort(records_, {}, &TrialRecord::id);
  return std::move(records_);
}

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
