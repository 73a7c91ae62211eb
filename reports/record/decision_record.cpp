// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/decision_record.hpp"

#include <algorithm>

namespace patchlab::reports {

std::string to_string(const RequirementRecord& requirement) {
  return requirement.code + ": " + requirement.subject + ": " + requirement.text;
}

std::string to_string(const WaivedRecord& waived) {
  const auto* const word = waived.is_a_failure() ? ", waived by '" : ", accepted by '";
  return waived.key + ": " + waived.outcome + word + waived.by + "' until " + waived.until + " (" + waived.ticket +
         "): " + waived.reason + "; approved by '" + waived.approved_by + "'";
}

std::string to_string(const EmergencyRecord& emergency) {
  if (!emergency.is_one()) return {};
  return "emergency (" + emergency.ticket + "): " + emergency.reason + ": " +
         (emergency.is_open() ? "review by " + emergency.review_by : emergency.answered);
}

const char* to_string(DecisionState state) {
  switch (state) {
    case DecisionState::undecided: return "undecided";
    case DecisionState::refused: return "refused";
    case DecisionState::promotable: return "promotable";
    case DecisionState::promoted: return "promoted";
    case DecisionState::replaced: return "replaced";
  }
  return "undecided";
}

std::vector<std::string> DecisionRecord::reasons() const {
  std::vector<std::string> texts;
  for (const auto& requirement : requirements) {
    if (!requirement.met) texts.push_back(to_string(requirement));
  }
  return texts;
}

const DecisionRecord& decision_of(const Decisions& decisions, const std::string& department) {
  static const DecisionRecord nobody_was_asked;
  const auto found = std::ranges::find(decisions, department, &DecisionRecord::department);
  return found == decisions.end() ? nobody_was_asked : *found;
}

bool is_promoted(const DecisionRecord& decision, const std::string& candidate) {
  return decision.state == DecisionState::promoted && std::ranges::count(decision.candidates, candidate) > 0;
}

const WaivedRecord* waiver_of(const DecisionRecord& decision, const std::string& key) {
  const auto found = std::ranges::find(decision.waived, key, &WaivedRecord::key);
  return found == decision.waived.end() ? nullptr : &*found;
}

const char* word_for(const DecisionRecord& decision, const std::string& candidate) {
  if (std::ranges::count(decision.candidates, candidate) == 0) return "not promoted";
  switch (decision.state) {
    case DecisionState::promoted: return "promoted";
    case DecisionState::replaced: return "promoted, then replaced";
    case DecisionState::promotable: return "may be promoted";
    case DecisionState::undecided:
    case DecisionState::refused: break;
  }
  return "not promoted";
}

void to_json(Json& json, const RequirementRecord& requirement) {
  json = {{"code", requirement.code},
          {"about", requirement.about},
          {"met", requirement.met},
          {"text", requirement.text},
          {"command", requirement.command}};
  if (!requirement.waived.empty()) json["waived"] = requirement.waived;
}

void to_json(Json& json, const WaivedRecord& waived) {
  json = {{"key", waived.key},       {"outcome", waived.outcome},
          {"by", waived.by},         {"approved_by", waived.approved_by},
          {"until", waived.until},   {"reason", waived.reason},
          {"ticket", waived.ticket}, {"line", waived.line}};
}

void to_json(Json& json, const EmergencyRecord& emergency) {
  json = {{"reason", emergency.reason},
          {"ticket", emergency.ticket},
          {"review_by", emergency.review_by},
          {"answered", emergency.answered}};
}

void to_json(Json& json, const DecisionRecord& decision) {
  json = {{"department", decision.department},
          {"outcome", to_string(decision.state)},
          {"as_of", decision.as_of},
          {"since", decision.since},
          {"stage", decision.stage},
          {"by", decision.by},
          {"manifest_digest", decision.manifest_digest},
          {"replaced_by", decision.replaced_by},
          {"candidates", decision.candidates},
          {"waived", decision.waived},
          {"reasons", decision.reasons()},
          {"requirements", decision.requirements}};
  if (decision.emergency.is_one()) json["emergency"] = decision.emergency;
}

}  // namespace patchlab::reports
