// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/control_knowledge.hpp"

#include <fmt/format.h>

#include "checks/slowness.hpp"
#include "checks/state/learnt.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::runners::cell {
namespace {

using checks::growth::Look;
using checks::growth::Watched;

Json amounts_json(const std::map<Used, double>& amounts) {
  auto rows = Json::array();
  for (const auto& [used, amount] : amounts) rows.push_back({to_string(used.resource), used.of, amount});
  return rows;
}

std::map<Used, double> amounts_from(const Json& rows) {
  std::map<Used, double> amounts;
  for (const auto& row : rows) {
    const auto word = row.at(0).get<std::string>();
    const auto resource = resource_from(word);
    if (!resource) throw std::runtime_error(fmt::format("'{}' is nothing that a guest uses up", word));
    amounts[{*resource, row.at(1).get<std::string>()}] = row.at(2).get<double>();
  }
  return amounts;
}

Json watched_json(const Watched& watched) {
  auto looks = Json::array();
  for (const auto& look : watched.looks) {
    looks.push_back({{"at_ms", look.at.count()},
                     {"amounts", amounts_json(look.usage.amounts)},
                     {"room", amounts_json(look.usage.room)}});
  }
  return {{"looks", looks}, {"planned", watched.planned}, {"asked", watched.asked}, {"failed", watched.failed}};
}

Watched watched_from(const Json& json) {
  Watched watched;
  for (const auto& look : json.at("looks")) {
    watched.looks.push_back({Milliseconds(look.at("at_ms").get<std::int64_t>()),
                             {amounts_from(look.at("amounts")), amounts_from(look.at("room"))}});
  }
  watched.planned = json.at("planned");
  watched.asked = json.at("asked");
  watched.failed = json.at("failed");
  return watched;
}

}  // namespace

std::string fact_of(const checks::state::StateDifference& difference) {
  return fmt::format("state:{}:{}", difference.kind, difference.item);
}

void to_json(Json& json, const ControlKnowledge& knowledge) {
  auto slower = Json::object();
  for (const auto& [check, phases] : knowledge.slower) {
    for (const auto& [phase, by] : phases) slower[check][phase] = by.count();
  }
  json = {{"log_kinds", knowledge.log_kinds},
          {"changes", knowledge.changes},
          {"failures", knowledge.failures},
          {"slower_ms", slower},
          {"growth", knowledge.growth ? watched_json(*knowledge.growth) : Json()},
          {"phases", knowledge.phases}};
}

Result<ControlKnowledge> control_knowledge_from_json(const Json& json) {
  try {
    ControlKnowledge knowledge;
    knowledge.log_kinds = json.at("log_kinds").get<std::set<std::string>>();
    knowledge.changes = json.at("changes").get<std::set<std::string>>();
    knowledge.failures = json.at("failures").get<std::map<std::string, std::set<std::string>>>();
    for (const auto& [check, phases] : json.at("slower_ms").items()) {
      for (const auto& [phase, by] : phases.items())
        knowledge.slower[check][phase] = Milliseconds(by.get<std::int64_t>());
    }
    if (const auto& growth = json.at("growth"); !growth.is_null()) knowledge.growth = watched_from(growth);
    knowledge.phases = json.at("phases").get<std::set<std::string>>();
    return knowledge;
  } catch (const std::exception& trouble) {
    return Error{ErrorClass::bug, fmt::format("what a control taught has another shape: {}", trouble.what()), {}};
  }
}

namespace {

bool is_learnt(const ControlKnowledge& taught, const std::string& phase,
               const checks::state::StateDifference& difference) {
  const auto failures = taught.failures.find(phase);
  if (failures != taught.failures.end() && failures->second.contains(fact_of(difference))) return true;
  if (difference.kind == checks::state::log_kind) return taught.log_kinds.contains(difference.item);
  const auto key = checks::state::learnt_key(difference);
  return !key.empty() && taught.changes.contains(key);
}

bool is_learnt(const ControlKnowledge& taught, const std::string& phase, const checks::CheckResult& check) {
  const auto failures = taught.failures.find(phase);
  return failures != taught.failures.end() && failures->second.contains(check.id);
}

}  // namespace

bool explains(const Json& knowledge, const reports::TrialRecord& trial, bool is_as_slow) {
  if (trial.error || reports::failure_signature(trial) != trial.signature) return false;
  auto left = trial;
  for (auto& phase : left.phases) {
    if (phase.error || !knowledge.contains(phase.machine)) return false;
    const auto taught = control_knowledge_from_json(knowledge.at(phase.machine));
    if (!taught) return false;
    std::erase_if(phase.differences, [&](const auto& difference) { return is_learnt(*taught, phase.phase, difference); });
    std::erase_if(phase.checks, [&](const auto& check) {
      if (check.outcome != Outcome::fail) return false;
      return (is_as_slow && check.reason == checks::slower_reason) || is_learnt(*taught, phase.phase, check);
    });
    for (const auto& difference : phase.differences) {
      if (difference.finding != checks::state::FindingClass::notice) return false;
    }
  }
  return reports::failure_signature(left).empty();
}

}  // namespace patchlab::runners::cell
