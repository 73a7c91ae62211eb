// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "checks/state/state_difference.hpp"

namespace patchlab::checks::state {

// What a control, a trial without any patch, shows is what a machine does by itself, and explains the same change in a
// later trial. Two differences with one key are the same change: a file in the same manner (numbers in names of files
// below /var and /tmp aside), a setting of the kernel whatever its value, any other row with both values. Empty: a
// control that shows it is broken, and nobody learns from it.
[[nodiscard]] std::string learnt_key(const StateDifference& difference);

}  // namespace patchlab::checks::state
