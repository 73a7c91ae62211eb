// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/kept_states.hpp"

namespace patchlab::runners::cell {
namespace {

// Saving and starting from one cost about two seconds together.
constexpr std::int64_t worth_saving_ms = 5000;

snapshots::Prefix digests_of(const std::vector<InstallJob>& jobs, std::size_t count) {
  snapshots::Prefix digests;
  for (std::size_t i = 0; i < count; ++i) digests.push_back(jobs[i].digest);
  return digests;
}

}  // namespace

bool KeptStates::is_worth_saving(const reports::InstallRecord& record) { return record.duration_ms >= worth_saving_ms; }

KeptStates::Start KeptStates::start_for(const std::vector<InstallJob>& jobs, Checkpoints checkpoints,
                                        const Expectation& baseline) {
  const auto start =
      tree_.start_for(checkpoints == Checkpoints::yes ? digests_of(jobs, jobs.size()) : snapshots::Prefix{});
  if (start.applied == 0) return {start.snapshot, {}, baseline};
  const auto& kept = kept_.at(start.snapshot);
  return {start.snapshot, kept.installs, kept.expected};
}

Result<void> KeptStates::save(const std::string& trial, const std::vector<InstallJob>& jobs,
                              const std::vector<reports::InstallRecord>& done, const Expectation& expected) {
  auto& hypervisor = guest_.context.hypervisor;
  const auto prefix = digests_of(jobs, done.size());
  const auto snapshot = snapshots::SnapshotName::for_prefix(prefix);
  if (tree_.has(snapshot)) return {};
  PATCHLAB_ASSIGN(const bool quiet, readiness_.settle(trial));
  if (!quiet) return {};
  PATCHLAB_TRY(hypervisor.change_medium(guest_.name(), {}));
  PATCHLAB_TRY(hypervisor.take_snapshot(guest_.name(), snapshot.text()));
  auto& kept = kept_[snapshot];
  kept = {done, expected};
  for (auto& record : kept.installs) {
    if (record.installed_in.empty()) record.installed_in = trial;
    record.duration_ms = 0;
  }
  for (const auto& given_up : tree_.add(prefix)) forget(given_up);
  return {};
}

void KeptStates::forget(const snapshots::SnapshotName& snapshot) {
  if (kept_.erase(snapshot) == 0) return;
  tree_.remove(snapshot);
  (void)guest_.context.hypervisor.delete_snapshot(guest_.name(), snapshot.text());  // it only takes room
}

}  // namespace patchlab::runners::cell
