// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "lab/core/file_lock.hpp"
#include "lab/core/time.hpp"

namespace patchlab::runners::cell {

// "slot-0": the file of a slot, which exists before the cells do.
[[nodiscard]] std::string slot_name(std::size_t number);

// Shares the host's processors among the cells of all runs with one cache: whoever does something heavy (boot, install,
// reboot, checks) holds one of a fixed number of slots. Overcommitted emulation turns slow guests into timeouts, and a
// timeout must never look like a bad patch. A slot is an flock on a file, so a killed process gives its slots back by
// dying.
class Slots {
 public:
  Slots(std::filesystem::path folder, std::size_t count, Clock& clock)
      : folder_(std::move(folder)), count_(count), clock_(clock) {}
  // Waits until one is free; only cancellation and a broken folder are errors.
  [[nodiscard]] Result<FileLock> acquire(std::stop_token stop) const;

 private:
  std::filesystem::path folder_;
  std::size_t count_;
  Clock& clock_;
};

}  // namespace patchlab::runners::cell
