// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/calendar/turn.hpp"
#include "promotion/deploy/handoff.hpp"

namespace CLI {
class App;
}

namespace patchlab::cli {

// --calendar, with PATCHLAB_CALENDAR.
void add_calendar_option(CLI::App& command, std::filesystem::path& file);

[[nodiscard]] process::Moment moment_now();
// "2026-12-12T21:00:00Z"
[[nodiscard]] std::string utc_text(process::Moment when);

// Puts what is promoted into the next window of its department, and says what does not fit; through the emergency lane
// it needs none. An error (configuration) when it may not be installed within the time that is looked at.
struct WindowTaken {
  std::optional<std::string> opens;  // for people; nothing: the emergency lane, at once
  std::string closes;
  bool open_now = false;
  std::vector<std::string> remarks;
};
[[nodiscard]] Result<WindowTaken> take_window(const process::Calendar& calendar, promotion::Handoff& handoff,
                                              process::Moment now, const std::optional<process::Needs>& needs);

}  // namespace patchlab::cli
