// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"
#include "runners/cell/expectation.hpp"
#include "runners/cell/patched_state.hpp"
#include "runners/cell/readiness.hpp"
#include "snapshots/tree/snapshot_tree.hpp"

namespace patchlab::runners::cell {

// no: what is installed is installed in this very trial, from the baseline. yes: a state may be used, and saved, in
// which another trial of this cell, or of an earlier run (ADR 28), has installed the same candidates in the same order;
// only what comes after them is installed again.
enum class Checkpoints { no, yes };

// The states of one machine that trials start from: the baseline, which the whole cell saved at once, and those of this
// machine with candidates installed that are kept because a later trial may begin with the same ones (ADR 7), some of
// them since an earlier run (ADR 28).
class KeptStates {
 public:
  KeptStates(Guest& guest, Readiness& readiness) : guest_(guest), readiness_(readiness) {}

  struct Start {
    snapshots::SnapshotName snapshot;
    std::vector<reports::InstallRecord> installs;  // of the first candidates, which it holds; each says in which trial
    Expectation expected;                          // when it is back; of the baseline, what the caller says of that
    [[nodiscard]] bool is_of_earlier_run() const;
  };
  // The state that leaves the least of these to be installed. One of an earlier run which was not made in this very way
  // from this very baseline is given up.
  [[nodiscard]] Start start_for(const std::vector<InstallJob>& jobs, Checkpoints checkpoints,
                                const Expectation& baseline);
  // Whether saving and starting from it cost less than installing that candidate again.
  [[nodiscard]] static bool is_worth_saving(const reports::InstallRecord& record);
  // Keeps the state of the running machine, with the first `done.size()` of `jobs` installed after start_for, unless it
  // is kept already or the guest does not come to rest. Empties the drive: a state goes with what was in it, and the
  // medium belongs to one trial. Older states are given up. Needs a machine that runs.
  [[nodiscard]] Result<void> save(const std::string& trial, const std::vector<InstallJob>& jobs,
                                  const std::vector<reports::InstallRecord>& done, const Expectation& expected);
  // No trial starts from it any more. Nothing happens to the baseline.
  void forget(const snapshots::SnapshotName& snapshot);

  // States of an earlier run, which lie in the disk of this machine. Needs a machine that is off. One that is not there
  // is not taken.
  void adopt(const std::vector<PatchedState>& states);
  // Nor does any trial start from a state that an earlier run had a part in. How many there were.
  std::size_t forget_of_earlier_runs();
  // From now on this is the baseline.
  void begin_with(const snapshots::SnapshotName& baseline) { baseline_name_ = baseline; }
  // Of the states that hold the first of these candidates and nothing else, those that leave the least to be installed;
  // nothing else but the baseline that later runs go on from is left in the disk. No trial can follow. Needs a machine
  // that is off.
  [[nodiscard]] Result<std::vector<PatchedState>> for_later(const std::vector<std::string>& digests);

 private:
  struct Kept {
    PatchedState state;
    bool is_of_earlier_run = false;  // at least a part of it
  };
  [[nodiscard]] Result<void> drop(const snapshots::SnapshotName& snapshot);
  [[nodiscard]] std::vector<std::string> identities_of(const std::vector<InstallJob>& jobs, std::size_t count) const;

  // Each takes about as much disk as the machine has memory; a search comes back to some on the way, and another night
  // to the longest.
  static constexpr std::size_t most_kept = 6;
  static constexpr std::size_t most_for_later = 2;

  Guest& guest_;
  Readiness& readiness_;
  snapshots::SnapshotTree tree_{most_kept};
  std::map<snapshots::SnapshotName, Kept> kept_;
  snapshots::SnapshotName baseline_name_ = snapshots::SnapshotName::baseline();
  Expectation baseline_;            // of the trial that is under way
  std::string since_;               // since when the state holds candidates that it started from; empty: it holds none
  bool is_of_earlier_run_ = false;  // that state
};

}  // namespace patchlab::runners::cell
