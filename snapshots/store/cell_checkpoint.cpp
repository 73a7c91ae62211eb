// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "snapshots/store/cell_checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace patchlab::snapshots {
namespace {
Result<void> first_error(const std::vector<Result<void>>& results) {
  for (const auto& result : results) {
    if (!result) return result;
  }
  return {};
}

std::vector<std::string> those_done(const std::vector<std::string>& machines,
                                    const std::vector<Result<void>>& results) {
  std::vector<std::string> done;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    if (results[i]) done.push_back(machines[i]);
  }
  return done;
}
}  // namespace

CellCheckpoint::CellCheckpoint(lab::Hypervisor& hypervisor, std::size_t parallelism)
    : hypervisor_(hypervisor), parallelism_(std::max<std::size_t>(1, parallelism)) {}

std::vector<Result<void>> CellCheckpoint::on_each(const std::vector<std::string>& machines, const Step& step) const {
  std::vector<Result<void>> results(machines.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (auto i = next++; i < machines.size(); i = next++) results[i] = step(machines[i]);
  };
  std::vector<std::jthread> helpers;
  for (std::size_t i = 1; i < std::min(parallelism_, machines.size()); ++i) helpers.emplace_back(work);
  work();
  helpers.clear();  // joins
  return results;
}

Result<void> CellCheckpoint::take(const std::vector<std::string>& machines, const SnapshotName& name) {
  const auto paused = on_each(machines, [&](const auto& machine) {
    return hypervisor_.pause(machine).while_doing(fmt::format("pausing '{}'", machine));
  });
  auto outcome = first_error(paused);
  std::vector<std::string> saved;
  if (outcome) {
    const auto results = on_each(machines, [&](const auto& machine) {
      return hypervisor_.take_snapshot(machine, name.text())
          .while_doing(fmt::format("saving '{}' as '{}'", machine, name.text()));
    });
    outcome = first_error(results);
    saved = those_done(machines, results);
  }
  // Machines resume whatever happened; those that were never paused are left alone.
  const auto resumed = first_error(on_each(those_done(machines, paused), [&](const auto& machine) {
    return hypervisor_.resume(machine).while_doing(fmt::format("resuming '{}'", machine));
  }));
  if (outcome) outcome = resumed;
  // Half a checkpoint must not be mistaken for one. The first cause is what the reader needs, so trouble while undoing
  // is not reported.
  if (!outcome) (void)drop(saved, name);
  return std::move(outcome).while_doing(fmt::format("checkpoint '{}'", name.text()));
}

Result<void> CellCheckpoint::drop(const std::vector<std::string>& machines, const SnapshotName& name) {
  return first_error(on_each(machines, [&](const auto& machine) {
    return hypervisor_.delete_snapshot(machine, name.text())
        .while_doing(fmt::format("deleting '{}' of '{}'", name.text(), machine));
  }));
}

}  // namespace patchlab::snapshots
