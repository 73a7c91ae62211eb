// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "checks/check.hpp"

namespace patchlab::checks {

// Everything about a check that a scenario says, but for its id: what decides how much a pass of it is worth.
[[nodiscard]] Json as_planned(const CheckSpec& spec);
// What check this is, whatever it is called: SHA-256 over as_planned(). Nothing in it changes from night to night, so
// two runs that plan the same check have the same digest, and a check of the same id that asks for something else has
// another one. A parameter that is written out and one that is left to its default are two: who reads it decides.
[[nodiscard]] std::string check_digest(const CheckSpec& spec);

}  // namespace patchlab::checks
