// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/cell/client.hpp"

namespace patchlab::runners {

struct Baseline {
  std::vector<reports::TrialRecord> tries;    // in order; the last counts, one that was lost says so
  std::vector<reports::FlakyRecord> flaky{};  // what failed in the lost one and passed in the other
  std::optional<Error> error{};               // why there is none
};

// Machines without any patch, looked at before everything else. As with controls, one that does not pass is tried once
// more, openly, with machines that are made anew; not when it could not be otherwise (the scenario is wrong), nor after
// `must_stop`, nor when the cell itself is lost.
[[nodiscard]] Baseline take_baseline(cell::CellClient& lab, const cell::CellJob& job,
                                     const std::function<bool()>& must_stop);

}  // namespace patchlab::runners
