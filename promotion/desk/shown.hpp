// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "promotion/gate/gate.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {

// The decision about a department as everybody shows it. `today` is what it was made on: what was published of this
// very record, and by which run it was replaced since, is from the ledger, never from the record.
[[nodiscard]] reports::DecisionRecord shown(const Decision& decision, const reports::RunRecord& record,
                                            const Today& today);

// What is known of one candidate in one department.
struct Explanation {
  std::string department;
  const reports::VerdictRecord* verdict = nullptr;  // of the record that was asked about; none: there is none
  bool promoted = false;                            // it is in the published version now
  bool goes_along = false;  // it is in the set that is or may be promoted, although it failed: that was waived
  std::string word;         // "promoted", "may be promoted", ...
  std::string by;           // of a department that is, or may be: by whose word, and why it went back
  // Of the department, and of this candidate: met or not.
  std::vector<reports::RequirementRecord> requirements;
};
// One for each department of the record. `decisions` are those that the desk made of it.
[[nodiscard]] std::vector<Explanation> explain(const reports::RunRecord& record, const reports::Decisions& decisions,
                                               const std::string& candidate);

}  // namespace patchlab::promotion
