// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/page/facts.hpp"

// One list for the person who has to decide: what is overdue, what is at risk, and what a failed test blocks. Pure.
namespace patchlab::process::page {

// An update that a department lacks. At risk: it is exploited, or due before its department's next window closes; where
// nobody knows that window, within this many days.
inline constexpr int days_at_risk = 7;
struct MondayRow {
  std::string department, update;
  std::vector<std::string> machines;  // that lack it
  bool overdue = false;
  bool at_risk = false;
  bool blocked = false;  // it failed in the newest run of its department, or of the one tested for it; or is known bad
  std::string due;       // a day; empty: none
  std::vector<std::string> why;  // a sentence each
  std::string next;              // what to do
  std::string run;               // in which it failed; empty: in none
  bool operator==(const MondayRow&) const = default;
};
// "overdue, blocked"
[[nodiscard]] std::string words_of(const MondayRow& row);

struct Monday {
  std::string scan_day;                // of the scan that was asked; empty: there is none
  std::vector<MondayRow> rows;         // overdue ones first, then those at risk, each by due date
  std::vector<std::string> not_known;  // without which the list may be too short, a sentence each
};
[[nodiscard]] Monday monday_of(const Facts& facts);

}  // namespace patchlab::process::page
