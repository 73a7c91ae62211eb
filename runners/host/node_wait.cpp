// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/node_wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace patchlab::runners::host {
namespace {

constexpr Milliseconds look_every{5000};

// Looks from a thread of its own, as whoever asked the cell waits for the answer.
class Looks {
 public:
  Looks(cell::CellClient& cell, const cell::Launch& launch, const NodeWait& wait)
      : cell_(cell), launch_(launch), wait_(wait), thread_([this](const std::stop_token& stop) { look(stop); }) {}

  // No more of them.
  void end() {
    thread_.request_stop();
    thread_.join();
  }
  [[nodiscard]] bool gave_up() const { return gave_up_; }
  [[nodiscard]] const std::string& last() const { return last_; }

 private:
  void look(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any tick;
    std::unique_lock lock(mutex);
    for (;;) {
      const auto left = wait_.began + wait_.limit - wait_.clock.now();
      if (tick.wait_for(lock, stop, std::clamp(left, Milliseconds(0), look_every),
                        [&] { return stop.stop_requested(); }))
        return;
      auto sentence = launch_.waits_for(stop);
      if (stop.stop_requested()) return;
      if (!sentence.empty() && sentence != last_) {
        wait_.tell(sentence);
        last_ = std::move(sentence);
      }
      if (wait_.clock.now() < wait_.began + wait_.limit) continue;
      gave_up_ = true;
      return cell_.close();
    }
  }

  cell::CellClient& cell_;
  const cell::Launch& launch_;
  const NodeWait& wait_;
  std::string last_;
  bool gave_up_ = false;
  std::jthread thread_;
};

}  // namespace

Result<cell::Place> await_place(cell::CellClient& cell, const cell::Launch& launch, const cell::PlaceQuestion& question,
                                const NodeWait& wait) {
  Looks looks(cell, launch, wait);
  auto place = cell.place(question);
  looks.end();
  if (!looks.gave_up()) return place;
  return infrastructure_error(
      fmt::format("it ran on no node when the run was at its deadline of {} s{}{}", wait.limit.count() / 1000,
                  looks.last().empty() ? "" : ": ", looks.last()),
      "\"run_deadline_s\" of the scenario counts from the begin of the run, with what departments wait for nodes");
}

}  // namespace patchlab::runners::host
