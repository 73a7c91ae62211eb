// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/mail/stage_judge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace patchlab::checks::mail {
namespace {

const Json* entry_of(const Json& log, const std::string& stage) {
  if (!log.is_array()) return nullptr;
  for (const auto& entry : log) {
    if (entry.is_object() && entry.value("stage", "") == stage) return &entry;
  }
  return nullptr;
}

std::string how_it_went_wrong(const Json& entry) {
  if (entry.contains("missing")) return "not-offered";
  if (entry.contains("trouble")) return entry.value("trouble", "failed");
  const auto answer = entry.value("answer", "");
  if (answer == "NO" || answer == "BAD" || answer == "-ERR" || answer.starts_with('5')) return "refused";
  if (answer.starts_with('4')) return "deferred";
  return "unexpected";
}

std::string seen(const Json& entry) {
  if (entry.contains("missing")) return fmt::format("the server does not offer {}", entry.value("missing", ""));
  if (entry.contains("trouble")) return entry.value("reply", "");
  return fmt::format("{} {}", entry.value("answer", ""), entry.value("reply", ""));
}

bool went_well(const ExpectedStage& expected, const Json& entry) {
  if (entry.contains("missing") || entry.contains("trouble")) return false;
  const auto answer = entry.value("answer", "");
  return expected.answers.empty() ||
         std::find(expected.answers.begin(), expected.answers.end(), answer) != expected.answers.end();
}

}  // namespace

std::optional<Judgement> judge_stages(const std::string& protocol, const std::vector<ExpectedStage>& expected,
                                      const Json& log) {
  for (const auto& stage : expected) {
    const auto* entry = entry_of(log, stage.stage);
    const auto wanted = stage.answers.empty() ? fmt::format("{} stage '{}' succeeds", protocol, stage.stage)
                                              : fmt::format("{} stage '{}' answered {}", protocol, stage.stage,
                                                            fmt::join(stage.answers, " or "));
    if (entry == nullptr) {
      return Judgement{Outcome::error, "observation-incomplete", wanted, "the observation does not have this stage"};
    }
    if (went_well(stage, *entry)) continue;
    if (entry->value("trouble", "") == "lab") return Judgement{Outcome::error, "lab-trouble", wanted, seen(*entry)};
    return Judgement{Outcome::fail, fmt::format("{}-{}-{}", protocol, stage.stage, how_it_went_wrong(*entry)), wanted,
                     seen(*entry)};
  }
  return std::nullopt;
}

}  // namespace patchlab::checks::mail
