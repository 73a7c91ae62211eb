// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/client.hpp"

namespace patchlab::runners {

// Where the baseline of one department may come from besides its golden disks, and where it goes for later runs.
class BaselineStates {
 public:
  virtual ~BaselineStates() = default;
  // Puts the disks of one that an earlier run saved to where the cell looks for them; nothing: there is none.
  [[nodiscard]] virtual std::optional<cell::KeptBaseline> bring() = 0;
  // The one that was brought was no good: no run takes it again.
  virtual void refuse() = 0;
  // What the cell says while it prepares; from any thread.
  virtual void heard(const Json& event) = 0;
  // The baseline was made from golden disks and passed, and the machines are off.
  virtual void keep(const reports::TrialRecord& baseline) = 0;
  // States with candidates installed lie in the disks beside it, which no trial uses any more (docs/adr/0028).
  virtual void keep_installs(cell::PatchedStates states) = 0;
};

struct Baseline {
  std::vector<reports::TrialRecord> tries;    // in order; the last counts, one that was lost says so
  std::vector<reports::FlakyRecord> flaky{};  // what failed in the lost one and passed in the other
  std::optional<Error> error{};               // why there is none
};

// Machines without any patch, looked at before everything else. As with controls, one that does not pass is tried once
// more, openly, with machines that are made anew; not when it could not be otherwise (the scenario is wrong), nor after
// `must_stop`, nor when the cell itself is lost. `states` may be null. One that went on from a kept state and does not
// pass is no try: the state is given up, and the machines start from their golden disks as ever.
[[nodiscard]] Baseline take_baseline(cell::CellClient& lab, const cell::CellJob& job,
                                     const std::function<bool()>& must_stop, BaselineStates* states);

}  // namespace patchlab::runners
