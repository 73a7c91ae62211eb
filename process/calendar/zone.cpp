// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/calendar/zone.hpp"

// Its headers do not build with our warnings, and define words as common as TRUE.
#include <libical/ical.h>

#include <array>
#include <map>
#include <mutex>

#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

using namespace std::chrono;

// Recursive: whoever takes starts of a rule asks for their zone. libical keeps its list of zones, and the changes of
// each that it has worked out so far, in globals.
std::recursive_mutex& library() {
  static std::recursive_mutex mutex;
  static const bool is_set_up = [] {
    icalerror_set_errors_are_fatal(0);
    icalerror_clear_errno();
    // What Debian's package does, and another build may not: else zones come from files as old as the library.
    icaltimezone_set_builtin_tzdata(0);
    return true;
  }();
  static_cast<void>(is_set_up);
  return mutex;
}

icaltimetype to_ical(seconds since_epoch, bool is_utc) {
  const auto day = floor<days>(since_epoch);
  const year_month_day date{sys_days(day)};
  const hh_mm_ss time(since_epoch - day);
  icaltimetype out = icaltime_null_time();
  out.year = static_cast<int>(date.year());
  out.month = static_cast<int>(static_cast<unsigned>(date.month()));
  out.day = static_cast<int>(static_cast<unsigned>(date.day()));
  out.hour = static_cast<int>(time.hours().count());
  out.minute = static_cast<int>(time.minutes().count());
  out.second = static_cast<int>(time.seconds().count());
  out.is_date = 0;
  if (is_utc) out.zone = icaltimezone_get_utc_timezone();
  return out;
}

WallTime wall_of(const icaltimetype& time) {
  const auto date = year{time.year} / month{static_cast<unsigned>(time.month)} / day{static_cast<unsigned>(time.day)};
  return WallTime(sys_days(date).time_since_epoch() + hours(time.hour) + minutes(time.minute) + seconds(time.second));
}

std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

struct Zone::Loaded {
  icaltimezone* zone = nullptr;
  bool is_owned = false;
  ~Loaded() {
    if (!is_owned) return;
    const std::lock_guard lock(library());
    icaltimezone_free(zone, 1);
  }
};

Zone::Zone() : name_("UTC") {}

std::optional<Zone> Zone::of_system(const std::string& name) {
  if (name == "UTC" || name == "Etc/UTC") return Zone();
  // Only what can be a name of tzdata: libical looks for others in its own prefixes, or as a file.
  if (name.empty() || name.size() > 60 || name.find("..") != std::string::npos) return std::nullopt;
  for (const char c : name) {
    if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '/' && c != '_' && c != '-' &&
        c != '+')
      return std::nullopt;
  }
  const std::lock_guard lock(library());
  auto* found = icaltimezone_get_builtin_timezone(name.c_str());
  // The list has names of which tzdata has no file: then there is no component.
  if (found == nullptr || icaltimezone_get_component(found) == nullptr) return std::nullopt;
  Zone zone;
  zone.name_ = name;
  auto loaded = std::make_shared<Loaded>();
  loaded->zone = found;
  zone.loaded_ = std::move(loaded);
  return zone;
}

Result<Zone> Zone::of_text(const std::string& name, const std::string& vtimezone) {
  const std::lock_guard lock(library());
  auto* component = icalparser_parse_string(vtimezone.c_str());
  const auto refuse = [&](const char* why) -> Error {
    if (component != nullptr) icalcomponent_free(component);
    return configuration_error(fmt::format("the VTIMEZONE '{}' {}", printable(name), why),
                               "name a zone as tzdata does, such as Europe/Berlin: then none needs to be in the file");
  };
  if (component == nullptr || icalcomponent_isa(component) != ICAL_VTIMEZONE_COMPONENT) return refuse("cannot be read");
  for (auto* part = icalcomponent_get_first_component(component, ICAL_ANY_COMPONENT); part != nullptr;
       part = icalcomponent_get_next_component(component, ICAL_ANY_COMPONENT)) {
    if (icalcomponent_get_first_property(part, ICAL_TZOFFSETTO_PROPERTY) == nullptr ||
        icalcomponent_get_first_property(part, ICAL_TZOFFSETFROM_PROPERTY) == nullptr ||
        icalcomponent_get_first_property(part, ICAL_DTSTART_PROPERTY) == nullptr)
      return refuse("has a part without DTSTART, TZOFFSETFROM or TZOFFSETTO");
  }
  if (icalcomponent_get_first_component(component, ICAL_ANY_COMPONENT) == nullptr)
    return refuse("has neither STANDARD nor DAYLIGHT");
  auto* made = icaltimezone_new();
  if (icaltimezone_set_component(made, component) == 0) {
    icaltimezone_free(made, 1);
    return refuse("has no TZID");
  }
  Zone zone;
  zone.name_ = name;
  auto loaded = std::make_shared<Loaded>();
  loaded->zone = made;
  loaded->is_owned = true;
  zone.loaded_ = std::move(loaded);
  return zone;
}

seconds Zone::offset_at(Moment when) const {
  if (loaded_ == nullptr) return seconds(0);
  const std::lock_guard lock(library());
  auto utc = to_ical(when.time_since_epoch(), true);
  int is_daylight = 0;
  return seconds(icaltimezone_get_utc_offset_of_utc_time(loaded_->zone, &utc, &is_daylight));
}

// libical's own way back (icaltimezone_get_utc_offset) takes the second of two times and says neither that there are
// two nor that there is none. The other direction has one answer, so it is asked on both sides of a change.
Zone::Shown Zone::when(WallTime wall) const {
  const auto as_utc = Moment(wall.time_since_epoch());
  const auto before = offset_at(as_utc - days(1));
  const auto after = offset_at(as_utc + days(1));
  const auto first = as_utc - before;
  const auto second = as_utc - after;
  const bool is_first = offset_at(first) == before;
  const bool is_second = offset_at(second) == after;
  if (is_first && is_second && first != second) return {Shown::Times::twice, std::min(first, second)};
  if (is_first) return {Shown::Times::once, first};
  if (is_second) return {Shown::Times::once, second};
  return {Shown::Times::never, first};
}

std::optional<CalendarTime> parse_calendar_time(std::string_view text) {
  CalendarTime time;
  time.is_utc = text.ends_with('Z');
  if (time.is_utc) text.remove_suffix(1);
  time.is_date = text.size() == 8;
  if (!time.is_date && (text.size() != 15 || text[8] != 'T')) return std::nullopt;
  if (time.is_date && time.is_utc) return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t count) { return digits(text.substr(at, count)).value_or(-1); };
  const auto y = number(0, 4), mo = number(4, 2), d = number(6, 2);
  if (y < first_year || y > last_year || mo < 1 || d < 1) return std::nullopt;
  const auto date = year{y} / month{static_cast<unsigned>(mo)} / day{static_cast<unsigned>(d)};
  if (!date.ok()) return std::nullopt;
  auto since = seconds(sys_days(date).time_since_epoch());
  if (!time.is_date) {
    const auto h = number(9, 2), mi = number(11, 2), s = number(13, 2);
    if (h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59) return std::nullopt;
    since += hours(h) + minutes(mi) + seconds(s);
  }
  time.wall = WallTime(since);
  return time;
}

std::optional<CalendarDuration> parse_calendar_duration(const std::string& text) {
  if (!text.starts_with('P') || text.size() > 30) return std::nullopt;
  const std::lock_guard lock(library());
  icalerror_clear_errno();
  const auto read = icaldurationtype_from_string(text.c_str());
  if (icaldurationtype_is_bad_duration(read) != 0 || read.is_neg != 0) return std::nullopt;
  constexpr unsigned most = 10'000'000;
  if (read.weeks > 520 || read.days > 3660 || read.hours > 90'000 || read.minutes > most || read.seconds > most)
    return std::nullopt;
  return CalendarDuration{days(read.days + 7 * read.weeks),
                          hours(read.hours) + minutes(read.minutes) + seconds(read.seconds)};
}

namespace {

constexpr int longest_interval = 1000;

// What libical 3.0.16 reads as another rule than it is, a sentence; empty: nothing of it. docs/adr/0029.
std::string misread(const std::map<std::string, std::string, std::less<>>& parts) {
  const auto value = [&](const char* key) {
    const auto found = parts.find(key);
    return found == parts.end() ? std::string() : found->second;
  };
  const bool is_monthly = value("FREQ") == "MONTHLY";
  if (!value("BYSETPOS").empty() && !is_monthly)
    return "has BYSETPOS, which is read where it is MONTHLY and nowhere else";
  const auto month_days = value("BYMONTHDAY");
  if (month_days.find('-') != std::string::npos && !is_monthly)
    return "counts BYMONTHDAY from the end of a month, which is read where it is MONTHLY and nowhere else";
  if (value("FREQ") == "YEARLY" && !month_days.empty() && value("BYMONTH").empty())
    return "is YEARLY with BYMONTHDAY and without BYMONTH: write MONTHLY, or the month";
  if (!value("BYWEEKNO").empty()) return "has BYWEEKNO, of which programs differ where a week is of two years";
  if (const auto interval = value("INTERVAL"); !interval.empty()) {
    const auto number = interval.size() <= 4 ? digits(interval) : std::nullopt;
    if (!number || *number < 1 || *number > longest_interval)
      return fmt::format("has an INTERVAL that is no number from 1 to {}", longest_interval);
  }
  return {};
}

}  // namespace

Result<Rule> parse_rule(const std::string& text) {
  constexpr std::array known{"FREQ",      "INTERVAL", "COUNT",   "UNTIL",    "BYDAY", "BYMONTHDAY",
                             "BYYEARDAY", "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST"};
  constexpr std::array frequencies{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
  const auto wrong = [&](const std::string& why) {
    return configuration_error(fmt::format("the rule '{}' {}", printable(text), why),
                               "RFC 5545, 3.3.10; for example FREQ=MONTHLY;BYDAY=2SA");
  };
  if (text.size() > 1000) return wrong("is too long");
  Rule rule;
  std::map<std::string, std::string, std::less<>> seen;
  for (const auto part : split(text, ';')) {
    const auto equals = part.find('=');
    const auto key = part.substr(0, equals);
    if (equals == std::string_view::npos || std::ranges::count(known, key) == 0)
      return wrong(fmt::format("has '{}', which is none of {}", printable(part), fmt::join(known, ", ")));
    const auto value = part.substr(equals + 1);
    if (!seen.emplace(key, value).second) return wrong(fmt::format("has {} twice", key));
    if (value.empty()) return wrong(fmt::format("says nothing for {}", key));
    if (key == "FREQ" && std::ranges::count(frequencies, value) == 0)
      return wrong(fmt::format("recurs '{}', and windows do {}", printable(value), fmt::join(frequencies, ", ")));
    if (key == "COUNT") {
      const auto count = value.size() <= 6 ? digits(value) : std::nullopt;
      if (!count || *count == 0) return wrong("has a COUNT that is no number above 0");
      rule.count = static_cast<std::uint64_t>(*count);
      continue;
    }
    if (key == "UNTIL") {
      const auto until = parse_calendar_time(value);
      if (!until) return wrong(fmt::format("ends at '{}', which is no time up to {}", printable(value), last_year));
      if (until->is_utc)
        rule.until.moment = Moment(until->wall.time_since_epoch());
      else
        rule.until.wall = until->is_date ? until->wall + days(1) - seconds(1) : until->wall;
      continue;
    }
    rule.text += (rule.text.empty() ? "" : ";") + std::string(part);
  }
  if (!seen.contains("FREQ")) return wrong("has no FREQ");
  if (const auto why = misread(seen); !why.empty()) return wrong(why);
  if (rule.count && (rule.until.moment || rule.until.wall)) return wrong("has both COUNT and UNTIL");
  const std::lock_guard lock(library());
  icalerror_clear_errno();
  auto read = icalrecurrencetype_from_string(rule.text.c_str());
  if (read.freq == ICAL_NO_RECURRENCE) {
    icalrecurrencetype_clear(&read);
    return wrong("is none that can be read");
  }
  icalrecurrencetype_clear(&read);
  return rule;
}

bool each_start(const Rule& rule, WallTime start, const std::function<bool(WallTime)>& take) {
  const std::unique_lock lock(library());
  icalerror_clear_errno();
  auto read = icalrecurrencetype_from_string(rule.text.c_str());
  // Without a zone: by the clock on the wall, as the RFC says, whatever that clock does meanwhile.
  auto* iterator = icalrecur_iterator_new(read, to_ical(start.time_since_epoch(), false));
  bool any = false;
  if (iterator != nullptr) {
    for (auto next = icalrecur_iterator_next(iterator); icaltime_is_null_time(next) == 0;
         next = icalrecur_iterator_next(iterator)) {
      if (next.year > last_year) break;
      any = true;
      if (!take(wall_of(next))) break;
    }
    icalrecur_iterator_free(iterator);
  }
  icalrecurrencetype_clear(&read);
  return any;
}

}  // namespace patchlab::process
