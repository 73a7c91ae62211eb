// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// What was seen of a machine while it ran on with nothing done to it.
struct RanOn {
  Result<bool> never_rests = false;
  bool restarted_by_itself = false;

  // Adds what is no pass. Its error: it was not seen whether it rests.
  [[nodiscard]] Result<void> compare(const MachineJob& job, reports::PhaseRecord& record) const;
};

// Lets a machine that runs go on for `duration`, and for longer as long as it has something to do and had nothing to do
// at the baseline (`was_quiet`); ends early when it stops by itself. `seen` is set even when this ends in an error,
// which only cancellation is.
[[nodiscard]] Result<void> run_on(Guest& guest, Milliseconds duration, bool was_quiet, RanOn& seen);

}  // namespace patchlab::runners::cell
