// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/core/exit_code.hpp"
#include "promotion/gate/people.hpp"
#include "promotion/gate/requirement.hpp"
#include "promotion/gate/today.hpp"
#include "promotion/policy/policy.hpp"
#include "reports/record/record.hpp"

// The decision what of a run may go to production: a pure function of record, policy and what is
// true today. It fails closed: what is
// absent, unknown or contradictory is a reason against, never overlooked.
namespace patchlab::promotion {

struct Decision {
  std::string department;
  std::vector<std::string>
      promotable;  // in the order in which the final trial applied them; empty when anything is not met
  // Of the department as a whole, in the order of ReasonCode: each that is not met, and one met for each code that was
  // asked and found nothing wrong. What was not asked is not here.
  std::vector<Requirement> requirements;
  std::string policy;                     // digest of the document that was asked; empty: none
  std::string trial;                      // that tested exactly this set; empty: none did
  std::vector<WaivedFailure> waived;      // that failed or changed in it, and do not stand in the way
  std::vector<std::string> counted;       // digests of the statements of people that it rests on, ascending
  std::optional<EmergencyUse> emergency;  // it promotes through the emergency lane
  std::string by;  // "promoted by policy 'quickstart': nobody approved"; empty when it does not promote
  std::vector<Requirement> held_back;  // one per candidate that stays out, not met; the rest may go without it
  [[nodiscard]] bool promotes() const;
  // The requirements that are not met.
  [[nodiscard]] std::vector<Requirement> blocking() const;
  // blocking, then held_back, as text.
  [[nodiscard]] std::vector<std::string> reasons() const;
};

// Adds one that is not met, in its place; one of the same code that was met is no more. Nothing is promotable then.
void refuse(Decision& decision, Requirement unmet);

// The command that would satisfy a requirement of this code; empty where none does.
[[nodiscard]] std::string command_for(ReasonCode code, const reports::RunRecord& record);

// Promoted, refused, or 65 where what people decided cannot be trusted.
[[nodiscard]] ExitCode exit_code_of(const Decision& decision);

// About what passed; or about a set with something that failed, when somebody waived that in exactly this set. Of
// several sets it is about the largest that may be promoted.
[[nodiscard]] Decision decide(const reports::RunRecord& record, const std::string& department, const Policy& policy,
                              const Today& today);

}  // namespace patchlab::promotion
