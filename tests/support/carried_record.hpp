// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/sample_record.hpp"

namespace patchlab::tests {

// As `run --carry engineering=finance` leaves it: a second department with the same machines, which was not tested.
inline RunRecord carried_record(RunRecord record = good_record()) {
  record.asked.carry = {"engineering=finance"};
  auto& finance = record.departments.front();
  for (auto& machine : finance.machines) machine.definition_digest = sha256("definition of " + machine.name);
  reports::DepartmentRecord engineering{.name = "engineering", .machines = finance.machines, .phases = finance.phases};
  for (const auto& verdict : finance.verdicts)
    engineering.verdicts.push_back({.candidate = verdict.candidate,
                                    .machines = verdict.machines,
                                    .reason = "not tried here: 'finance' was tested, and its machines are alike"});
  engineering.tested_in = finance.name;
  record.departments.push_back(std::move(engineering));
  return record;
}

}  // namespace patchlab::tests
