// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/state_difference.hpp"

namespace patchlab::checks::state {

const char* to_string(FindingClass finding) {
  switch (finding) {
    case FindingClass::breach: return "breach";
    case FindingClass::review: return "review";
    case FindingClass::notice: return "notice";
  }
  return "breach";
}

std::optional<FindingClass> finding_class_from(const std::string& word) {
  for (const auto finding : {FindingClass::breach, FindingClass::review, FindingClass::notice}) {
    if (word == to_string(finding)) return finding;
  }
  return std::nullopt;
}

void to_json(Json& json, const StateDifference& difference) {
  json = {{"kind", difference.kind},
          {"item", difference.item},
          {"before", difference.before},
          {"after", difference.after},
          {"finding", to_string(difference.finding)}};
  if (!difference.why.empty()) json["why"] = difference.why;
  if (!difference.diff.empty()) json["diff"] = difference.diff;
}

void from_json(const Json& json, StateDifference& difference) {
  difference = {json.value("kind", ""),
                json.value("item", ""),
                json.value("before", ""),
                json.value("after", ""),
                finding_class_from(json.value("finding", "")).value_or(FindingClass::breach),
                json.value("why", ""),
                json.value("diff", "")};
}

}  // namespace patchlab::checks::state
