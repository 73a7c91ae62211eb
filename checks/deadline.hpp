// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "lab/core/time.hpp"

namespace patchlab::checks {

// One moment by which a whole exchange must be over: every step of an observer waits for what is left of it.
class Deadline {
 public:
  explicit Deadline(Milliseconds from_now) : end_(std::chrono::steady_clock::now() + from_now) {}
  // Never negative.
  [[nodiscard]] Milliseconds left() const {
    const auto rest = std::chrono::ceil<Milliseconds>(end_ - std::chrono::steady_clock::now());
    return rest < Milliseconds::zero() ? Milliseconds::zero() : rest;
  }
  [[nodiscard]] bool passed() const { return left() == Milliseconds::zero(); }
  // For poll(2).
  [[nodiscard]] int left_for_poll() const { return static_cast<int>(left().count()); }

 private:
  std::chrono::steady_clock::time_point end_;
};

}  // namespace patchlab::checks
