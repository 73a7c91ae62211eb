// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/chrono.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/calendar/calendar.hpp"

// The lines are read here and not by libical, which drops their numbers, and what it does not understand as well.
namespace patchlab::process {
namespace {

using namespace std::chrono;

constexpr std::uintmax_t largest_calendar = 4U << 20U;
constexpr std::size_t longest_line = 64U << 10U;
constexpr std::size_t most_events = 2000;
constexpr const char* docs_hint = "docs/process/calendar.md says what it takes";

// Say nothing of when, or only to programs that send invitations.
constexpr std::array passed_over{"DTSTAMP",     "CREATED",  "LAST-MODIFIED", "SEQUENCE",  "TRANSP",     "CLASS",
                                 "DESCRIPTION", "LOCATION", "PRIORITY",      "ORGANIZER", "ATTENDEE",   "CONTACT",
                                 "URL",         "COMMENT",  "ATTACH",        "GEO",       "RELATED-TO", "RESOURCES"};

struct Parameter {
  std::string name;
  std::string value;
};
// "NAME;PARAMETER=VALUE:TEXT", of one line or several that were folded.
struct ContentLine {
  std::size_t number = 0;
  std::string name;
  std::vector<Parameter> parameters;
  std::string value;
  std::string raw;
  [[nodiscard]] std::string parameter(const std::string& key) const {
    for (const auto& one : parameters) {
      if (one.name == key) return one.value;
    }
    return {};
  }
};

// RFC 5545, 3.3.11; a backslash before anything else stands for itself.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    const char next = text[++i];
    if (next == 'n' || next == 'N')
      out += ' ';
    else
      out += next;
  }
  return out;
}
std::vector<std::string> listed_texts(std::string_view text) {
  std::vector<std::string> all(1);
  std::string_view rest = text;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
      continue;
    }
    if (rest[i] != ',') continue;
    all.back() = unescaped(rest.substr(begin, i - begin));
    all.emplace_back();
    begin = i + 1;
  }
  all.back() = unescaped(rest.substr(std::min(begin, rest.size())));
  return all;
}

class CalendarReader {
 public:
  CalendarReader(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {}

  Result<Calendar> read() {
    PATCHLAB_TRY(read_lines());
    PATCHLAB_TRY(read_parts());
    if (own_zone_line_ != 0) {
      PATCHLAB_ASSIGN(own_zone_, zone(own_zone_line_, own_zone_name_));
    }
    if (begun_.empty())
      return wrong(1, "has no VEVENT: a calendar without a window would keep everything closed for ever", docs_hint);
    Calendar calendar;
    calendar.file = file_;
    calendar.sha256 = sha256(text_);
    for (const auto& event : begun_) PATCHLAB_TRY(finish(event, calendar));
    PATCHLAB_TRY(take_moved_ones(calendar));
    for (const auto& event : calendar.events) PATCHLAB_TRY(check_recurrence(event));
    return calendar;
  }

 private:
  // The lines of one event, before zones are known: a VTIMEZONE may stand behind it.
  struct Begun {
    std::size_t line = 0;
    std::vector<ContentLine> lines;
  };
  // Of an event that stands for one start of another one.
  struct Moved {
    std::size_t line = 0;
    std::string uid;
    Moment start;
  };

  [[nodiscard]] Error wrong(std::size_t line, const std::string& why, const std::string& hint) const {
    return configuration_error(fmt::format("{}:{}: {}", printable(file_), line, why), hint);
  }

  Result<void> read_lines() {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
    std::string logical;
    std::size_t begin = 0;
    std::size_t number = 0;
    const auto end_line = [&]() -> Result<void> {
      if (begin == 0) return {};
      PATCHLAB_TRY(add_line(begin, logical));
      return {};
    };
    auto rest = text_;
    while (!rest.empty()) {
      ++number;
      const auto end = rest.find('\n');
      auto line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.find('\0') != std::string_view::npos) return wrong(number, "has a byte 0: it is no text", docs_hint);
      if (line.starts_with(' ') || line.starts_with('\t')) {
        if (begin == 0) return wrong(number, "goes on with a line that is not there", docs_hint);
        logical += line.substr(1);
      } else {
        PATCHLAB_TRY(end_line());
        begin = line.empty() ? 0 : number;
        logical = line;
      }
      if (logical.size() > longest_line) return wrong(number, "is too long", docs_hint);
    }
    return end_line();
  }

  Result<void> add_line(std::size_t number, const std::string& text) {
    ContentLine line;
    line.number = number;
    line.raw = text;
    std::size_t at = text.find_first_of(";:");
    if (at == std::string::npos || at == 0)
      return wrong(number, fmt::format("'{}' is no line of a calendar: NAME:VALUE", printable(text.substr(0, 40))),
                   "export it as iCalendar (.ics)");
    line.name = upper_case(text.substr(0, at));
    while (at < text.size() && text[at] == ';') {
      const auto equals = text.find('=', at);
      if (equals == std::string::npos) return wrong(number, "has a parameter without a value", docs_hint);
      Parameter parameter{upper_case(text.substr(at + 1, equals - at - 1)), {}};
      std::size_t end = equals + 1;
      bool quoted = false;
      for (; end < text.size() && (quoted || (text[end] != ';' && text[end] != ':')); ++end) {
        if (text[end] == '"')
          quoted = !quoted;
        else
          parameter.value += text[end];
      }
      if (quoted) return wrong(number, "has a quotation mark that does not end", docs_hint);
      line.parameters.push_back(std::move(parameter));
      at = end;
    }
    if (at >= text.size() || text[at] != ':') return wrong(number, "has no ':' before its value", docs_hint);
    line.value = text.substr(at + 1);
    lines_.push_back(std::move(line));
    return {};
  }

  Result<void> read_parts() {
    std::vector<std::string> inside;
    std::string zone_text;
    std::string zone_name;
    bool any = false;
    for (const auto& line : lines_) {
      if (line.name == "BEGIN") {
        const auto what = upper_case(line.value);
        if (inside.empty() != (what == "VCALENDAR"))
          return wrong(line.number, fmt::format("BEGIN:{} does not stand where it can", printable(what)), docs_hint);
        if (inside.empty() && any)
          return wrong(line.number, "begins a second calendar: each has a time zone of its own", "a file for each");
        if (inside.size() > 8) return wrong(line.number, "is too deep inside others", docs_hint);
        inside.push_back(what);
        any = true;
        if (inside.size() == 2 && what == "VEVENT") begun_.push_back({line.number, {}});
        if (begun_.size() > most_events) return wrong(line.number, "has too many events", docs_hint);
        if (inside.size() == 2 && what == "VTIMEZONE") {
          zone_text.clear();
          zone_name.clear();
        }
        if (inside.size() >= 2 && inside[1] == "VTIMEZONE") zone_text += line.raw + "\r\n";
        continue;
      }
      if (inside.empty()) return wrong(line.number, "stands outside of BEGIN:VCALENDAR", docs_hint);
      const bool in_zone = inside.size() >= 2 && inside[1] == "VTIMEZONE";
      if (in_zone) zone_text += line.raw + "\r\n";
      if (line.name == "END") {
        if (upper_case(line.value) != inside.back())
          return wrong(line.number, fmt::format("END:{} ends what did not begin", printable(line.value)), docs_hint);
        inside.pop_back();
        if (in_zone && inside.size() == 1) described_[zone_name] = zone_text;
        continue;
      }
      if (inside.size() == 1) PATCHLAB_TRY(take_property(line));
      const bool of_event = inside.size() == 2 && inside[1] == "VEVENT";
      if (line.name == "CATEGORIES" && !of_event) PATCHLAB_TRY(refuse_kind(line, inside.back()));
      if (in_zone && inside.size() == 2 && line.name == "TZID") zone_name = line.value;
      if (of_event) begun_.back().lines.push_back(line);
    }
    if (!any) return wrong(1, "does not begin with BEGIN:VCALENDAR", "export it as iCalendar (.ics)");
    if (!inside.empty())
      return wrong(lines_.back().number, fmt::format("is the end, and END:{} is missing: it was cut", inside.back()),
                   "export it again");
    return {};
  }

  // Of something that is no event, and would be passed over.
  Result<void> refuse_kind(const ContentLine& line, const std::string& of_what) const {
    for (const auto& category : listed_texts(line.value)) {
      const auto word = upper_case(trimmed(category));
      if (word == "WINDOW" || word == "FREEZE")
        return wrong(line.number,
                     fmt::format("is a category '{}' of a {}, and only a VEVENT is one", word, printable(of_what)),
                     "make an event of it");
    }
    return {};
  }

  // Of the calendar as a whole: its zone, for events of whole days, and for all that name none.
  Result<void> take_property(const ContentLine& line) {
    if (line.name == "VERSION" && line.value != "2.0")
      return wrong(line.number, "is not of version 2.0", "export it as iCalendar (.ics)");
    if (line.name == "METHOD") {
      const auto method = upper_case(trimmed(line.value));
      if (method != "PUBLISH" && method != "REQUEST")
        return wrong(line.number,
                     fmt::format("METHOD '{}' takes events away, or asks for an answer", printable(method)),
                     "export the calendar itself");
    }
    if (line.name != "X-WR-TIMEZONE") return {};
    if (own_zone_line_ != 0) return wrong(line.number, "X-WR-TIMEZONE is there twice", docs_hint);
    own_zone_line_ = line.number;
    own_zone_name_ = line.value;
    return {};
  }

  Result<Zone> zone(std::size_t line, const std::string& name) {
    // What the system knows is newer than what somebody exported once.
    if (const auto known = Zone::of_system(name)) return *known;
    if (const auto text = described_.find(name); text != described_.end()) {
      auto described = Zone::of_text(name, text->second);
      if (!described) return wrong(line, described.error().message, described.error().hint);
      return described;
    }
    return wrong(line, fmt::format("nobody knows the time zone '{}'", printable(name)),
                 "a name of tzdata such as Europe/Berlin (timedatectl list-timezones), or a VTIMEZONE in the file");
  }

  struct Timed {
    Zone zone;
    CalendarTime time;
  };
  // Of a value of DTSTART, DTEND, EXDATE, RECURRENCE-ID.
  Result<Timed> timed(const ContentLine& line, std::string_view value) {
    const auto time = parse_calendar_time(value);
    if (!time)
      return wrong(line.number,
                   fmt::format("{} '{}' is no time of {} to {}", line.name, printable(value), first_year, last_year),
                   "as in DTSTART;TZID=Europe/Berlin:20261212T220000");
    const auto kind = upper_case(line.parameter("VALUE"));
    if (!kind.empty() && kind != (time->is_date ? "DATE" : "DATE-TIME"))
      return wrong(line.number, fmt::format("{} is not of the kind VALUE={}", line.name, printable(kind)), docs_hint);
    if (time->is_utc) return Timed{Zone(), *time};
    const auto name = line.parameter("TZID");
    if (!name.empty() && !time->is_date) {
      PATCHLAB_ASSIGN(auto named, zone(line.number, name));
      return Timed{std::move(named), *time};
    }
    if (own_zone_) return Timed{*own_zone_, *time};
    return wrong(line.number, fmt::format("{} says no time zone: nobody can tell when that is", line.name),
                 "add TZID=Europe/Berlin to it, or for the whole calendar a line X-WR-TIMEZONE:Europe/Berlin above");
  }

  Result<void> finish(const Begun& begun, Calendar& calendar) {
    CalendarEvent event;
    event.line = begun.line;
    std::map<std::string, const ContentLine*> only;
    std::vector<const ContentLine*> exceptions;
    bool cancelled = false;
    bool has_status = false;
    bool has_kind = false;
    for (const auto& line : begun.lines) {
      if (line.name == "CATEGORIES") {
        PATCHLAB_TRY(take_categories(line, event, has_kind));
        continue;
      }
      if (line.name == "EXDATE") {
        exceptions.push_back(&line);
        continue;
      }
      if (line.name == "STATUS") {
        const auto status = upper_case(trimmed(line.value));
        if (status == "TENTATIVE")
          return wrong(line.number, "is tentative: nobody can tell whether it counts", "confirm it, or take it out");
        if (status != "CONFIRMED" && status != "CANCELLED")
          return wrong(line.number, fmt::format("STATUS '{}' is none that is known", printable(line.value)),
                       "CONFIRMED, or CANCELLED for one that does not count");
        if (std::exchange(has_status, true)) return wrong(line.number, "STATUS is there twice in one event", docs_hint);
        cancelled = status == "CANCELLED";
        continue;
      }
      if (line.name.starts_with("X-") || std::ranges::count(passed_over, line.name) > 0) continue;
      constexpr std::array once{"UID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID"};
      if (std::ranges::count(once, line.name) == 0)
        return wrong(line.number, fmt::format("{} is not read, and could change when it is", printable(line.name)),
                     "write each start that is not of the rule as an event of its own");
      if (!only.emplace(line.name, &line).second)
        return wrong(line.number, fmt::format("{} is there twice in one event", line.name), docs_hint);
    }
    const auto get = [&](const char* name) {
      const auto found = only.find(name);
      return found == only.end() ? nullptr : found->second;
    };
    if (get("UID") != nullptr) event.uid = get("UID")->value;
    if (get("SUMMARY") != nullptr) event.summary = unescaped(get("SUMMARY")->value);
    const auto* moved = get("RECURRENCE-ID");
    if (moved != nullptr) {
      if (!moved->parameter("RANGE").empty())
        return wrong(moved->number, "moves all that follow, too", "end the rule there, and begin another event");
      if (event.uid.empty()) return wrong(moved->number, "is of an event without UID", docs_hint);
      PATCHLAB_ASSIGN(const auto which, timed(*moved, moved->value));
      const auto when = which.zone.when(which.time.wall).when;
      for (const auto& other : moved_) {
        if (other.uid == event.uid && other.start == when)
          return wrong(
              moved->number,
              fmt::format("stands for the same start as line {}: nobody can tell which of them counts", other.line),
              "take one of them out");
      }
      moved_.push_back({moved->number, event.uid, when});
    } else if (!event.uid.empty()) {
      const auto [other, is_new] = lines_of_uids_.emplace(event.uid, begun.line);
      if (!is_new)
        return wrong(begun.line,
                     fmt::format("has the UID '{}', as the event of line {} has: nobody can tell which of them counts",
                                 printable(event.uid), other->second),
                     "take one of them out, or give it a UID of its own");
    }
    if (cancelled) return {};
    if (!has_kind)
      return wrong(begun.line, fmt::format("the event '{}' is neither a window nor a freeze", printable(event.summary)),
                   "give it the category WINDOW or FREEZE, or take it out of this calendar");
    const auto* start = get("DTSTART");
    if (start == nullptr) return wrong(begun.line, "the event has no DTSTART", docs_hint);
    PATCHLAB_ASSIGN(const auto begin, timed(*start, start->value));
    event.zone = begin.zone;
    event.start = begin.time.wall;
    PATCHLAB_TRY(take_end(begun, get("DTEND"), get("DURATION"), begin, event));
    if (const auto* rule = get("RRULE")) {
      if (moved != nullptr) return wrong(rule->number, "is of one start that was moved: it cannot recur", docs_hint);
      auto read = parse_rule(rule->value);
      if (!read) return wrong(rule->number, read.error().message, read.error().hint);
      // RFC 5545, 3.3.10: else it would end an hour early or late, or on another day.
      if (read->until.wall && !begin.time.is_date && start->parameter("TZID").size() + begin.time.is_utc > 0)
        return wrong(rule->number, "UNTIL must be a moment in UTC where DTSTART has a zone",
                     "as UNTIL=20271231T225959Z");
      event.rule = std::move(*read);
    }
    for (const auto* line : exceptions) {
      for (const auto value : split(line->value, ',')) {
        PATCHLAB_ASSIGN(const auto one, timed(*line, value));
        if (one.time.is_date != begin.time.is_date)
          return wrong(line->number,
                       "EXDATE and DTSTART are not of one kind, a date or a time: it would take nothing away",
                       "write the time of the start that is not to be");
        event.exceptions.push_back(one.zone.when(one.time.wall).when);
        exception_lines_[{event.line, event.exceptions.back()}] = line->number;
      }
    }
    calendar.events.push_back(std::move(event));
    return {};
  }

  Result<void> take_categories(const ContentLine& line, CalendarEvent& event, bool& has_kind) const {
    constexpr std::string_view department = "department:";
    for (const auto& category : listed_texts(line.value)) {
      const auto word = lower_case(trimmed(category));
      if (word == "window" || word == "freeze") {
        const auto kind = word == "window" ? CalendarEvent::Kind::window : CalendarEvent::Kind::freeze;
        if (has_kind && event.kind != kind) return wrong(line.number, "is both WINDOW and FREEZE", docs_hint);
        event.kind = kind;
        has_kind = true;
      } else if (word.starts_with(department)) {
        const auto name = std::string(trimmed(std::string_view(word).substr(department.size())));
        if (!is_scenario_name(name))
          return wrong(line.number,
                       fmt::format("the name of the department '{}' {}", printable(name), scenario_name_rule),
                       docs_hint);
        event.departments.insert(name);
      } else {
        // A department that somebody misspelt would open it for all of them.
        return wrong(line.number, fmt::format("the category '{}' is not known", printable(category)),
                     "WINDOW, FREEZE, department:NAME");
      }
    }
    return {};
  }

  Result<void> take_end(const Begun& begun, const ContentLine* end, const ContentLine* duration, const Timed& begin,
                        CalendarEvent& event) {
    if ((end == nullptr) == (duration == nullptr)) {
      // RFC 5545, 3.6.1: a date without an end is that day.
      if (end == nullptr && begin.time.is_date) {
        event.duration.days = days(1);
        return {};
      }
      return wrong(begun.line, "the event needs DTEND or DURATION, one of them", docs_hint);
    }
    if (duration != nullptr) {
      const auto read = parse_calendar_duration(duration->value);
      if (!read || !read->is_positive() || (begin.time.is_date && read->exact.count() > 0))
        return wrong(duration->number,
                     fmt::format("DURATION '{}' is none that it can have", printable(duration->value)),
                     "as PT4H, P1D, PT1H30M");
      event.duration = *read;
      return {};
    }
    PATCHLAB_ASSIGN(const auto last, timed(*end, end->value));
    if (last.time.is_date != begin.time.is_date)
      return wrong(end->number, "DTEND and DTSTART are not of one kind, a date or a time", docs_hint);
    if (begin.time.is_date)
      event.duration.days = floor<days>(last.time.wall - begin.time.wall);
    else
      event.duration.exact = last.zone.when(last.time.wall).when - begin.zone.when(begin.time.wall).when;
    if (!event.duration.is_positive()) return wrong(end->number, "DTEND is not after DTSTART", docs_hint);
    if (event.duration.days > days(3660) || event.duration.exact > days(3660))
      return wrong(end->number, "is more than ten years long", docs_hint);
    return {};
  }

  Result<void> take_moved_ones(Calendar& calendar) {
    for (const auto& moved : moved_) {
      const auto master = std::ranges::find_if(
          calendar.events, [&](const CalendarEvent& one) { return one.rule && one.uid == moved.uid; });
      if (master == calendar.events.end())
        return wrong(moved.line, "is one start of an event that is not there, with the same UID and a rule", docs_hint);
      master->exceptions.push_back(moved.start);
      exception_lines_[{master->line, moved.start}] = moved.line;
    }
    return {};
  }

  // That it recurs at all, begins where it says, and that exceptions take something away.
  Result<void> check_recurrence(const CalendarEvent& event) const {
    std::set<Moment> open(event.exceptions.begin(), event.exceptions.end());
    const auto last = open.empty() ? Moment::min() : *open.rbegin();
    if (!event.rule) {
      open.erase(event.zone.when(event.start).when);
    } else {
      std::optional<WallTime> first;
      std::uint64_t count = 0;
      each_start(*event.rule, event.start, [&](WallTime wall) {
        if (!first) first = wall;
        const auto when = event.zone.when(wall).when;
        open.erase(when);
        return when < last && (!event.rule->count || ++count < *event.rule->count);
      });
      if (!first) return wrong(event.line, "the rule never recurs", "RFC 5545, 3.3.10");
      if (*first != event.start)
        return wrong(event.line,
                     fmt::format("DTSTART is no start by the rule, whose first is on {:%Y-%m-%d}",
                                 fmt::gmtime(static_cast<std::time_t>(first->time_since_epoch().count()))),
                     "let DTSTART be the first start by the rule: programs disagree about others");
    }
    if (open.empty()) {
      if (is_ever(event)) return {};
      return wrong(event.line, "has no start that is left: it is never there",
                   "UNTIL is before its first start, or each one is taken away; take the event out");
    }
    const auto line = exception_lines_.find({event.line, *open.begin()});
    return wrong(
        line == exception_lines_.end() ? event.line : line->second,
        fmt::format("takes away a start that the event does not have: {}", zone_time(event.zone, *open.begin())),
        "write the time of the start as DTSTART does");
  }

  // Whether a start is left, or was moved.
  [[nodiscard]] bool is_ever(const CalendarEvent& event) const {
    const auto is_left = [&](Moment when) {
      return std::ranges::count(event.exceptions, when) == 0 || std::ranges::any_of(moved_, [&](const Moved& moved) {
               return moved.uid == event.uid && moved.start == when;
             });
    };
    if (!event.rule) return is_left(event.zone.when(event.start).when);
    bool is_there = false;
    std::uint64_t count = 0;
    each_start(*event.rule, event.start, [&](WallTime wall) {
      const auto& until = event.rule->until;
      const auto when = event.zone.when(wall).when;
      if ((until.moment && when > *until.moment) || (until.wall && wall > *until.wall)) return false;
      is_there = is_left(when);
      return !is_there && (!event.rule->count || ++count < *event.rule->count);
    });
    return is_there;
  }

  std::string_view text_;
  std::string file_;
  std::vector<ContentLine> lines_;
  std::vector<Begun> begun_;
  std::map<std::string, std::string> described_;  // VTIMEZONE by its TZID
  // Of the calendar as a whole; it may be described further below.
  std::size_t own_zone_line_ = 0;
  std::string own_zone_name_;
  std::optional<Zone> own_zone_;
  std::vector<Moved> moved_;
  std::map<std::string, std::size_t> lines_of_uids_;  // where those begin that stand for no start of another one
  std::map<std::pair<std::size_t, Moment>, std::size_t> exception_lines_;
};

}  // namespace

const char* to_string(CalendarEvent::Kind kind) { return kind == CalendarEvent::Kind::window ? "window" : "freeze"; }

std::set<std::string> Calendar::departments() const {
  std::set<std::string> all;
  for (const auto& event : events) all.insert(event.departments.begin(), event.departments.end());
  return all;
}

Result<Calendar> parse_calendar(std::string_view text, const std::string& file_name) {
  return CalendarReader(text, file_name).read();
}

Result<Calendar> read_calendar(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest_calendar));
  return parse_calendar(text, file.string());
}

}  // namespace patchlab::process
