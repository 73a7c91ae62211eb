// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "process/calendar/calendar.hpp"

// Whose turn it is: what was promoted, against the days of its department. Pure.
namespace patchlab::process {

// How far windows are looked for: what recurs once a year is found.
inline constexpr std::chrono::days farthest_window{400};
// A freeze beats a window. What came through the emergency lane waits for no window, and beats a freeze when this many
// people approved it.
inline constexpr std::size_t approvals_against_freeze = 2;

struct Promoted {
  bool emergency = false;
  std::size_t approvals = 0;
};
struct Turn {
  enum class Kind { window, emergency_lane, none } kind = Kind::none;
  NextOpening opening{};  // of a window: what is left of it
  std::string why;        // there is none, a sentence
};
[[nodiscard]] Turn turn_of(const DepartmentDays& days, Moment now, const Promoted& promoted);

// Whether measured times fit. The smaller one is that of the slowest machine, when all are patched at once.
enum class Fit { one_after_another, side_by_side, no, unknown };
[[nodiscard]] const char* to_string(Fit fit);
struct Needs {
  std::chrono::milliseconds side_by_side{0};
  std::chrono::milliseconds one_after_another{0};
};
[[nodiscard]] Fit fit_of(const Span& opening, const std::optional<Needs>& needs);

// Whether something was done within a window that is known to have been done at some moment of `possible`.
enum class Inside { inside, cannot_tell, outside };  // the worse, the later
[[nodiscard]] const char* to_string(Inside inside);
[[nodiscard]] Inside inside_of(const DepartmentDays& days, const Span& possible, const Promoted& promoted);
// What a clock on a wall of the department showed: of its only zone, in both hours where the clocks go back. Nothing
// when its windows are in several zones or in none.
[[nodiscard]] std::optional<Span> moment_of_wall(const DepartmentDays& days, WallTime wall);

}  // namespace patchlab::process
