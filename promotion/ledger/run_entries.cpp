// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/ledger/run_entries.hpp"

#include "reports/record/queries.hpp"
#include "reports/record/run_exit_code.hpp"

namespace patchlab::promotion {
namespace {

Json verdict_payload(const reports::RunRecord& record, const std::string& department,
                     const reports::VerdictRecord& verdict) {
  const auto* candidate = reports::find_candidate(record, verdict.candidate);
  Json files = Json::array();
  if (candidate != nullptr) {
    for (const auto& file : candidate->files) files.push_back(file.sha256);
  }
  return {{"department", department},
          {"candidate", verdict.candidate},
          {"candidate_digest", candidate == nullptr ? "" : candidate->digest},
          {"files", files},
          {"outcome", to_string(verdict.outcome)},
          {"group", verdict.group},
          {"failed", verdict.failed}};
}

// By department and machine.
Json goldens_of(const reports::RunRecord& record) {
  Json goldens = Json::object();
  for (const auto& department : record.departments) {
    for (const auto& machine : department.machines) goldens[department.name][machine.name] = machine.golden_digest;
  }
  return goldens;
}

Json promotion_payload(const std::string& department, const reports::PromotionRecord& promotion) {
  return {{"department", department},           {"outcome", promotion.outcome},
          {"stage", promotion.stage},           {"manifest_digest", promotion.manifest_digest},
          {"candidates", promotion.candidates}, {"reasons", promotion.reasons}};
}

Ledger::NewEntry entry_of(const reports::RunRecord& record, const std::string& digest, const std::string& time,
                          const char* kind, Json payload) {
  payload["run"] = record.id;
  payload["record_digest"] = digest;
  return {time, kind, std::move(payload)};
}

}  // namespace

Ledger::NewEntry promotion_entry(const reports::RunRecord& record, const std::string& department,
                                 const reports::PromotionRecord& promotion, const std::string& time) {
  return entry_of(record, reports::record_digest(record), time, "promotion", promotion_payload(department, promotion));
}

std::vector<Ledger::NewEntry> ledger_entries(const reports::RunRecord& record, const std::string& time) {
  std::vector<Ledger::NewEntry> entries;
  const auto digest = reports::record_digest(record);
  const auto add = [&](const char* kind, Json payload) {
    entries.push_back(entry_of(record, digest, time, kind, std::move(payload)));
  };
  add("run", {{"scenario_digest", record.scenario_digest},
              {"complete", record.complete},
              {"exit_code", number(reports::exit_code_for(record))},
              {"goldens", goldens_of(record)}});
  for (const auto& department : record.departments) {
    for (const auto& verdict : department.verdicts) add("verdict", verdict_payload(record, department.name, verdict));
  }
  return entries;
}

}  // namespace patchlab::promotion
