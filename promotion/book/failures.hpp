// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "promotion/approval/decisions.hpp"
#include "reports/record/record.hpp"

namespace patchlab::promotion {

// Everything that a run found against a department, as waivers name it, each once: failing checks by their id, changes
// of the guests as findings ("state:...", and what fails nobody, "review:..."), what failed and then passed, and what
// can never be waived with its own kind. Of trials that another try replaced, nothing.
[[nodiscard]] std::vector<Failure> failures_of(const reports::DepartmentRecord& department);

// The candidates that the department's final trial applied; empty when there was none.
[[nodiscard]] std::vector<std::string> tested_set(const reports::DepartmentRecord& department);

// Every set that was tried on all machines of the department, each ascending and once, whatever came of it.
[[nodiscard]] std::vector<std::vector<std::string>> tested_sets(const reports::DepartmentRecord& department);

}  // namespace patchlab::promotion
