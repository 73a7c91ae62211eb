// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

#include "lab/core/time.hpp"

namespace patchlab::checks {

// A point on the steady clock by which an observer must be done.
class Deadline {
 public:
  explicit Deadline(Milliseconds from_now) : start_(Steady::now()), end_(start_ + from_now) {}
  [[nodiscard]] Milliseconds remaining() const {
    return std::max(Milliseconds(0), std::chrono::ceil<Milliseconds>(end_ - Steady::now()));
  }
  [[nodiscard]] Milliseconds elapsed() const { return std::chrono::floor<Milliseconds>(Steady::now() - start_); }
  [[nodiscard]] bool passed() const { return Steady::now() >= end_; }
  // A shorter wait inside this one.
  [[nodiscard]] Deadline within(Milliseconds from_now) const { return Deadline(std::min(from_now, remaining())); }

 private:
  using Steady = std::chrono::steady_clock;
  Steady::time_point start_;
  Steady::time_point end_;
};

}  // namespace patchlab::checks
