// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/time.hpp"

#include <fmt/chrono.h>

#include <thread>

namespace patchlab {
namespace {
class SystemClock final : public Clock {
 public:
  Milliseconds now() const override {
    return std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now().time_since_epoch());
  }
  std::chrono::system_clock::time_point wall() const override { return std::chrono::system_clock::now(); }
  void pause(Milliseconds duration) override { std::this_thread::sleep_for(duration); }
};
}  // namespace

Clock& system_clock_source() {
  static SystemClock clock;
  return clock;
}

std::string rfc3339(std::chrono::system_clock::time_point when) {
  const auto milliseconds = std::chrono::floor<Milliseconds>(when.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds.count())),
                     (milliseconds - seconds).count());
}

Result<Milliseconds> wait_until(Clock& clock, const Wait& wait, const std::function<bool()>& done) {
  const auto start = clock.now();
  for (;;) {
    if (done()) return clock.now() - start;
    if (wait.stop.stop_requested()) {
      return Error{ErrorClass::cancelled, "cancelled while waiting for " + wait.awaited, {}};
    }
    const auto elapsed = clock.now() - start;
    if (elapsed >= wait.deadline) {
      auto message = fmt::format("{} did not happen within {:.1f} s", wait.awaited,
                                 std::chrono::duration<double>(wait.deadline).count());
      if (wait.last_seen) message += " (last seen: " + wait.last_seen() + ")";
      return timeout_error(std::move(message));
    }
    clock.pause(std::min(wait.interval, wait.deadline - elapsed));
  }
}

}  // namespace patchlab
