// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>

#include <algorithm>

#include "lab/core/printable.hpp"
#include "process/calendar/calendar.hpp"

namespace patchlab::process {
namespace {

using namespace std::chrono;

// The starts of one event, as RFC 5545 counts them.
class Starts {
 public:
  Starts(const CalendarEvent& event, Span range, std::vector<std::string>& remarks)
      : event_(event), range_(range), remarks_(remarks) {}

  void each(const std::function<void(Span)>& take) {
    if (!event_.rule) {
      static_cast<void>(look(event_.start, take));
      return;
    }
    each_start(*event_.rule, event_.start, [&](WallTime wall) { return look(wall, take); });
  }

 private:
  // Whether there may be more.
  bool look(WallTime wall, const std::function<void(Span)>& take) {
    const auto shown = event_.zone.when(wall);
    if (event_.rule) {
      const auto& until = event_.rule->until;
      if ((until.moment && shown.when > *until.moment) || (until.wall && wall > *until.wall)) return false;
      if (event_.rule->count && counted_ >= *event_.rule->count) return false;
    }
    if (shown.when >= range_.until) return false;
    const Span span{shown.when, end_of(wall, shown.when)};
    const bool is_asked = span.until > range_.from;
    const bool is_taken_away = std::ranges::count(event_.exceptions, shown.when) > 0;
    if (shown.times == Zone::Shown::Times::never && event_.rule && event_.kind == CalendarEvent::Kind::window) {
      // RFC 5545, 3.3.10: ignored, and not counted. But not in silence; and a freeze is rather kept than lost.
      if (is_asked && !is_taken_away) remark(wall, "does not exist, since the clocks go forward: no window that night");
      return true;
    }
    ++counted_;
    if (is_taken_away || !is_asked) return true;
    if (shown.times == Zone::Shown::Times::never)
      remark(wall, "does not exist, since the clocks go forward: it begins at " + zone_time(event_.zone, shown.when));
    if (shown.times == Zone::Shown::Times::twice)
      remark(wall,
             "is shown twice, since the clocks go back: it begins at the first, " + zone_time(event_.zone, shown.when));
    take(span);
    return true;
  }

  [[nodiscard]] Moment end_of(WallTime wall, Moment from) const {
    const auto last = event_.duration.days.count() == 0 ? from : event_.zone.when(wall + event_.duration.days).when;
    return last + event_.duration.exact;
  }

  void remark(WallTime wall, const std::string& text) {
    const auto since = wall.time_since_epoch();
    remarks_.push_back(fmt::format("{} '{}': {:%Y-%m-%d %H:%M} in {} {}", to_string(event_.kind), event_.summary,
                                   fmt::gmtime(static_cast<std::time_t>(since.count())), event_.zone.name(), text));
  }

  const CalendarEvent& event_;
  const Span range_;
  std::vector<std::string>& remarks_;
  std::uint64_t counted_ = 0;
};

void take_away(Window& window, const Freeze& freeze) {
  std::vector<Span> left;
  bool cut = false;
  for (const auto& span : window.open) {
    if (freeze.span.until <= span.from || freeze.span.from >= span.until) {
      left.push_back(span);
      continue;
    }
    cut = true;
    if (span.from < freeze.span.from) left.push_back({span.from, freeze.span.from});
    if (freeze.span.until < span.until) left.push_back({freeze.span.until, span.until});
  }
  window.open = std::move(left);
  if (cut) window.frozen_by.push_back(freeze.event);
}

bool is_in(const Span& span, Moment when) { return span.from <= when && when < span.until; }

}  // namespace

DepartmentDays days_of(const Calendar& calendar, const std::string& department, Moment from, Moment until) {
  DepartmentDays days;
  days.department = department;
  std::vector<std::string> remarks;
  for (const auto& event : calendar.events) {
    if (!event.is_for(department)) continue;
    Starts(event, {from, until}, remarks).each([&](Span span) {
      if (event.kind == CalendarEvent::Kind::window)
        days.windows.push_back({&event, span, {span}, {}});
      else
        days.freezes.push_back({&event, span});
    });
  }
  std::ranges::stable_sort(days.windows, {}, [](const Window& one) { return one.span.from; });
  std::ranges::stable_sort(days.freezes, {}, [](const Freeze& one) { return one.span.from; });
  // A window that begins before `until` ends after it, and a freeze may begin in between.
  Moment last = until;
  for (const auto& window : days.windows) last = std::max(last, window.span.until);
  auto freezes = days.freezes;
  if (last > until) {
    std::vector<std::string> said;
    for (const auto& event : calendar.events) {
      if (event.kind != CalendarEvent::Kind::freeze || !event.is_for(department)) continue;
      Starts(event, {until, last}, said).each([&](Span span) {
        if (span.from >= until) freezes.push_back({&event, span});
      });
    }
  }
  // And one that is over before `from` may have cut the begin of a window that is not: it begins as it did before.
  Moment first = from;
  for (const auto& window : days.windows) first = std::min(first, window.span.from);
  if (first < from) {
    std::vector<std::string> said;
    for (const auto& event : calendar.events) {
      if (event.kind != CalendarEvent::Kind::freeze || !event.is_for(department)) continue;
      Starts(event, {first, from}, said).each([&](Span span) {
        if (span.until <= from) freezes.push_back({&event, span});
      });
    }
  }
  for (auto& window : days.windows) {
    for (const auto& freeze : freezes) take_away(window, freeze);
  }
  days.remarks = std::move(remarks);
  return days;
}

bool DepartmentDays::is_frozen(Moment when) const {
  return std::ranges::any_of(freezes, [&](const Freeze& one) { return is_in(one.span, when); });
}
bool DepartmentDays::is_open(Moment when) const {
  return std::ranges::any_of(windows, [&](const Window& window) {
    return std::ranges::any_of(window.open, [&](const Span& span) { return is_in(span, when); });
  });
}

std::optional<NextOpening> next_opening(const DepartmentDays& days, Moment from) {
  std::optional<NextOpening> next;
  for (const auto& window : days.windows) {
    for (const auto& span : window.open) {
      if (span.until <= from) continue;
      const Span left{std::max(span.from, from), span.until};
      if (!next || left.from < next->span.from || (left.from == next->span.from && left.until > next->span.until))
        next = NextOpening{window.event, left, span.from, span.from <= from};
    }
  }
  return next;
}

std::string zone_time(const Zone& zone, Moment when) {
  const auto offset = duration_cast<minutes>(zone.offset_at(when));
  const auto wall = zone.wall(when).time_since_epoch();
  return fmt::format("{:%Y-%m-%d %H:%M} {}{:02}:{:02}", fmt::gmtime(static_cast<std::time_t>(wall.count())),
                     offset.count() < 0 ? '-' : '+', std::abs(offset.count()) / 60, std::abs(offset.count()) % 60);
}

std::string span_text(seconds time) {
  const auto total = time.count();
  const auto part = [](std::int64_t count, const char* unit) {
    return count == 0 ? std::string() : fmt::format("{} {}", count, unit);
  };
  const auto join = [](std::string a, const std::string& b) {
    if (a.empty()) return b;
    if (!b.empty()) a += " " + b;
    return a;
  };
  if (total >= 86400) return join(part(total / 86400, "d"), part(total % 86400 / 3600, "h"));
  if (total >= 3600) return join(part(total / 3600, "h"), part(total % 3600 / 60, "min"));
  if (total >= 60) return join(part(total / 60, "min"), part(total % 60, "s"));
  return fmt::format("{} s", total);
}

}  // namespace patchlab::process
