// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "reports/record/record.hpp"

namespace patchlab::history {

// Where runs lie: a folder with a folder per run, named by its id, that holds its run.json and its reports. Nothing is
// remembered: every question looks at the disk.
class RunArchive {
 public:
  explicit RunArchive(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Ids of the runs that have a record, the newest first; empty when the folder cannot be read.
  [[nodiscard]] std::vector<std::string> list() const;
  // Ids of the runs that have begun and have no record: they are under way, or were killed. The newest first.
  [[nodiscard]] std::vector<std::string> without_record() const;
  // The newest folder of a run that has no record, when it is newer than every run that has one: that run is under way,
  // or was killed. Empty: there is none.
  [[nodiscard]] std::string newer_without_record() const;
  // The run.json of the newest run. An error when there is none, or the folder cannot be read.
  [[nodiscard]] Result<std::filesystem::path> latest() const;
  // The run.json of a run as people name it: its folder, its run.json, its id here, or "latest". What a path names
  // comes before an id. The error lists the newest ids, or says that the run left no record.
  [[nodiscard]] Result<std::filesystem::path> find(const std::string& name) const;
  [[nodiscard]] Result<reports::RunRecord> read(const std::string& name) const;

  // The newest run of the same scenario that ran to its end before this one; of the newest ten before it, as those that
  // cannot be read are passed over. Null: there is none.
  [[nodiscard]] std::optional<reports::RunRecord> before(const reports::RunRecord& record) const;

  // Writes a file of a run that has a folder here, whole or not at all.
  [[nodiscard]] Result<void> keep(const reports::RunRecord& record) const;
  [[nodiscard]] Result<void> keep_report(const std::string& id, const std::string& file_name,
                                         const std::string& text) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace patchlab::history
