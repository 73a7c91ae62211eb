// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/step_judge.hpp"

#include <fmt/format.h>

namespace patchlab::checks::database {
namespace {

// psqlODBC answers every failed connection with 08001; only the server's text tells why.
bool is_refused_login(const std::string& sqlstate, const std::string& message) {
  return sqlstate.starts_with("28") || message.find("authentication failed") != std::string::npos ||
         message.find("no pg_hba.conf entry") != std::string::npos ||
         message.find("pg_hba.conf rejects") != std::string::npos ||
         message.find("permission denied for database") != std::string::npos;
}

std::string reason_for(const std::string& step, const std::string& sqlstate, const std::string& message, bool stopped) {
  if (stopped || sqlstate == "HYT00" || sqlstate == "HYT01") return "timeout";
  if (step == "connect" && is_refused_login(sqlstate, message)) return "login-refused";
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
    const auto sqlstate = seen[i].value("sqlstate", "");
    const auto message = seen[i].value("message", "");
    const bool stopped = observation.value("stopped_at_deadline", false);
    return Judgement{Outcome::fail, reason_for(steps[i], sqlstate, message, stopped), expected, told_of(seen[i])};
  }
  return std::nullopt;
}

std::string refused_or_late(const Json& observation) {
  return observation.value("stopped_at_deadline", false) ? "timeout" : "refused-for-another-reason";
}

std::string told_of(const Json& step) {
  return fmt::format("step '{}': SQLSTATE {} {}", step.value("step", ""), step.value("sqlstate", ""),
                     step.value("message", ""));
}

}  // namespace patchlab::checks::database
