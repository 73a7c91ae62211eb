// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "reports/record/record.hpp"
#include "runners/scenario/scenario.hpp"

namespace patchlab::runners {

// Adds to what passed which vulnerabilities the scan that the run was planned from says it closes, and whether it does
// by what the final trial saw; without such a scan, that it was not asked. When all departments are through. Pure.
void note_closes(const std::optional<PlannedScenario>& planned, reports::RunRecord& record);

}  // namespace patchlab::runners
