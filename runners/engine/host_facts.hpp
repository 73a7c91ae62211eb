// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "lab/process/process.hpp"

namespace patchlab::runners {

// For the record: kernel, cpus, memory, versions.
[[nodiscard]] std::map<std::string, std::string> host_facts(ProcessRunner& processes);

// Resident memory of this process and everything below it, sampled once a second while the object lives.
class MemorySampler {
 public:
  MemorySampler();
  // Highest sum seen, KiB. Shared pages count for each process that maps them, so the figure is never too low.
  [[nodiscard]] std::int64_t peak_kib() const;
  // The last sum, KiB.
  [[nodiscard]] std::int64_t now_kib() const;

 private:
  mutable std::mutex mutex_;
  std::int64_t now_kib_ = 0;
  std::int64_t peak_kib_ = 0;
  std::jthread thread_;
};

}  // namespace patchlab::runners
