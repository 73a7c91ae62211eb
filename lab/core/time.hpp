// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab {

using Milliseconds = std::chrono::milliseconds;

// Time as the product sees it. Real: steady clock for waits, system clock for stamps. Tests advance a fake: no unit
// test sleeps.
class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic, from an arbitrary origin.
  [[nodiscard]] virtual Milliseconds now() const = 0;
  // Wall clock for records.
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall() const = 0;
  virtual void pause(Milliseconds duration) = 0;
};

[[nodiscard]] Clock& system_clock_source();

// RFC 3339 in UTC with milliseconds: 2026-11-22T06:02:50.123Z
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point when);
// What RFC 3339 writes in UTC with the letter Z, for moments on which something depends: "2026-11-22T06:02:50Z", with
// or without a fraction of up to nine digits. Absent for everything else: another zone or none, a day that the month
// does not have, a leap second, small letters, spaces, a year before 1970 or after 2199.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

// One wait: polls `done` until it returns true, the deadline passes or `stop` is requested. `awaited` is for the
// reader: "mail: TCP 25 answers". `last_seen`, when given, is asked once at the deadline and quoted in the error.
struct Wait {
  std::string awaited;
  Milliseconds deadline{};  // how long at most, from now
  Milliseconds interval{100};
  std::function<std::string()> last_seen;
  std::stop_token stop;
};
// The time it took, or a timeout error / cancelled error.
[[nodiscard]] Result<Milliseconds> wait_until(Clock& clock, const Wait& wait, const std::function<bool()>& done);

}  // namespace patchlab
