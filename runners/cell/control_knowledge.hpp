// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "checks/growth/growth.hpp"
#include "checks/slowness.hpp"
#include "lab/core/json.hpp"
#include "reports/record/record.hpp"

namespace patchlab::runners::cell {

// What a control taught of one machine: what it does by itself, without any patch. As JSON it may be kept for later
// runs of the same machine with the same checks.
struct ControlKnowledge {
  std::set<std::string> log_kinds;
  std::set<std::string> changes;                          // by their keys (checks/state/learnt.hpp)
  std::map<std::string, std::set<std::string>> failures;  // by phase
  checks::UsualDurations::Beyond slower;                  // than at the baseline of the same night
  std::optional<checks::growth::Watched> growth;          // nothing: it was not watched
  std::set<std::string> phases{};                         // it made, of those that may fail without a patch
};
void to_json(Json& json, const ControlKnowledge& knowledge);
// An Error: it has another shape.
[[nodiscard]] Result<ControlKnowledge> control_knowledge_from_json(const Json& json);

// What a difference is called among those failures.
[[nodiscard]] std::string fact_of(const checks::state::StateDifference& difference);

// Whether all that is held against the trial, failures and what a person would have to look at, is what a control
// taught (`knowledge`: by machine). `is_as_slow`: the control took as long wherever the trial was slow.
[[nodiscard]] bool explains(const Json& knowledge, const reports::TrialRecord& trial, bool is_as_slow);

}  // namespace patchlab::runners::cell
