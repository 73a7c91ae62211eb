// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/sample_record.hpp"

namespace patchlab::tests {

inline reports::StateDifference changed_file(const std::string& item, const std::string& after) {
  return {"file",
          item,
          std::string("\xC3\xA4\0b", 4),
          after,
          checks::state::FindingClass::review,
          "no package brings it",
          "--- a\n+++ b\n@@ -1 +1 @@\n-relayhost =\n+relayhost = [mx.example]\n"};
}

// Everything passed, and two things changed with the set that a person has to look at: one in two phases of the last
// trial, one in a search on the mail machine alone. What changed beside them asks nobody: without a patch, in a try
// that was lost, with another set, and what is only noticed.
inline reports::RunRecord changed_record() {
  auto record = good_record();
  auto& department = record.departments.front();
  const auto change = [](reports::TrialRecord& trial, const reports::StateDifference& difference) {
    for (auto& phase : trial.phases) {
      if (phase.machine == "mail") phase.differences.push_back(difference);
    }
  };
  const auto add = [&](const char* id, const reports::StateDifference& difference,
                       std::vector<std::string> candidates) -> reports::TrialRecord& {
    auto trial = *reports::find_trial(department, department.final_trial);
    trial.id = id;
    trial.purpose = reports::Purpose::search;
    trial.evidence_folder.clear();
    trial.candidates = std::move(candidates);
    std::vector<std::string> digests;
    for (const auto& one : trial.candidates) digests.push_back(reports::find_candidate(record, one)->digest);
    trial.set_digest = reports::patch_set_digest(digests);
    std::erase_if(trial.installs,
                  [&](const auto& install) { return std::ranges::count(trial.candidates, install.candidate) == 0; });
    for (auto& phase : trial.phases) phase.differences.clear();
    change(trial, difference);
    department.trials.push_back(std::move(trial));
    return department.trials.back();
  };
  for (auto& trial : department.trials) {
    change(trial, trial.candidates.empty() ? changed_file("/etc/control", "b")
                                           : changed_file("/etc/p\xC3\xB6 st;fix/main.cf", "b"));
    if (trial.candidates.empty()) continue;
    change(trial, {"banner", "smtp", "1", "2", checks::state::FindingClass::notice});
  }
  auto& part = add("finance/t7", changed_file("/etc/part", ""), {"tidy"});
  part.machines = {"mail"};
  std::erase_if(part.phases, [](const auto& phase) { return phase.machine != "mail"; });
  std::erase_if(part.installs, [](const auto& install) { return install.machine != "mail"; });
  add("finance/t8", changed_file("/etc/other", "b"), {"dns-update"});
  add("finance/t9", changed_file("/etc/lost", "b"), {"dns-update", "tidy"}).retried_as = department.final_trial;
  return record;
}

}  // namespace patchlab::tests
