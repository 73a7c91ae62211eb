// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

#include "lab/core/json.hpp"
#include "lab/core/time.hpp"
#include "runners/host/scratch.hpp"

namespace patchlab::runners {

// The folder of one run, `<runs>/<id>`, complete in itself: run.json, events.jsonl, evidence, reports. And the scratch
// folder of its cells on this host, named alike.
class RunFolder {
 public:
  [[nodiscard]] static Result<RunFolder> create(const std::filesystem::path& runs, Clock& clock);
  RunFolder(RunFolder&&) = default;
  RunFolder& operator=(RunFolder&&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const host::Scratch& scratch() const { return scratch_; }
  // One line of events.jsonl, stamped; from any thread.
  void event(const std::string& department, Json event);

 private:
  RunFolder(std::string id, std::filesystem::path path, host::Scratch scratch, Clock& clock);
  std::string id_;
  std::filesystem::path path_;
  host::Scratch scratch_;
  Clock* clock_;
  std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>();
  std::ofstream events_;
};

}  // namespace patchlab::runners
