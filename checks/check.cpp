// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/check.hpp"

namespace patchlab::checks {

void to_json(Json& json, const CheckResult& result) {
  json = Json{{"id", result.id},
              {"kind", result.kind},
              {"outcome", to_string(result.outcome)},
              {"reason", result.reason},
              {"expected", result.expected},
              {"observed", result.observed},
              {"duration_ms", result.duration.count()}};
  if (result.error) json["error"] = *result.error;
  if (!result.evidence.is_null()) json["evidence"] = result.evidence;
}

// Reads what to_json wrote (a record from disk or from a cell). Unknown words become an error outcome, never a pass.
CheckResult check_result_from_json(const Json& json) {
  CheckResult result;
  result.id = json.value("id", "");
  result.kind = json.value("kind", "");
  result.outcome = outcome_from(json.value("outcome", "")).value_or(Outcome::error);
  result.reason = json.value("reason", "");
  result.expected = json.value("expected", "");
  result.observed = json.value("observed", "");
  result.duration = Milliseconds(json.value("duration_ms", std::int64_t{0}));
  if (json.contains("error")) result.error = error_from_json(json.at("error"));
  if (json.contains("evidence")) result.evidence = json.at("evidence");
  return result;
}

}  // namespace patchlab::checks
