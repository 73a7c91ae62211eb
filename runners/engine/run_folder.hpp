// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/time.hpp"

namespace patchlab::runners {

// The folder of one run, `<runs>/<id>`, complete in itself: run.json, events.jsonl, evidence, reports. And the scratch
// folder of its cells in the cache, locked while the run lives, so that what a killed run left behind can be told from
// what is in use.
class RunFolder {
 public:
  [[nodiscard]] static Result<RunFolder> create(const std::filesystem::path& runs, Clock& clock);
  RunFolder(RunFolder&&) = default;
  RunFolder& operator=(RunFolder&&) = delete;
  ~RunFolder();  // removes the scratch folder

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::filesystem::path& scratch() const { return scratch_; }
  // One line of events.jsonl, stamped; from any thread.
  void event(const std::string& department, Json event);

 private:
  RunFolder(std::string id, std::filesystem::path path, std::filesystem::path scratch, FileLock lock, Clock& clock);
  std::string id_;
  std::filesystem::path path_;
  std::filesystem::path scratch_;
  FileLock lock_;
  Clock* clock_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  std::ofstream events_;
};

// Scratch folders below <cache>/cells whose run is gone; removed. Returns how many there were.
std::size_t remove_leftovers(const std::filesystem::path& cells);

}  // namespace patchlab::runners
