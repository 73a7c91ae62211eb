// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/outcome.hpp"

namespace patchlab {
namespace {
int precedence(Outcome outcome) {
  switch (outcome) {
    case Outcome::skipped: return 0;
    case Outcome::pass: return 1;
    case Outcome::not_reached: return 2;
    case Outcome::fail: return 3;
    case Outcome::error: return 4;
  }
  return 4;
}
}  // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass: return "pass";
    case Outcome::fail: return "fail";
    case Outcome::error: return "error";
    case Outcome::skipped: return "skipped";
    case Outcome::not_reached: return "not-reached";
  }
  return "error";
}

std::optional<Outcome> outcome_from(const std::string& word) {
  for (const auto outcome : {Outcome::pass, Outcome::fail, Outcome::error, Outcome::skipped, Outcome::not_reached}) {
    if (word == to_string(outcome)) return outcome;
  }
  return std::nullopt;
}

Outcome combine(Outcome a, Outcome b) { return precedence(a) >= precedence(b) ? a : b; }

}  // namespace patchlab
