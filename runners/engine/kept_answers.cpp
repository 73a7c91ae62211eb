// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/kept_answers.hpp"

namespace patchlab::runners {
namespace {

bool is_answer(const reports::TrialRecord& record) {
  return (record.outcome == Outcome::pass || record.outcome == Outcome::fail) && record.reused_from.empty();
}

}  // namespace

KeptAnswers::KeptAnswers(KeptNotes::Place place, const Clock& clock, KeptNotes::Tell tell)
    : notes_({"answer", "patchlab/answer/v2"}, std::move(place), clock, std::move(tell)) {}

std::optional<reports::TrialRecord> KeptAnswers::earlier(const std::string& key, std::size_t number) {
  const std::lock_guard lock(mutex_);
  auto known = known_.find(key);
  if (known == known_.end()) known = known_.emplace(key, read_all(key)).first;
  return number < known->second.size() ? std::optional(known->second[number]) : std::nullopt;
}

std::vector<reports::TrialRecord> KeptAnswers::read_all(const std::string& key) {
  std::vector<reports::TrialRecord> records;
  notes_.read(key, [&](const KeptNotes::Note& note) {
    auto record = reports::trial_record_from_json(note.what);
    if (!record || !is_answer(*record)) return false;
    record->reused_run = note.run;
    record->reused_from = record->id;
    record->evidence_folder.clear();
    records.push_back(*std::move(record));
    return true;
  });
  return records;
}

void KeptAnswers::keep(const std::string& key, const reports::TrialRecord& record) {
  if (is_answer(record)) notes_.keep(key, record.id, record);
}

}  // namespace patchlab::runners
