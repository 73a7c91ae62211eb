// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

namespace patchlab::checks::state {

inline constexpr const char* log_kind = "error-log";
// A service that could not be stopped and started again in time; the item is its name.
inline constexpr const char* service_cycle_kind = "service-cycle";
// A package that could not be installed behind the set; the item is its candidate's id.
inline constexpr const char* next_package_kind = "next-package";

// What a difference that nothing explains means for the candidates that were there.
enum class FindingClass {
  breach,  // they fail
  review,  // they pass their checks, and a person has to look before they may be promoted
  notice,  // it is recorded, and stands in nobody's way
};
[[nodiscard]] const char* to_string(FindingClass finding);
[[nodiscard]] std::optional<FindingClass> finding_class_from(const std::string& word);

// One difference between the host state before and after: kind is service, listener, address, fact, error-log,
// installed; effect: installed, and something else runs. Beside them stand agent, boot, rollback and restart.
struct StateDifference {
  std::string kind;
  std::string item;
  std::string before;  // empty: was not there
  std::string after;   // empty: is gone
  // Whoever does not say it by a rule means a failure.
  FindingClass finding = FindingClass::breach;
  std::string why{};   // the words of the rule that says so; may be empty
  std::string diff{};  // before and after as a unified diff, bounded by who made it; empty: there is none
  bool operator==(const StateDifference&) const = default;
  // Whether the machine fails by it. Search, memo, exit code and verdicts know no other differences.
  [[nodiscard]] bool is_failure() const { return finding == FindingClass::breach; }
};
// An absent or unknown class is a breach: what is not understood is never taken for less.
void to_json(Json& json, const StateDifference& difference);
void from_json(const Json& json, StateDifference& difference);

// Whether anything of it is a failure.
[[nodiscard]] inline bool has_failure(const std::vector<StateDifference>& differences) {
  return std::ranges::any_of(differences, &StateDifference::is_failure);
}

}  // namespace patchlab::checks::state
