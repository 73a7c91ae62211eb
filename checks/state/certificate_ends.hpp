// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "checks/state/state_difference.hpp"
#include "lab/core/host_state.hpp"

namespace patchlab::checks::state {

// Certificates by which servers prove themselves ("tls-certificate" rows: "subject CN=a, ..., until 2027-03-04, key
// SHA-256 ...") and that have ended on this day or end within so many: one difference of kind "certificate-end" for
// each port, classified. Its text does not change from day to day, but for the end itself. Zero days: none are told.
[[nodiscard]] std::vector<StateDifference> certificate_ends(const HostState& state, std::chrono::sys_days today,
                                                            std::chrono::days within);

// Says of a certificate that took the place of another one that it ends sooner, and is never less than a review then.
void say_which_end_sooner(std::vector<StateDifference>& differences);

}  // namespace patchlab::checks::state
