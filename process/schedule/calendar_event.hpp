// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>

// When a timer of systemd should have started something last. Pure; times are those on the host's wall.
namespace patchlab::process {

using TimerTime = std::chrono::local_seconds;

// What our timers say in OnCalendar=: "Sat *-*-1..7,15..21 06:00", "*-*-* 22:00".
struct TimerDays {
  std::set<unsigned> weekdays;  // as std::chrono counts, from Sunday = 0; empty: all
  std::set<unsigned> days;      // of the month; empty: all
  std::chrono::minutes at{0};   // since midnight
  bool operator==(const TimerDays&) const = default;
};
// Nothing: it is another form of the many that systemd knows, and nobody can tell.
[[nodiscard]] std::optional<TimerDays> timer_days(std::string_view on_calendar);
// The last one that is not after `now`; nothing: none within a year.
[[nodiscard]] std::optional<TimerTime> last_due(const TimerDays& days, TimerTime now);

// The longest time from one to the next, whichever month and year; nothing: it comes never.
[[nodiscard]] std::optional<std::chrono::days> longest_gap(const TimerDays& days);

// "22:00"
[[nodiscard]] std::optional<std::chrono::minutes> time_of_day(std::string_view text);

}  // namespace patchlab::process
