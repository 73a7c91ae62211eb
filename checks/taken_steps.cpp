// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/taken_steps.hpp"

#include <fmt/format.h>

namespace patchlab::checks {

TakenSteps::TakenSteps(Progress progress) : progress_(std::move(progress)) {
  progress_.record([](Observation& seen) { seen["steps"] = Json::array(); });
}

bool TakenSteps::take(const std::string& step, const std::function<Json()>& work) {
  progress_.record([&](Observation& seen) { seen["now"] = step; });
  auto entry = work();
  const bool went_well = entry.at("ok").get<bool>();
  entry["step"] = step;
  progress_.record([&](Observation& seen) {
    seen["steps"].push_back(entry);
    seen.erase("now");
  });
  return went_well;
}

void TakenSteps::lab_error(const Error& error) {
  progress_.record([&](Observation& seen) { seen["lab_error"] = error; });
}

const Json* find_taken_step(const Observation& seen, const std::string& step) {
  for (const auto& entry : seen.at("steps")) {
    if (entry.at("step") == step) return &entry;
  }
  return nullptr;
}

Judgement failed(std::string reason, std::string expected, std::string observed) {
  return {Outcome::fail, std::move(reason), std::move(expected), std::move(observed)};
}

std::optional<Judgement> judge_taken_step(const Observation& seen, const std::string& step, const std::string& reason,
                                          const std::string& expected, bool granted, const std::string& prefix) {
  const auto* entry = find_taken_step(seen, step);
  if (entry == nullptr)
    return failed(prefix + "no-answer", expected, fmt::format("{}: no answer within the deadline", step));
  const bool ok = entry->at("ok").get<bool>();
  if (ok && granted) return std::nullopt;
  if (ok) return failed(reason, expected, step + ": it was granted");
  const auto kind = entry->at("kind").get<std::string>();
  const auto observed = fmt::format("{}: {} ({})", step, entry->value("why", ""), entry->at("code").dump());
  if (kind == "ours") return Judgement{Outcome::error, "lab", expected, observed};
  if (kind == "unreachable") return failed(prefix + "no-answer", expected, observed);
  if (kind == "closed") return failed(prefix + "connection-closed", expected, observed);
  if (kind == "malformed") return failed(prefix + "malformed-reply", expected, observed);
  return granted ? std::optional(failed(reason, expected, observed)) : std::nullopt;
}

}  // namespace patchlab::checks
