// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "process/schedule/calendar_event.hpp"
#include "process/schedule/units.hpp"

// Whether what should have run by itself did begin.
namespace patchlab::process {

// Of one part ("nightly"), as it lies in a folder of units.
struct PartSeen {
  std::string name;
  std::string timer;         // its text; empty: it is not installed
  bool is_enabled = false;   // timers.target wants it
  bool has_drop_in = false;  // somebody changed it beside its file
  TimerTime installed;       // since when the timer lies there
  bool has_service = true;   // which the timer starts
  std::optional<TimerTime> begun;
  std::string unknown{};  // why it cannot be said how it stands, a sentence; empty: it can
};
struct PartStanding {
  enum class Verdict {
    not_installed,
    well,
    missed,    // it should have begun, and did not
    disabled,  // it is installed, and nothing starts it
    not_told,  // it is changed, so that nobody can say when it should have begun
    unknown,   // it could not be looked at
  } verdict = Verdict::not_installed;
  std::string name;
  std::string on_calendar;
  bool is_changed = false;  // it is not as it was installed
  std::optional<TimerTime> due;
  std::optional<TimerTime> begun;  // since it was installed
  std::string says;                // a sentence
};
[[nodiscard]] const char* to_string(PartStanding::Verdict verdict);
// How late something may begin: timers are exact to a minute, and a host that has just been started is busy.
inline constexpr std::chrono::minutes late_begin{30};
// Pure.
[[nodiscard]] PartStanding standing_of_part(const PartSeen& seen, TimerTime now);

// Of every part there is, in the order of the templates; of a folder in which none is, all are not installed. What
// drop-ins change counts, and times are those of the host's zone, whatever TZ says here. An error: the folder cannot be
// looked at.
[[nodiscard]] Result<std::vector<PartStanding>> look_at_schedule(const std::filesystem::path& units,
                                                                 std::chrono::system_clock::time_point now);

}  // namespace patchlab::process
