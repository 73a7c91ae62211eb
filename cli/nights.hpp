// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "process/health/health.hpp"
#include "promotion/desk/attempts.hpp"

namespace patchlab::cli {

// The runs of a ledger, as the health of a lab asks them.
[[nodiscard]] std::vector<process::Night> nights_of(const std::vector<promotion::RunAttempt>& attempts);

}  // namespace patchlab::cli
