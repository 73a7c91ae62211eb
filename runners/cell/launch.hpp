// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/process/process.hpp"

namespace patchlab::runners::cell {

// How one cell is started elsewhere than as a child of the run, by a program that passes its standard streams on: an
// executor (runners/host/executor.hpp) makes one for each cell. Any thread.
class Launch {
 public:
  virtual ~Launch() = default;
  // `command` (the program first) as a process of this host.
  [[nodiscard]] virtual ProcessSpec process(const std::vector<std::string>& command) const = 0;
  // While the cell has said nothing yet: what it waits for, as a sentence; empty: not known.
  [[nodiscard]] virtual std::string waits_for(const std::stop_token& stop) const = 0;
  // After that process ended and nobody had asked it to: what happened, and what to do about it.
  [[nodiscard]] virtual Error why_gone(const ProcessOutcome& outcome) const = 0;
  // Whatever of it waits or runs anywhere is to end.
  virtual void cancel() const = 0;
};

}  // namespace patchlab::runners::cell
