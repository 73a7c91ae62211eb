// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>
#include <vector>

#include "runners/engine/department.hpp"

namespace patchlab::runners {

// What does this lab say of each candidate by itself? Baseline, control and DepartmentJob::controls trials without a
// patch as run_controls does them; then every candidate in a trial of its own, from the baseline, on the machines that
// it applies to and what those depend on, judged like the final trial of a set that holds nothing else, up to the
// first phase that fails: what checks of a broken server wait for is not waited for again after each restart. Nobody is
// searched for. Candidates that share no machine go side by side. No verdict says pass and there is no final trial:
// nothing is promotable.
[[nodiscard]] reports::DepartmentRecord run_each_alone(const DepartmentJob& job, cell::CellClient& lab, TrialMemo& memo,
                                                       Clock& clock, const std::stop_token& stop);

// The candidates that apply, by what may go at the same time: no machine is in two lanes.
struct Lane {
  std::vector<std::string> machines;    // sorted
  std::vector<std::size_t> candidates;  // in order
  bool operator==(const Lane&) const = default;
};
[[nodiscard]] std::vector<Lane> lanes_of(const DepartmentTrials& trials,
                                         const std::vector<PlannedCandidate>& candidates);
// What takes part in the trial of one candidate, sorted.
[[nodiscard]] std::vector<std::string> machines_for_one(const DepartmentTrials& trials,
                                                        const PlannedCandidate& candidate);

}  // namespace patchlab::runners
