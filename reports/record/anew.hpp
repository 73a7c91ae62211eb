// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "reports/record/queries.hpp"

// Tries that began with what an earlier run had installed, and were lost: the set was installed anew (ADR 28). Pure.
namespace patchlab::reports {

// Whether it was lost for that. It is no evidence against anybody, but what it saw, and no try shows that was installed
// in this run, stands against the set until a person has looked: another try does not explain it.
[[nodiscard]] inline bool was_installed_anew(const TrialRecord& trial) {
  return is_lost(trial) && began_with_another_run(trial);
}
// The facts on which such a try failed, and on which no trial failed of the same set as this run installed it.
[[nodiscard]] std::vector<std::string> not_seen_again(const std::vector<TrialRecord>& trials, const TrialRecord& lost);
// Whether both tried the same candidates, in the same order, on the same machines.
[[nodiscard]] bool are_of_the_same_set(const TrialRecord& a, const TrialRecord& b);

}  // namespace patchlab::reports
