// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "reports/record/record.hpp"

// What a reader must know besides the verdicts: checks that were not steady, and what nobody could judge. Pure.
namespace patchlab::reports {

// A check that failed and passed on the same state of its machine.
struct FlakyCheck {
  std::string machine;
  std::string check;
  std::size_t failures = 0;         // of so many
  std::size_t tries = 0;            // in the phases that are named
  bool without_patch = false;       // at the baseline or in the control as well: it is so by itself
  std::vector<std::string> places;  // "finance/t02 after-reboot-1"
  bool operator==(const FlakyCheck&) const = default;
};
// By machine and check.
[[nodiscard]] std::vector<FlakyCheck> flaky_checks(const DepartmentRecord& department);

// The keys of those that were flaky in this trial and steady in every trial without a patch: the patch may have made
// them so.
[[nodiscard]] std::vector<std::string> flaky_since_patched(const std::vector<TrialRecord>& trials,
                                                           const TrialRecord& trial);

// Checks of one machine whose slowness was not judged in at least one trial, for one reason.
struct UnjudgedSlowness {
  std::string machine;
  std::vector<std::string> checks;
  std::string why;
  bool operator==(const UnjudgedSlowness&) const = default;
};
[[nodiscard]] std::vector<UnjudgedSlowness> unjudged_slowness(const DepartmentRecord& department);

// Machines of which nobody could judge whether anything grows, in at least one trial, for one reason.
struct UnjudgedGrowth {
  std::vector<std::string> machines;
  std::string why;
  bool operator==(const UnjudgedGrowth&) const = default;
};
// Not of those that could not be looked at at all: the page says that of each machine.
[[nodiscard]] std::vector<UnjudgedGrowth> unjudged_growth(const DepartmentRecord& department);

// All of it, a sentence each.
[[nodiscard]] std::vector<std::string> remarks(const DepartmentRecord& department);

}  // namespace patchlab::reports
