// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lab/hypervisor.hpp"
#include "snapshots/tree/snapshot_name.hpp"

namespace patchlab::snapshots {

// Saves the machines of a cell as one. Works on machine names; the cell decides which. Machines are
// handled in parallel, at most `parallelism` at a time (each snapshot keeps a processor and the disk busy).
// One call at a time.
class CellCheckpoint {
 public:
  CellCheckpoint(lab::Hypervisor& hypervisor, std::size_t parallelism);

  // Pauses all machines, saves each, resumes all: what they know of each other stays consistent. When anything fails,
  // the snapshots already made are deleted again and every machine that was paused runs again; the error is the first
  // cause.
  [[nodiscard]] Result<void> take(const std::vector<std::string>& machines, const SnapshotName& name);
  // Deletes on every machine; goes on after an error and returns the first.
  [[nodiscard]] Result<void> drop(const std::vector<std::string>& machines, const SnapshotName& name);

 private:
  using Step = std::function<Result<void>(const std::string&)>;
  // Every machine is attempted; one result each, in the order of `machines`.
  [[nodiscard]] std::vector<Result<void>> on_each(const std::vector<std::string>& machines, const Step& step) const;

  lab::Hypervisor& hypervisor_;
  std::size_t parallelism_;
};

}  // namespace patchlab::snapshots
