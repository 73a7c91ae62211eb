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
