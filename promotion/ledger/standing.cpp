// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/ledger/standing.hpp"

#include <fmt/format.h>

#include <utility>

#include "lab/core/outcome.hpp"

namespace patchlab::promotion {
namespace {

std::string text_of(const Json& payload, const char* key) {
  const auto found = payload.is_object() ? payload.find(key) : payload.end();
  return found == payload.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

std::vector<std::string> texts_of(const Json& payload, const char* key) {
  std::vector<std::string> texts;
  const auto found = payload.is_object() ? payload.find(key) : payload.end();
  if (found == payload.end() || !found->is_array()) return texts;
  for (const auto& text : *found) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

// What older entries do not say stays empty.
PastFailure failure_of(const Json& verdict, const Json& run, bool later) {
  PastFailure failure{.run = text_of(verdict, "run"),
                      .later = later,
                      .department = text_of(verdict, "department"),
                      .candidate = text_of(verdict, "candidate"),
                      .digest = text_of(verdict, "candidate_digest"),
                      .files = texts_of(verdict, "files"),
                      .group = texts_of(verdict, "group"),
                      .failed = texts_of(verdict, "failed"),
                      .scenario_digest = text_of(run, "scenario_digest"),
                      .goldens = {}};
  const auto goldens = run.is_object() ? run.find("goldens") : run.end();
  if (goldens == run.end() || !goldens->is_object()) return failure;
  const auto here = goldens->find(failure.department);
  if (here == goldens->end() || !here->is_object()) return failure;
  for (const auto& [machine, digest] : here->items()) {
    if (digest.is_string()) failure.goldens[machine] = digest.get<std::string>();
  }
  return failure;
}

}  // namespace

Standing standing_of(const reports::RunRecord& record, const Ledger& ledger) {
  const auto read = ledger.read(Ledger::Unfinished::left_out);
  if (!read) {
    Standing standing;
    standing.otherwise = read.error().message;
    return standing;
  }
  std::vector<Ledger::NewEntry> entries;
  for (const auto& entry : *read) entries.push_back({entry.time, entry.kind, entry.payload});
  return standing_of(record, entries);
}

Standing standing_of(const reports::RunRecord& record, const std::vector<Ledger::NewEntry>& entries) {
  Standing standing;
  const auto digest = reports::record_digest(record);
  standing.otherwise = "the ledger has no run of this id";
  std::map<std::string, Json> runs;  // payloads by id
  bool later = false;                // the ledger is in order of time, so what comes after the run's own entry is later
  for (const auto& entry : entries) {
    const auto run = text_of(entry.payload, "run");
    if (entry.kind == "run") {
      runs[run] = entry.payload;
      if (run != record.id) continue;
      const bool twice = std::exchange(later, true);
      standing.recorded = !twice && text_of(entry.payload, "record_digest") == digest;
      standing.otherwise = twice ? "the ledger has two runs of this id: one of them is made up"
                                 : "the record is not the one that the ledger has of this run: it was changed since";
    }
    if (entry.kind == "promotion" && text_of(entry.payload, "outcome") == "promoted") {
      standing.promotions.push_back({run, text_of(entry.payload, "record_digest"), text_of(entry.payload, "department"),
                                     entry.time, text_of(entry.payload, "stage"),
                                     text_of(entry.payload, "manifest_digest"), texts_of(entry.payload, "candidates")});
    }
    if (entry.kind != "verdict" || run == record.id) continue;
    if (text_of(entry.payload, "outcome") == to_string(Outcome::fail))
      standing.failures.push_back(failure_of(entry.payload, runs[run], later));
    if (text_of(entry.payload, "outcome") == to_string(Outcome::error))
      standing.undecided.push_back(failure_of(entry.payload, runs[run], later));
    if (later) {
      standing.later_candidates.push_back({run, text_of(entry.payload, "department"),
                                           text_of(entry.payload, "candidate"),
                                           text_of(entry.payload, "candidate_digest")});
    }
  }
  return standing;
}

}  // namespace patchlab::promotion
