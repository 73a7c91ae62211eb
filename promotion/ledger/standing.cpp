// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/ledger/standing.hpp"

#include <fmt/format.h>

#include "lab/core/outcome.hpp"

namespace patchlab::promotion {
namespace {

std::string text_of(const Json& payload, const char* key) {
  const auto found = payload.is_object() ? payload.find(key) : payload.end();
  return found == payload.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

}  // namespace

Standing standing_of(const reports::RunRecord& record, const Ledger& ledger) {
  Standing standing;
  const auto entries = ledger.read();
  if (!entries) {
    standing.otherwise = entries.error().message;
    return standing;
  }
  const auto digest = reports::record_digest(record);
  standing.otherwise = "the ledger has no run of this id";
  for (const auto& entry : *entries) {
    const auto run = text_of(entry.payload, "run");
    if (entry.kind == "run" && run == record.id) {
      standing.recorded = text_of(entry.payload, "record_digest") == digest;
      standing.otherwise = "the record is not the one that the ledger has of this run: it was changed since";
    }
    // The ledger is in order of time, so what comes after the run's own entry is later.
    const bool later = standing.recorded && run != record.id;
    if (!later || entry.kind != "verdict" || text_of(entry.payload, "outcome") != to_string(Outcome::fail)) continue;
    standing.failed_later[text_of(entry.payload, "department")][text_of(entry.payload, "candidate_digest")] = run;
  }
  return standing;
}

}  // namespace patchlab::promotion
