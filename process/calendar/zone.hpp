// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

// The two things that libical does for us, without its types: what a zone's clocks show, and when a rule of RFC 5545
// recurs. Why not more of it: docs/adr/0029-calendars-are-icalendar.md.
namespace patchlab::process {

// Of a clock on a wall, of no zone.
using WallTime = std::chrono::local_seconds;
using Moment = std::chrono::sys_seconds;

// Moments outside of these years are refused: libical knows no change of the clocks from 2038 on.
inline constexpr int first_year = 2000;
inline constexpr int last_year = 2037;

// A zone of the system's tzdata, one that a file describes itself, or UTC. A copy is the same zone.
class Zone {
 public:
  Zone();  // UTC
  // "Europe/Berlin" of the system's tzdata; nothing when it has no such zone.
  [[nodiscard]] static std::optional<Zone> of_system(const std::string& name);
  // A whole VTIMEZONE, line by line; an error (configuration) when it says nothing of offsets.
  [[nodiscard]] static Result<Zone> of_text(const std::string& name, const std::string& vtimezone);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::chrono::seconds offset_at(Moment when) const;

  // When the clocks show it. Where they go forward that is never: `when` is then what a clock that was not put forward
  // would say (RFC 5545, 3.3.5). Where they go back it is twice, and `when` the first of them.
  struct Shown {
    enum class Times { once, never, twice } times = Times::once;
    Moment when;
  };
  [[nodiscard]] Shown when(WallTime wall) const;
  [[nodiscard]] WallTime wall(Moment when) const { return WallTime(when.time_since_epoch() + offset_at(when)); }

 private:
  struct Loaded;
  std::string name_;
  std::shared_ptr<const Loaded> loaded_;
};

// When a rule ends: by whole days or by the wall's clock where the event has no zone, else by a moment.
struct RuleEnd {
  std::optional<Moment> moment;
  std::optional<WallTime> wall;
};
struct Rule {
  std::string text;  // without COUNT and UNTIL: they are asked here
  std::optional<std::uint64_t> count;
  RuleEnd until;
};
// An error (configuration) says what is wrong with it. Days and longer: what recurs by the hour is no window.
[[nodiscard]] Result<Rule> parse_rule(const std::string& text);
// Every start by the rule's text alone, beginning with the first one that is not before `start`, until `take` says
// false. False: the rule has no start at all.
bool each_start(const Rule& rule, WallTime start, const std::function<bool(WallTime)>& take);

// "20261212T220000", "20261212T220000Z", "20261212"
struct CalendarTime {
  WallTime wall;
  bool is_date = false;
  bool is_utc = false;
};
[[nodiscard]] std::optional<CalendarTime> parse_calendar_time(std::string_view text);

// "P1DT4H": days are of the calendar, the rest is exact.
struct CalendarDuration {
  std::chrono::days days{0};
  std::chrono::seconds exact{0};
  [[nodiscard]] bool is_positive() const { return days.count() > 0 || exact.count() > 0; }
};
[[nodiscard]] std::optional<CalendarDuration> parse_calendar_duration(const std::string& text);

}  // namespace patchlab::process
