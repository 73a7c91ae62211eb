// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/lookout.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "lab/core/time.hpp"

namespace patchlab::cli {

namespace page = process::page;
using Clock = std::chrono::steady_clock;

struct Lookout::State {
  Look look;
  Patience patience;
  std::function<void(const std::string&)> on_bug;

  mutable std::mutex mutex;
  std::condition_variable changed;
  bool is_to_end = false;
  bool has_ended = false;
  std::shared_ptr<const page::Facts> facts;
  Clock::time_point taken;
  std::string failed;  // the last look, and why; empty: it did not

  void run() {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, patience.every, [&] { return is_to_end; })) {
      lock.unlock();
      const auto began = Clock::now();
      std::shared_ptr<const page::Facts> seen;
      std::string bug;
      try {
        seen = std::make_shared<const page::Facts>(look());
      } catch (const std::exception& thrown) {
        bug = thrown.what();
        on_bug(bug);
      }
      lock.lock();
      failed = bug;
      if (seen) facts = std::move(seen), taken = began;
    }
    has_ended = true;
    changed.notify_all();
  }
};

Lookout::Lookout(Look look, Patience patience, std::function<void(const std::string&)> on_bug)
    : state_(std::make_shared<State>()) {
  state_->look = std::move(look);
  state_->patience = patience;
  state_->on_bug = std::move(on_bug);
  state_->taken = Clock::now();
  state_->facts = std::make_shared<const page::Facts>(state_->look());
  std::thread([state = state_] { state->run(); }).detach();
}

Lookout::~Lookout() {
  std::unique_lock lock(state_->mutex);
  state_->is_to_end = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, state_->patience.end, [&] { return state_->has_ended; });
}

std::shared_ptr<const page::Facts> Lookout::facts() const {
  const std::lock_guard lock(state_->mutex);
  const auto taken = rfc3339(state_->facts->taken);
  if (!state_->failed.empty())
    return std::make_shared<const page::Facts>(page::out_of_date(
        *state_->facts,
        fmt::format("the last look failed, which is a bug in patchlab ({}); before that one was made at {}",
                    state_->failed, taken)));
  if (Clock::now() - state_->taken > state_->patience.most)
    return std::make_shared<const page::Facts>(page::out_of_date(
        *state_->facts, fmt::format("the last look was made at {}, and the next one does not end", taken)));
  return state_->facts;
}

}  // namespace patchlab::cli
