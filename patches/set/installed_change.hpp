// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "patches/set/machine_plan.hpp"

// The exact-set rule: what changed in a guest must be what was asked for, no more and no less. Pure.
namespace patchlab::patches {

struct PackageChange {
  std::string package;
  std::string architecture;
  std::string before;  // empty: was not installed
  std::string after;
  bool operator==(const PackageChange&) const = default;
};

[[nodiscard]] std::vector<PackageChange> expected_changes(const InstalledSet& installed,
                                                          const std::vector<CandidateFile>& files);

struct InstalledDifference {
  std::string item;    // as the guest spells it
  std::string before;  // empty: was not there
  std::string after;   // empty: is gone
  bool operator==(const InstalledDifference&) const = default;
};

struct InstalledComparison {
  std::vector<InstalledDifference> widened;  // changed, but nobody asked for it
  std::vector<InstalledDifference> missing;  // asked for; `before` holds the expected version, `after` what is there
  [[nodiscard]] bool exact() const { return widened.empty() && missing.empty(); }
  // "set widened: 'x' changed from 1 to 2; missing: 'y' should be 3, is absent"; empty when exact.
  [[nodiscard]] std::string describe() const;
};

[[nodiscard]] InstalledComparison compare_installed(const InstalledSet& before, const InstalledSet& after,
                                                    const std::vector<PackageChange>& expected);

}  // namespace patchlab::patches
