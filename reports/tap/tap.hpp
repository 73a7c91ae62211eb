// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/record.hpp"

namespace patchlab::reports {

// TAP 14: one point per candidate and department. A lab that could not tell is "not ok" with "lab error" in its name,
// and a run without departments bails out: no consumer can take it for green.
[[nodiscard]] std::string tap_lines(const RunRecord& record, const Decisions& decisions = {});

}  // namespace patchlab::reports
