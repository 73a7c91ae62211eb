// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "history/index/database.hpp"
#include "history/index/place.hpp"

// All runs of a folder and all lines of a stage's ledger as tables, to be asked (queries.hpp). The index decides
// nothing and proves nothing: what counts are the files, and of these it can be made anew at any time. Brought up to
// date run by run and line by line it has the same rows as made anew.
//
// A run is known by its folder, and by its record in the ledger, where that lies as an object: also when its folder is
// gone. Where the ledger has a record of a run, no other one of that id counts.
namespace patchlab::history {

// What an index is of.
struct HistorySources {
  std::filesystem::path runs;   // folder of runs, absolute
  std::filesystem::path stage;  // absolute; its ledger need not be there
  std::string tool;             // version of this program
};

// A folder of which no run is in the index, and why.
struct LeftOut {
  std::string folder;
  std::string problem;
  bool unfinished = false;  // it has no record yet: the run is under way, or was killed
  bool operator==(const LeftOut&) const = default;
};

// What bringing it up to date found.
struct HistoryUpdate {
  std::size_t new_runs = 0;
  std::size_t new_lines = 0;
  std::string made_anew;   // why all of it was read again, a sentence; empty: only what is new was
  bool no_ledger = false;  // the stage has none: nothing is known of decisions, promotions and machines
};

// An open index that is up to date as of when it was opened. Of one thread at a time, as its database is; whoever
// serves several threads opens one in each.
class HistoryIndex {
 public:
  // Makes it when there is none, and reads what is new. Errors (configuration), each with the next step: it is damaged,
  // of a newer version, of another folder or stage, or the ledger is not the one that was read, or does not fit.
  [[nodiscard]] static Result<HistoryIndex> open(const HistoryPlace& place, const HistorySources& sources);
  // Reads all files again, whatever is there now, also where that is damaged or of others.
  [[nodiscard]] static Result<HistoryIndex> rebuild(const HistoryPlace& place, const HistorySources& sources);

  [[nodiscard]] Database& database() { return *database_; }
  [[nodiscard]] const HistoryUpdate& update() const { return update_; }

 private:
  HistoryIndex(std::unique_ptr<Database> database, HistoryUpdate update)
      : database_(std::move(database)), update_(std::move(update)) {}
  std::unique_ptr<Database> database_;
  HistoryUpdate update_;
};

}  // namespace patchlab::history
