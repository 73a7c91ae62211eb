// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "reports/record/record.hpp"
#include "runners/cell/expectation.hpp"
#include "snapshots/tree/snapshot_name.hpp"

namespace patchlab::runners::cell {

struct InstallJob;
struct MachineJob;

// A state of one machine with candidates installed that lies in its disk beside the baseline which they were installed
// on, for later runs. docs/adr/0028.
struct PatchedState {
  std::vector<std::string> digests;              // of the candidates, in the order in which they were installed
  std::vector<std::string> jobs;                 // what was done for each of them: identity_of
  std::vector<reports::InstallRecord> installs;  // likewise; each names the trial, and a run that is not this one
  Expectation expected;                          // when it is back
  Expectation baseline;                          // what the machine was before
  std::string since;                             // RFC 3339: when the first of them was installed
  [[nodiscard]] snapshots::SnapshotName snapshot() const { return snapshots::SnapshotName::for_prefix(digests); }
  bool operator==(const PatchedState&) const = default;
};
using PatchedStates = std::map<std::string, std::vector<PatchedState>>;  // by machine

void to_json(Json& json, const PatchedState& state);
// An Error: it has another shape, or holds installations that did not pass, or that are not of this machine.
[[nodiscard]] Result<PatchedStates> patched_states_from_json(const Json& json);

// Equal ones do the same to a machine: the digest of all that says how a candidate is installed there.
[[nodiscard]] std::string identity_of(const InstallJob& job, const MachineJob& machine);

}  // namespace patchlab::runners::cell
