// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "process/calendar/zone.hpp"

// When a department may be patched: an iCalendar file (RFC 5545) whose events are windows and freezes. How people write
// one is in docs/process/calendar.md.
namespace patchlab::process {

struct CalendarEvent {
  enum class Kind { window, freeze } kind = Kind::window;
  std::size_t line = 0;  // where it begins
  std::string uid;
  std::string summary;                // for people
  std::set<std::string> departments;  // empty: all
  Zone zone;
  WallTime start;
  CalendarDuration duration;
  std::optional<Rule> rule;        // nothing: it is once
  std::vector<Moment> exceptions;  // starts that are none
  [[nodiscard]] bool is_for(const std::string& department) const {
    return departments.empty() || departments.contains(department);
  }
};
[[nodiscard]] const char* to_string(CalendarEvent::Kind kind);

struct Calendar {
  std::string file;
  std::string sha256;  // of its bytes
  std::vector<CalendarEvent> events;
  [[nodiscard]] std::set<std::string> departments() const;  // that it names
};

// Strict: an event that is neither WINDOW nor FREEZE, a zone that nobody knows, a rule that never recurs, an exception
// that takes nothing away are errors (configuration) that name file, line and next step. Of other people's properties
// only those are passed over that say nothing of when.
[[nodiscard]] Result<Calendar> parse_calendar(std::string_view text, const std::string& file_name);
[[nodiscard]] Result<Calendar> read_calendar(const std::filesystem::path& file);

struct Span {
  Moment from;
  Moment until;  // exclusive
  bool operator==(const Span&) const = default;
};

// A window on one day.
struct Window {
  const CalendarEvent* event = nullptr;
  Span span;
  std::vector<Span> open;                       // what freezes leave of it; empty: it is frozen
  std::vector<const CalendarEvent*> frozen_by;  // that take something of it
};
struct Freeze {
  const CalendarEvent* event = nullptr;
  Span span;
};
struct DepartmentDays {
  std::string department;
  std::vector<Window> windows;       // by begin
  std::vector<Freeze> freezes;       // by begin
  std::vector<std::string> remarks;  // of nights on which the clocks change
  [[nodiscard]] bool is_frozen(Moment when) const;
  [[nodiscard]] bool is_open(Moment when) const;
};
// What of a calendar, which must outlive the answer, touches [from, until). Pure.
[[nodiscard]] DepartmentDays days_of(const Calendar& calendar, const std::string& department, Moment from,
                                     Moment until);

// What is left of a span from `from` on: the first that is not over, cut at `from`. Nothing: none is.
struct NextOpening {
  const CalendarEvent* event = nullptr;
  Span span;
  Moment begin;          // of the span before it was cut: does not change with the moment of the question
  bool is_open = false;  // at that moment
};
[[nodiscard]] std::optional<NextOpening> next_opening(const DepartmentDays& days, Moment from);

// "2026-12-12 22:00 +01:00"
[[nodiscard]] std::string zone_time(const Zone& zone, Moment when);
// "4 h", "1 h 30 min", "45 s"
[[nodiscard]] std::string span_text(std::chrono::seconds time);

}  // namespace patchlab::process
