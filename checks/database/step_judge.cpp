// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/step_judge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checks/database/complaints.hpp"

namespace patchlab::checks::database {
namespace {

std::string reason_for(const Json& seen, bool stopped) {
  const auto step = seen.value("step", "");
  const auto sqlstate = seen.value("sqlstate", "");
  if (stopped || sqlstate == "HYT00" || sqlstate == "HYT01") return "timeout";
  if (is_deadlock(seen)) return "deadlock";
  if (step == "connect" && is_not_ready(seen, WaitFor::server)) return "server-not-ready";
  if (step == "connect" && is_database_not_open(seen)) return "database-not-open";
  if (step == "connect" && is_refused_login(seen)) return "login-refused";
  return step + "-failed";
}

}  // namespace

std::optional<Judgement> judge_steps(const std::vector<std::string>& steps, const Json& observation) {
  const auto seen = observation.value("steps", Json::array());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto expected = fmt::format("step '{}' succeeds", steps[i]);
    if (i >= seen.size() || seen[i].value("step", "") != steps[i]) {
      return Judgement{Outcome::error, "observation-incomplete", expected, "the observation does not have this step"};
    }
    if (seen[i].value("ok", false)) continue;
    const bool stopped = observation.value("stopped_at_deadline", false);
    return Judgement{Outcome::fail, reason_for(seen[i], stopped), expected, told_of(seen[i])};
  }
  return std::nullopt;
}

std::string refused_or_late(const Json& observation) {
  return observation.value("stopped_at_deadline", false) ? "timeout" : "refused-for-another-reason";
}

std::string told_of(const Json& step) {
  std::string asked;
  if (step.contains("asked")) asked = fmt::format(", asked {} times", step.value("asked", 0));
  const auto numbers = step.value("numbers", std::vector<int>());
  const auto numbered = numbers.empty() ? "" : fmt::format("error {}: ", fmt::join(numbers, ", "));
  return fmt::format("step '{}'{}: SQLSTATE {} {}{}", step.value("step", ""), asked, step.value("sqlstate", ""),
                     numbered, step.value("message", ""));
}

}  // namespace patchlab::checks::database
