// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"
#include "runners/cell/expectation.hpp"
#include "runners/cell/readiness.hpp"
#include "snapshots/tree/snapshot_tree.hpp"

namespace patchlab::runners::cell {

// no: what is installed is installed in this very trial, from the baseline. yes: a state may be used, and saved, in
// which another trial of this cell has installed the same candidates in the same order; only what comes after them is
// installed again.
enum class Checkpoints { no, yes };

// The states of one machine that trials start from: the baseline, which the whole cell saved at once, and those of this
// machine with candidates installed that are kept because a later trial may begin with the same ones (ADR 7).
class KeptStates {
 public:
  KeptStates(Guest& guest, Readiness& readiness) : guest_(guest), readiness_(readiness) {}

  struct Start {
    snapshots::SnapshotName snapshot;
    std::vector<reports::InstallRecord> installs;  // of the first candidates, which it holds; each says in which trial
    Expectation expected;                          // when it is back; of the baseline, what the caller says of that
  };
  // The state that leaves the least of these to be installed.
  [[nodiscard]] Start start_for(const std::vector<InstallJob>& jobs, Checkpoints checkpoints,
                                const Expectation& baseline);
  // Whether saving and starting from it cost less than installing that candidate again.
  [[nodiscard]] static bool is_worth_saving(const reports::InstallRecord& record);
  // Keeps the state of the running machine, with the first `done.size()` of `jobs` installed, unless it is kept already
  // or the guest does not come to rest. Empties the drive: a state goes with what was in it, and the medium belongs to
  // one trial. Older states are given up. Needs a machine that runs.
  [[nodiscard]] Result<void> save(const std::string& trial, const std::vector<InstallJob>& jobs,
                                  const std::vector<reports::InstallRecord>& done, const Expectation& expected);
  // No trial starts from it any more. Nothing happens to the baseline.
  void forget(const snapshots::SnapshotName& snapshot);

 private:
  struct Kept {
    std::vector<reports::InstallRecord> installs;
    Expectation expected;
  };
  // Each takes about as much disk as the machine has memory; a search comes back to the latest few.
  static constexpr std::size_t most_kept = 6;

  Guest& guest_;
  Readiness& readiness_;
  snapshots::SnapshotTree tree_{most_kept};
  std::map<snapshots::SnapshotName, Kept> kept_;
};

}  // namespace patchlab::runners::cell
