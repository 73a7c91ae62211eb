// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "runners/selftest/findings.hpp"

// What was found of the corpus before (scenarios/faults/levels.json, written by tests/e2e/detection), and what of that
// is not found any more. Functions over values, but for read_levels.
namespace patchlab::runners {

// Fault by fault, whether it was found as expected; of those that were told.
struct RecordedRole {
  std::vector<std::string> found;
  std::vector<std::string> missed;
  std::map<std::string, std::int64_t> seconds{};  // that one took, by id
};
using Levels = std::map<std::string, RecordedRole>;  // by role

// {"schema": "patchlab/levels/v1", "roles": {"dns": {"found": ["id", ...], "missed": [...], "seconds": {"id": 12,
// ...}}, ...}}
[[nodiscard]] Result<Levels> read_levels(const std::filesystem::path& file);
// Of all roles together.
[[nodiscard]] std::map<std::string, std::int64_t> seconds_of(const Levels& levels);

// A role over the faults that were told then and now: a sample is held against what was found of the same faults.
struct RoleLevel {
  std::string role;
  std::size_t compared = 0;
  std::size_t recorded = 0;         // of them found as expected, then
  std::size_t found = 0;            // now
  std::vector<std::string> lost;    // ids: found then and not now
  std::vector<std::string> gained;  // the other way round
  [[nodiscard]] bool is_below() const { return found < recorded; }
  bool operator==(const RoleLevel&) const = default;
};
struct LevelsComparison {
  std::vector<RoleLevel> roles;         // with at least one fault that was asked for, in order of the result
  std::vector<std::string> unrecorded;  // ids that were told now, and of which nothing is recorded
  std::vector<std::string> untold;      // ids that were asked for and tell nothing: neither found nor lost
};
[[nodiscard]] LevelsComparison compared_with(const Levels& levels, const SelftestResult& result);

// One for each role, and for what could not be compared.
[[nodiscard]] std::vector<std::string> sentences_of(const LevelsComparison& comparison);
[[nodiscard]] Json levels_json(const LevelsComparison& comparison);

// As without levels, but for faults: candidate_fails when a role is below its level, whatever it must find besides;
// not_tested also when there was nothing to compare.
[[nodiscard]] ExitCode exit_code_for(const SelftestResult& result, const LevelsComparison& comparison);

}  // namespace patchlab::runners
