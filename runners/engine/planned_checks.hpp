// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reports/record/record.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::runners {

// Writes down what a machine is to be looked at by, by name and by digest: a later run that asks for less under the
// same names is noticed by that. `plan`: with the golden machine's services and ports filled in.
void note_planned_checks(const MachinePlan& plan, reports::MachineRecord& machine);

}  // namespace patchlab::runners
