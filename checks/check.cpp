// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/check.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks {
namespace {

Json try_json(const CheckTry& one) {
  Json json{{"outcome", to_string(one.outcome)}, {"duration_ms", one.duration.count()}};
  if (one.outcome == Outcome::pass) return json;
  json["reason"] = one.reason;
  json["observed"] = one.observed;
  if (!one.evidence.is_null()) json["evidence"] = one.evidence;
  return json;
}

}  // namespace

Result<Json> Check::expecting(const Json& parameters, const Observation& observation) const {
  const auto judgement = judge(parameters, observation);
  if (judgement.outcome == Outcome::pass) return parameters;
  return Error{ErrorClass::check,
               fmt::format("{}: expected {}; observed {}", judgement.reason, judgement.expected, judgement.observed),
               {}};
}

std::size_t count_tries(const CheckResult& result, Outcome outcome) {
  if (result.tries.empty()) return result.outcome == outcome ? 1 : 0;
  return static_cast<std::size_t>(std::ranges::count(result.tries, outcome, &CheckTry::outcome));
}

bool is_flaky(const CheckResult& result) {
  return count_tries(result, Outcome::fail) > 0 && count_tries(result, Outcome::pass) > 0;
}

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
  if (!result.tries.empty()) {
    json["tries"] = Json::array();
    for (const auto& one : result.tries) json["tries"].push_back(try_json(one));
  }
  if (!result.slowness) return;
  json["slowness"] = {{"judged", result.slowness->judged},
                      {"quickest_ms", result.slowness->quickest.count()},
                      {"limit_ms", result.slowness->limit.count()}};
  if (!result.slowness->judged) json["slowness"]["why_not"] = result.slowness->why_not;
}

}  // namespace patchlab::checks
