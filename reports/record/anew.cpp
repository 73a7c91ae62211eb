// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/anew.hpp"

#include <algorithm>
#include <set>

namespace patchlab::reports {

bool are_of_the_same_set(const TrialRecord& a, const TrialRecord& b) {
  return a.set_digest == b.set_digest && a.candidates == b.candidates && a.machines == b.machines;
}

std::vector<std::string> not_seen_again(const std::vector<TrialRecord>& trials, const TrialRecord& lost) {
  if (lost.outcome != Outcome::fail || lost.purpose == Purpose::removal) return {};
  const auto all_of = [](const TrialRecord& trial) {
    const auto seen = failure_signature(trial);
    std::set<std::string> facts(seen.begin(), seen.end());
    facts.insert(trial.signature.begin(), trial.signature.end());
    return facts;
  };
  auto facts = all_of(lost);
  for (const auto& other : trials) {
    if (other.outcome != Outcome::fail || other.purpose == Purpose::removal || began_with_another_run(other) ||
        !are_of_the_same_set(other, lost))
      continue;
    for (const auto& fact : all_of(other)) facts.erase(fact);
  }
  return {facts.begin(), facts.end()};
}

}  // namespace patchlab::reports
