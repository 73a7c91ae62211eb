// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "checks/growth/growth.hpp"
#include "reports/record/record.hpp"
#include "runners/cell/context.hpp"

namespace patchlab::runners::cell {

// What was seen of a machine while it ran on.
struct RanOn {
  Result<bool> never_rests = false;
  bool restarted_by_itself = false;
  // What it used up; nothing: it was not to be watched.
  std::optional<checks::growth::Watched> watched;
  std::string why_unwatched;       // it could not be
  std::optional<Error> last_look;  // that could not be had

  // Adds what is no pass. Its error: it was not seen whether it rests.
  [[nodiscard]] Result<void> compare(const MachineJob& job, reports::PhaseRecord& record) const;
};

// What is done to a machine while it runs on: one check after another, at a bounded pace.
struct Load {
  std::size_t a_minute = 0;  // 0: nothing is done, and it is not watched
  // The check of that number, from 0 on and round about.
  std::function<checks::CheckResult(std::size_t number)> ask{};
};

// Lets a machine that runs go on for `duration`, and for longer as long as it has something to do and had nothing to do
// at the baseline (`was_quiet`); ends early when it stops by itself. `seen` is set even when this ends in an error,
// which only cancellation is.
[[nodiscard]] Result<void> run_on(Guest& guest, Milliseconds duration, bool was_quiet, const Load& load, RanOn& seen);

}  // namespace patchlab::runners::cell
