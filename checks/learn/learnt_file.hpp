// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checks/check.hpp"

namespace patchlab::checks::learn {

// A check that held each time it was asked.
struct LearntCheck {
  CheckSpec spec;
  std::string says;
};
// What came of one machine.
struct Learnt {
  std::vector<LearntCheck> checks;
  std::vector<std::string> left_out;  // "what: why", of everything that was not learnt
};
void to_json(Json& json, const Learnt& learnt);
[[nodiscard]] Learnt learnt_from_json(const Json& json);

// What a person says of checks and no machine tells, carried over from the checks of the file that is replaced (the
// same id and kind): how much slower one may become, and how long it may take. Returns the ids of those checks of the
// file that were not learnt again, in their order: what was changed in them is lost.
std::vector<std::string> carry_over(const std::vector<CheckSpec>& before, Learnt& learnt);

// Where it comes from, for the head of the file.
struct LearntFrom {
  std::string tool;  // "patchlab 0.9.0"
  std::string machine;
  std::string department;
  std::string golden;  // name and digest
};
// A file of checks as a scenario takes it, with comments for who reviews it. What a guest said stands in comments as
// one printable line each.
[[nodiscard]] std::string learnt_file(const LearntFrom& from, const Learnt& learnt);

}  // namespace patchlab::checks::learn
