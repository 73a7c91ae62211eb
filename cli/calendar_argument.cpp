// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/calendar_argument.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"

namespace patchlab::cli {

using namespace process;

void add_calendar_option(CLI::App& command, std::filesystem::path& file) {
  command.add_option("--calendar", file, "iCalendar file (.ics) with the windows and freezes of departments")
      ->envname("PATCHLAB_CALENDAR");
}

Moment moment_now() { return std::chrono::floor<std::chrono::seconds>(system_clock_source().wall()); }

std::string utc_text(Moment when) { return rfc3339(when).substr(0, 19) + "Z"; }

Result<WindowTaken> take_window(const Calendar& calendar, promotion::Handoff& handoff, Moment now,
                                const std::optional<Needs>& needs) {
  const auto days = days_of(calendar, handoff.department, now, now + farthest_window);
  const auto turn = turn_of(days, now, {handoff.emergency, handoff.approved_by.size()});
  WindowTaken taken;
  switch (turn.kind) {
    case Turn::Kind::none:
      return configuration_error(
          fmt::format("{}: {}", printable(calendar.file), turn.why),
          "patchlab calendar shows windows and freezes; without --calendar it is exported for any time");
    case Turn::Kind::emergency_lane: return taken;
    case Turn::Kind::window: break;
  }
  const auto& [event, span, begin, is_open] = turn.opening;
  promotion::put_into_window(
      handoff, {event->summary, utc_text(begin), utc_text(span.until), event->zone.name(), calendar.sha256});
  if (const auto end = parse_rfc3339(handoff.not_after); end && *end <= span.from)
    return configuration_error(fmt::format("what was promoted in '{}' ends on {}, before its next window opens on {}",
                                           printable(handoff.department), handoff.not_after, utc_text(span.from)),
                               "promote a newer run, or the same one with a waiver that holds longer");
  taken.opens = zone_time(event->zone, begin);
  taken.open_now = is_open;
  taken.closes = zone_time(event->zone, span.until);
  switch (fit_of(span, needs)) {
    case Fit::one_after_another: break;
    case Fit::side_by_side: taken.remarks.push_back("it fits only when machines are patched side by side"); break;
    case Fit::no: taken.remarks.push_back("it does not fit: the slowest machine alone takes longer than that"); break;
    case Fit::unknown: taken.remarks.push_back("nobody measured how long it takes"); break;
  }
  return taken;
}

}  // namespace patchlab::cli
