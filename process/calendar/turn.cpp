// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/calendar/turn.hpp"

#include <algorithm>

#include "lab/core/printable.hpp"

namespace patchlab::process {
namespace {

using namespace std::chrono;

bool beats_freezes(const Promoted& promoted) {
  return promoted.emergency && promoted.approvals >= approvals_against_freeze;
}

const Freeze* freeze_at(const DepartmentDays& days, Moment when) {
  const Freeze* last = nullptr;
  for (const auto& freeze : days.freezes) {
    if (freeze.span.from <= when && when < freeze.span.until &&
        (last == nullptr || last->span.until < freeze.span.until))
      last = &freeze;
  }
  return last;
}

}  // namespace

Turn turn_of(const DepartmentDays& days, Moment now, const Promoted& promoted) {
  Turn turn;
  if (promoted.emergency) {
    const auto* freeze = freeze_at(days, now);
    if (freeze == nullptr || beats_freezes(promoted)) {
      turn.kind = Turn::Kind::emergency_lane;
      return turn;
    }
    turn.why = fmt::format(
        "it came through the emergency lane, and is frozen by '{}' until {}: {} approvals beat that, and "
        "it has {}",
        printable(freeze->event->summary), zone_time(freeze->event->zone, freeze->span.until), approvals_against_freeze,
        promoted.approvals);
    return turn;
  }
  if (const auto next = next_opening(days, now)) {
    turn.kind = Turn::Kind::window;
    turn.opening = *next;
    return turn;
  }
  const bool all_frozen = !days.windows.empty();
  turn.why = fmt::format("department '{}' has no window within {} days{}", printable(days.department),
                         farthest_window.count(), all_frozen ? " that is not over or frozen" : "");
  return turn;
}

const char* to_string(Fit fit) {
  switch (fit) {
    case Fit::one_after_another: return "one-after-another";
    case Fit::side_by_side: return "side-by-side";
    case Fit::no: return "no";
    case Fit::unknown: return "unknown";
  }
  return "";
}

Fit fit_of(const Span& opening, const std::optional<Needs>& needs) {
  if (!needs) return Fit::unknown;
  const milliseconds there = opening.until - opening.from;
  if (needs->one_after_another <= there) return Fit::one_after_another;
  return needs->side_by_side <= there ? Fit::side_by_side : Fit::no;
}

const char* to_string(Inside inside) {
  switch (inside) {
    case Inside::inside: return "inside";
    case Inside::cannot_tell: return "cannot-tell";
    case Inside::outside: return "outside";
  }
  return "";
}

Inside inside_of(const DepartmentDays& days, const Span& possible, const Promoted& promoted) {
  if (beats_freezes(promoted)) return Inside::inside;
  if (promoted.emergency) {
    const auto touches = std::ranges::any_of(days.freezes, [&](const Freeze& one) {
      return one.span.from < possible.until && possible.from < one.span.until;
    });
    if (!touches) return Inside::inside;
    const auto covers = std::ranges::any_of(days.freezes, [&](const Freeze& one) {
      return one.span.from <= possible.from && possible.until <= one.span.until;
    });
    return covers ? Inside::outside : Inside::cannot_tell;
  }
  bool touches = false;
  for (const auto& window : days.windows) {
    for (const auto& span : window.open) {
      if (span.from <= possible.from && possible.until <= span.until) return Inside::inside;
      touches = touches || (span.from < possible.until && possible.from < span.until);
    }
  }
  return touches ? Inside::cannot_tell : Inside::outside;
}

std::optional<Span> moment_of_wall(const DepartmentDays& days, WallTime wall) {
  const Zone* zone = nullptr;
  for (const auto& window : days.windows) {
    if (zone != nullptr && zone->name() != window.event->zone.name()) return std::nullopt;
    zone = &window.event->zone;
  }
  if (zone == nullptr) return std::nullopt;
  const auto shown = zone->when(wall);
  const auto long_enough = shown.times == Zone::Shown::Times::twice ? seconds(hours(2)) : seconds(1);
  return Span{shown.when, shown.when + long_enough};
}

}  // namespace patchlab::process
