// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "reports/record/record.hpp"
#include "runners/engine/kept_notes.hpp"

namespace patchlab::runners {

// What trials of searches answered, kept from one run to the next: a note for each execution, below the key of the
// question (memo_key.hpp). docs/adr/0020. May be used from several threads.
class KeptAnswers {
 public:
  // `clock` and what `tell` refers to must outlive it.
  KeptAnswers(KeptNotes::Place place, const Clock& clock, KeptNotes::Tell tell);

  // An execution by an earlier run: `reused_run` and `reused_from` name it, and what it kept lies with that run.
  // `number`: 0 is the latest, 1 the one before it, and so on. As of the first question about `key`: what others add
  // meanwhile changes no number.
  [[nodiscard]] std::optional<reports::TrialRecord> earlier(const std::string& key, std::size_t number);
  // Keeps an execution of this run. Others than pass and fail are no answers, and not kept.
  void keep(const std::string& key, const reports::TrialRecord& record);
  void trim() { notes_.trim(); }

 private:
  [[nodiscard]] std::vector<reports::TrialRecord> read_all(const std::string& key);

  KeptNotes notes_;
  std::mutex mutex_;
  std::map<std::string, std::vector<reports::TrialRecord>> known_;  // by key, the latest first
};

}  // namespace patchlab::runners
