// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "reports/record/record.hpp"

namespace patchlab::reports {

// TAP 13, which `prove` reads: a point per fact of facts.hpp, with a name that is the same in every run. What it found
// is in a YAML block below. Whatever stands against the run is "not ok"; no consumer can take it for green.
[[nodiscard]] std::string tap_lines(const RunRecord& record, const Decisions& decisions = {});

}  // namespace patchlab::reports
