// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/unfinished.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace patchlab::checks {

struct Progress::State {
  std::mutex mutex;
  std::condition_variable changed;
  Observation observation = Json::object();
  bool done = false;
};

Progress::Progress() : state_(std::make_shared<State>()) {}

void Progress::record(const std::function<void(Observation&)>& change) {
  const std::lock_guard lock(state_->mutex);
  change(state_->observation);
}

Observation observe_within(Milliseconds deadline, const std::function<void(Progress)>& work) {
  const Progress progress;
  const auto state = progress.state_;
  std::thread([work, progress, state] {
    work(progress);
    const std::lock_guard lock(state->mutex);
    state->done = true;
    state->changed.notify_all();
  }).detach();
  std::unique_lock lock(state->mutex);
  const bool done = state->changed.wait_for(lock, deadline, [&] { return state->done; });
  auto observation = state->observation;
  if (!done) observation["unfinished"] = true;
  return observation;
}

}  // namespace patchlab::checks
