// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/nights.hpp"

#include <algorithm>

#include "lab/core/time.hpp"

namespace patchlab::cli {
namespace {

// More candidates than the scenario names make it no less of a night, nor does a department that is like another one.
bool is_narrowed(const promotion::RunAttempt& attempt) {
  return std::ranges::any_of(
      attempt.asked, [](const auto& asked) { return !asked.starts_with("--with ") && !asked.starts_with("--carry "); });
}

}  // namespace

std::vector<process::Night> nights_of(const std::vector<promotion::RunAttempt>& attempts) {
  std::vector<process::Night> nights;
  for (const auto& one : attempts) {
    std::vector<std::string> departments;
    for (const auto& part : one.parts) departments.push_back(part.department);
    nights.push_back({one.run, parse_rfc3339(one.begun), parse_rfc3339(one.ended), one.result, one.complete,
                      is_narrowed(one), std::move(departments)});
  }
  return nights;
}

}  // namespace patchlab::cli
