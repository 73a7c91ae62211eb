// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stop_token>

#include "runners/engine/department.hpp"

namespace patchlab::runners {

// How often does this lab say "broken" of machines that nobody patched? The baseline and the control, as in every run,
// and then DepartmentJob::controls trials more without any patch, each judged as if it had one. What fails in them is a
// false alarm; none of them is tried again, as it is to be counted. Troubles are in the record, nothing is promotable.
[[nodiscard]] reports::DepartmentRecord run_controls(const DepartmentJob& job, cell::CellClient& lab,
                                                     const std::stop_token& stop);

}  // namespace patchlab::runners
