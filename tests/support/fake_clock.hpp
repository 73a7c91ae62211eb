// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "lab/core/time.hpp"

namespace patchlab::test {

// Time that passes only when somebody waits or the test says so. Safe to use from several threads.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] Milliseconds now() const override { return Milliseconds{now_.load()}; }
  [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
    // 2026-11-22T06:00:00Z when the clock starts.
    return std::chrono::system_clock::time_point{std::chrono::seconds(1795327200)} + now();
  }
  void pause(Milliseconds duration) override { advance(duration); }
  void advance(Milliseconds duration) { now_ += duration.count(); }

 private:
  std::atomic<Milliseconds::rep> now_{0};
};

}  // namespace patchlab::test
