// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/record.hpp"

namespace patchlab::reports {

// JUnit XML as Jenkins reads it. One suite per department and machine, plus "department/verdicts" and
// "department/fence"; one case per check of each phase of each trial. A `failure` is a patch that broke something, an
// `error` is a lab that could not tell or a check that was not reached (never green), `skipped` does not apply.
[[nodiscard]] std::string junit_xml(const RunRecord& record, const Decisions& decisions = {});

}  // namespace patchlab::reports
