// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "reports/record/decision_record.hpp"
#include "reports/record/record.hpp"

// Changes of guests that fail nobody by themselves, as people decide about them; all pure.
namespace patchlab::reports {

// SHA-256 of its kind, item, before, after and diff, each as a netstring ("5:hello,"): of exactly what a person sees.
// The same file with another content has another one.
[[nodiscard]] std::string finding_digest(const StateDifference& difference);

// As waivers name it, on its machine. Of a breach as in a signature: "state:file:/etc/hosts". Else the class, what it
// is about in letters that no shell understands, at most 100 of them, and the digest:
// "review:file:/etc/postfix/main.cf@<sha256>".
[[nodiscard]] std::string finding_name(const StateDifference& difference);
// "mail/review:file:/etc/postfix/main.cf@<sha256>".
[[nodiscard]] std::string finding_key(const std::string& machine, const StateDifference& difference);

// Whether an outcome is that of a change that failed nobody: "review", "notice".
[[nodiscard]] bool is_no_failure(const std::string& outcome);

// One change of class review or notice. Seen in several phases, or trials, it is one.
struct Finding {
  std::string machine;
  StateDifference difference;
  std::vector<std::string> candidates;  // all that were tried in the set: nobody knows which of them did it
  std::vector<std::string> phases;      // in which it was seen, in the order of the record
  std::vector<std::string> trials;
  [[nodiscard]] std::string key() const { return finding_key(machine, difference); }
};

// "a, b, c and 46 more": as many as a reader takes in.
[[nodiscard]] std::string few_of(const std::vector<std::string>& candidates);

// Of all trials that count of exactly these candidates, also of those on a part of the machines with what is for them;
// and what a try of them saw that was installed anew for it, and no other trial showed.
// Ordered by machine, class (review first), kind and item.
[[nodiscard]] std::vector<Finding> findings_of_set(const DepartmentRecord& department,
                                                   const std::vector<std::string>& candidates);

// The candidates that a decision is about; where nobody was asked, those that passed.
[[nodiscard]] std::vector<std::string> set_in_question(const DepartmentRecord& department,
                                                       const DecisionRecord& decision);

// What the decision says of it, met or not; null: nobody has to decide about it.
[[nodiscard]] const RequirementRecord* requirement_of(const DecisionRecord& decision, const Finding& finding);

// What was seen only in other sets than these candidates.
[[nodiscard]] std::vector<Finding> findings_of_other_sets(const DepartmentRecord& department,
                                                          const std::vector<std::string>& candidates);

}  // namespace patchlab::reports
