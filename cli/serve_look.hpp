// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/health_look.hpp"
#include "history/index/index.hpp"
#include "process/page/facts.hpp"

// What the page shows, looked at once, from all that knows some of it.
namespace patchlab::cli {

struct ServeLook {
  std::filesystem::path runs, stage;  // absolute
  std::filesystem::path lab_cache;    // of another user who runs the lab; empty: the caller's own
  std::filesystem::path scan;         // file of `scan --output`; empty: none was named
  std::filesystem::path acquired;     // what `acquire --json` printed; empty: none was named
  std::filesystem::path calendar;     // iCalendar file with the windows; empty: none was named
  std::int64_t scan_max_age_days = 8;
  history::HistoryPlace place;
  HealthQuestion health;
};
// Bring the index up to date. Whatever cannot be looked at is not known in the answer, with the reason.
// What is asked for process/page/monday.hpp only: the rest of the answer is not looked at.
[[nodiscard]] process::page::Facts look_for_monday(const ServeLook& look);
[[nodiscard]] process::page::Facts look_at_everything(const ServeLook& look);

}  // namespace patchlab::cli
