// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/kept_states.hpp"

#include <algorithm>

#include "snapshots/tree/retention.hpp"

namespace patchlab::runners::cell {
namespace {

using snapshots::SnapshotName;

// Saving and starting from one cost about two seconds together.
constexpr std::int64_t worth_saving_ms = 5000;

snapshots::Prefix digests_of(const std::vector<InstallJob>& jobs, std::size_t count) {
  snapshots::Prefix digests;
  for (std::size_t i = 0; i < count; ++i) digests.push_back(jobs[i].digest);
  return digests;
}

bool has_installs_of_earlier_run(const std::vector<reports::InstallRecord>& installs) {
  return std::ranges::any_of(installs, [](const auto& install) { return !install.installed_run.empty(); });
}

}  // namespace

bool KeptStates::Start::is_of_earlier_run() const { return has_installs_of_earlier_run(installs); }

bool KeptStates::is_worth_saving(const reports::InstallRecord& record) { return record.duration_ms >= worth_saving_ms; }

std::vector<std::string> KeptStates::identities_of(const std::vector<InstallJob>& jobs, std::size_t count) const {
  std::vector<std::string> identities;
  for (std::size_t i = 0; i < count; ++i) identities.push_back(identity_of(jobs[i], guest_.job));
  return identities;
}

KeptStates::Start KeptStates::start_for(const std::vector<InstallJob>& jobs, Checkpoints checkpoints,
                                        const Expectation& baseline) {
  baseline_ = baseline;
  since_.clear();
  is_of_earlier_run_ = false;
  const auto wanted = checkpoints == Checkpoints::yes ? digests_of(jobs, jobs.size()) : snapshots::Prefix{};
  for (;;) {
    const auto start = tree_.start_for(wanted);
    if (start.applied == 0) return {baseline_name_, {}, baseline};
    const auto& [state, is_of_earlier_run] = kept_.at(start.snapshot);
    if (is_of_earlier_run && (state.baseline != baseline || state.jobs != identities_of(jobs, start.applied))) {
      forget(start.snapshot);
      continue;
    }
    since_ = state.since;
    is_of_earlier_run_ = is_of_earlier_run;
    return {start.snapshot, state.installs, state.expected};
  }
}

Result<void> KeptStates::save(const std::string& trial, const std::vector<InstallJob>& jobs,
                              const std::vector<reports::InstallRecord>& done, const Expectation& expected) {
  auto& hypervisor = guest_.context.hypervisor;
  const auto prefix = digests_of(jobs, done.size());
  const auto snapshot = SnapshotName::for_prefix(prefix);
  if (tree_.has(snapshot)) return {};
  PATCHLAB_ASSIGN(const bool quiet, readiness_.settle(trial));
  if (!quiet) return {};
  PATCHLAB_TRY(hypervisor.change_medium(guest_.name(), {}));
  PATCHLAB_TRY(hypervisor.take_snapshot(guest_.name(), snapshot.text()));
  auto& [state, is_of_earlier_run] = kept_[snapshot];
  state = {.digests = prefix,
           .jobs = identities_of(jobs, done.size()),
           .installs = done,
           .expected = expected,
           .baseline = baseline_,
           .since = since_.empty() ? rfc3339(guest_.context.clock.wall()) : since_};
  is_of_earlier_run = is_of_earlier_run_;
  for (auto& record : state.installs) {
    if (record.installed_in.empty()) record.installed_in = trial;
    record.duration_ms = 0;
  }
  for (const auto& given_up : tree_.add(prefix)) forget(given_up);
  return {};
}

void KeptStates::forget(const SnapshotName& snapshot) {
  (void)drop(snapshot);  // it only takes room
}

Result<void> KeptStates::drop(const SnapshotName& snapshot) {
  if (kept_.erase(snapshot) == 0) return {};
  tree_.remove(snapshot);
  return guest_.context.hypervisor.delete_snapshot(guest_.name(), snapshot.text());
}

void KeptStates::adopt(const std::vector<PatchedState>& states) {
  for (const auto& state : states) {
    const auto snapshot = state.snapshot();
    if (!guest_.context.hypervisor.adopt_snapshot(guest_.name(), snapshot.text())) continue;
    kept_[snapshot] = {state, true};
    for (const auto& given_up : tree_.add(state.digests)) forget(given_up);
  }
}

std::size_t KeptStates::forget_of_earlier_runs() {
  std::vector<SnapshotName> names;
  for (const auto& [name, kept] : kept_) {
    if (kept.is_of_earlier_run) names.push_back(name);
  }
  for (const auto& name : names) forget(name);
  return names.size();
}

Result<std::vector<PatchedState>> KeptStates::for_later(const std::vector<std::string>& digests) {
  std::vector<PatchedState> chosen;
  for (const auto& [name, kept] : kept_) {
    if (snapshots::begins_with(digests, kept.state.digests)) chosen.push_back(kept.state);
  }
  std::ranges::sort(chosen, std::ranges::greater{}, [](const auto& state) { return state.digests.size(); });
  if (chosen.size() > most_for_later) chosen.resize(most_for_later);
  std::vector<SnapshotName> others;
  for (const auto& [name, kept] : kept_) {
    if (std::ranges::count(chosen, name, &PatchedState::snapshot) == 0) others.push_back(name);
  }
  for (const auto& name : others) PATCHLAB_TRY(drop(name));
  if (baseline_name_ != SnapshotName::baseline())
    PATCHLAB_TRY(guest_.context.hypervisor.delete_snapshot(guest_.name(), baseline_name_.text()));
  return chosen;
}

}  // namespace patchlab::runners::cell
