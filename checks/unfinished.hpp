// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "checks/check.hpp"

namespace patchlab::checks {

// For client libraries whose calls cannot be bounded: what was seen so far, recorded step by step from the library's
// thread.
class Progress {
 public:
  Progress();
  // Changes the observation under a lock.
  void record(const std::function<void(Observation&)>& change);

 private:
  friend Observation observe_within(Milliseconds deadline, const std::function<void(Progress)>& work);
  struct State;
  std::shared_ptr<State> state_;
};

// Runs `work` on a thread of its own and returns the observation it recorded. At the deadline returns what is there
// with "unfinished": true and leaves the thread behind: a server that hangs the library is an observation, and the
// worker process ends right after.
[[nodiscard]] Observation observe_within(Milliseconds deadline, const std::function<void(Progress)>& work);

}  // namespace patchlab::checks
