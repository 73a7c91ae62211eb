// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/planned_checks.hpp"

#include "checks/identity.hpp"

namespace patchlab::runners {

void note_planned_checks(const MachinePlan& plan, reports::MachineRecord& machine) {
  for (const auto& check : plan.checks) {
    machine.checks.push_back(check.id);
    machine.check_digests[check.id] = checks::check_digest(check);
  }
  machine.state_digest = state_digest(plan);
}

}  // namespace patchlab::runners
