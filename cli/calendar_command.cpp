// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/calendar_argument.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "promotion/deploy/waiting.hpp"

namespace patchlab::cli {
namespace {

using namespace process;
using promotion::WaitingDepartment;

constexpr std::chrono::days usual_range{40};  // whatever is monthly is in it
constexpr const char* every_department = "*";

struct Arguments {
  std::filesystem::path file;
  std::filesystem::path stage;
  std::vector<std::string> departments;
  std::string from;
  std::string to;
  bool json = false;
};

// What is promoted in a department and not installed, against its windows.
struct Waits {
  const WaitingDepartment* promoted = nullptr;
  std::optional<Needs> needs;
  Turn turn;
  Fit fit = Fit::unknown;
  std::optional<NextOpening> fits_later;  // the first window into which it fits, where the next one is too short
};

std::optional<Needs> needs_of(const promotion::MeasuredTimes& times) {
  if (!times.unknown.empty()) return std::nullopt;
  return Needs{times.side_by_side(), times.one_after_another()};
}

Waits waits_of(const WaitingDepartment& promoted, const Calendar& calendar, Moment from) {
  Waits waits;
  waits.promoted = &promoted;
  waits.needs = needs_of(promoted.times);
  const auto days = days_of(calendar, promoted.department, from, from + farthest_window);
  waits.turn = turn_of(days, from, {promoted.emergency, promoted.approved_by.size()});
  if (waits.turn.kind == Turn::Kind::emergency_lane) waits.fit = Fit::one_after_another;
  if (waits.turn.kind != Turn::Kind::window) return waits;
  waits.fit = fit_of(waits.turn.opening.span, waits.needs);
  if (waits.fit != Fit::no) return waits;
  for (auto next = next_opening(days, from); next && !waits.fits_later; next = next_opening(days, next->span.until)) {
    if (fit_of(next->span, waits.needs) != Fit::no) waits.fits_later = next;
  }
  return waits;
}

std::string needs_text(const promotion::MeasuredTimes& times) {
  if (!times.unknown.empty()) return "nobody measured how long it takes: " + times.unknown;
  const auto text = [](std::chrono::milliseconds time) {
    return span_text(std::chrono::ceil<std::chrono::seconds>(time));
  };
  std::vector<std::string> machines;
  for (const auto& one : times.machines)
    machines.push_back(fmt::format("{} {} and a restart of {}", one.machine, text(one.install), text(one.restart)));
  return fmt::format("needs {} side by side, {} one after another, as measured in the lab{}: {}",
                     text(times.side_by_side()), text(times.one_after_another()),
                     times.accelerator == "tcg" ? ", which has no KVM and takes longer" : "",
                     fmt::join(machines, ", "));
}

std::string turn_text(const Waits& waits) {
  switch (waits.turn.kind) {
    case Turn::Kind::none: return waits.turn.why;
    case Turn::Kind::emergency_lane: return "emergency lane: waits for no window";
    case Turn::Kind::window: break;
  }
  const auto& opening = waits.turn.opening;
  const auto when = zone_time(opening.event->zone, opening.begin) + (opening.is_open ? ", open now" : "");
  switch (waits.fit) {
    case Fit::one_after_another: return fmt::format("fits into the window of {}", when);
    case Fit::side_by_side:
      return fmt::format("fits into the window of {} only when machines are patched side by side", when);
    case Fit::unknown: return fmt::format("the next window is that of {}", when);
    case Fit::no: break;
  }
  return fmt::format("does not fit into the window of {}, {}", when,
                     waits.fits_later ? "the first that is long enough opens " +
                                            zone_time(waits.fits_later->event->zone, waits.fits_later->span.from)
                                      : "and no window is long enough");
}

void say_waits(const Waits& waits) {
  const auto& promoted = *waits.promoted;
  say("  waits: serial {} of run {}, promoted {}{}\n", promoted.serial, promoted.run, promoted.promoted,
      promoted.nobody_reported ? "; no machine has reported"
                               : fmt::format("; not reported on it: {}", listed(promoted.machines)));
  if (!promoted.rejected.empty()) return say("    {}; nothing of it is exported\n", promoted.rejected);
  say("    {}\n    {}\n", needs_text(promoted.times), turn_text(waits));
}

void say_days(const DepartmentDays& days) {
  const auto title = days.department == every_department ? "every department" : days.department;
  if (days.windows.empty() && days.freezes.empty())
    say("{}: neither window nor freeze in that time\n", title);
  else
    say("{}\n", title);
  for (const auto& window : days.windows) {
    const auto& zone = window.event->zone;
    say("  window {} to {} {} ({} to {}, {}){}\n", zone_time(zone, window.span.from),
        zone_time(zone, window.span.until), zone.name(), utc_text(window.span.from), utc_text(window.span.until),
        span_text(window.span.until - window.span.from),
        window.event->summary.empty() ? "" : ": " + window.event->summary);
    if (window.frozen_by.empty()) continue;
    std::vector<std::string> names;
    for (const auto* freeze : window.frozen_by) names.push_back("'" + freeze->summary + "'");
    if (window.open.empty()) {
      say("    frozen by {}\n", listed(names));
      continue;
    }
    std::vector<std::string> left;
    for (const auto& span : window.open)
      left.push_back(fmt::format("{} to {}", zone_time(zone, span.from), zone_time(zone, span.until)));
    say("    {} leaves of it {}\n", listed(names), listed(left));
  }
  for (const auto& freeze : days.freezes) {
    const auto& zone = freeze.event->zone;
    say("  freeze {} to {} {} ({} to {}){}\n", zone_time(zone, freeze.span.from), zone_time(zone, freeze.span.until),
        zone.name(), utc_text(freeze.span.from), utc_text(freeze.span.until),
        freeze.event->summary.empty() ? "" : ": " + freeze.event->summary);
  }
  for (const auto& remark : days.remarks) say("  {}\n", remark);
}

Json span_json(const CalendarEvent& event, const Span& span) {
  return {{"name", event.summary},
          {"line", event.line},
          {"zone", event.zone.name()},
          {"opens", utc_text(span.from)},
          {"closes", utc_text(span.until)},
          {"opens_there", zone_time(event.zone, span.from)},
          {"closes_there", zone_time(event.zone, span.until)}};
}

Json waits_json(const Waits& waits) {
  const auto& promoted = *waits.promoted;
  Json json{{"serial", promoted.serial},     {"run", promoted.run},
            {"promoted", promoted.promoted}, {"emergency", promoted.emergency},
            {"machines", promoted.machines}, {"nobody_reported", promoted.nobody_reported},
            {"fits", to_string(waits.fit)},  {"says", turn_text(waits)}};
  if (!promoted.rejected.empty()) json["rejected"] = promoted.rejected;
  if (waits.turn.kind == Turn::Kind::window) {
    const auto& opening = waits.turn.opening;
    json["next"] = span_json(*opening.event, {opening.begin, opening.span.until});
    json["next"]["open_now"] = opening.is_open;
  }
  if (waits.fits_later) json["fits_later"] = span_json(*waits.fits_later->event, waits.fits_later->span);
  if (!promoted.times.unknown.empty()) {
    json["needs_unknown"] = promoted.times.unknown;
    return json;
  }
  Json machines = Json::array();
  for (const auto& one : promoted.times.machines)
    machines.push_back(
        {{"machine", one.machine}, {"install_ms", one.install.count()}, {"restart_ms", one.restart.count()}});
  json["needs"] = {{"side_by_side_ms", promoted.times.side_by_side().count()},
                   {"one_after_another_ms", promoted.times.one_after_another().count()},
                   {"accelerator", promoted.times.accelerator},
                   {"machines", std::move(machines)}};
  return json;
}

Json days_json(const DepartmentDays& days) {
  Json windows = Json::array();
  for (const auto& window : days.windows) {
    auto one = span_json(*window.event, window.span);
    one["open"] = Json::array();
    for (const auto& span : window.open)
      one["open"].push_back({{"opens", utc_text(span.from)}, {"closes", utc_text(span.until)}});
    one["frozen_by"] = Json::array();
    for (const auto* freeze : window.frozen_by) one["frozen_by"].push_back(freeze->summary);
    windows.push_back(std::move(one));
  }
  Json freezes = Json::array();
  for (const auto& freeze : days.freezes) freezes.push_back(span_json(*freeze.event, freeze.span));
  return {{"department", days.department},
          {"windows", std::move(windows)},
          {"freezes", std::move(freezes)},
          {"remarks", days.remarks}};
}

Result<Span> range_of(const Arguments& arguments) {
  const auto read = [](const char* option, const std::string& text, Moment other) -> Result<Moment> {
    if (text.empty()) return other;
    const auto when = parse_rfc3339(text);
    if (!when)
      return usage_error(fmt::format("{} '{}' is no time", option, text), "write it in UTC: 2026-12-12T00:00:00Z");
    return std::chrono::floor<std::chrono::seconds>(*when);
  };
  Span range;
  PATCHLAB_ASSIGN(range.from, read("--from", arguments.from, moment_now()));
  PATCHLAB_ASSIGN(range.until, read("--to", arguments.to, range.from + usual_range));
  using namespace std::chrono;
  const Moment first = sys_days(year{first_year} / January / 1), last = sys_days(year{last_year + 1} / January / 1);
  if (range.from < first || range.until > last)
    return usage_error(fmt::format("windows are known from {} to {}", first_year, last_year),
                       "tzdata has no changes of the clocks beyond");
  if (range.until <= range.from) return usage_error("--to is not after --from", "leave one of them out");
  return range;
}

// 5 when something that is promoted cannot be installed or fits nowhere, 3 when nobody can tell.
ExitCode code_of(const std::vector<Waits>& all) {
  bool unknown = false;
  for (const auto& waits : all) {
    if (!waits.promoted->rejected.empty()) continue;
    if (waits.turn.kind == Turn::Kind::none || waits.fit == Fit::no) return ExitCode::policy;
    unknown = unknown || waits.fit == Fit::unknown;
  }
  return unknown ? ExitCode::not_tested : ExitCode::ok;
}

ExitCode show_calendar(const Arguments& arguments) {
  const auto range = range_of(arguments);
  if (!range) return report(range.error());
  const auto calendar = read_calendar(arguments.file);
  if (!calendar) return report_input(calendar.error(), ExitCode::bad_data);
  std::vector<WaitingDepartment> promoted;
  if (!arguments.stage.empty()) {
    const auto stage = absolute_path(arguments.stage);
    if (!stage) return report_input(stage.error(), ExitCode::bad_data);
    auto waiting = promotion::waiting_of_stage(host_processes(), *stage);
    if (!waiting) return report_input(waiting.error(), ExitCode::bad_data);
    promoted = std::move(*waiting);
  }
  const auto named = calendar->departments();
  std::set<std::string> known(named.begin(), named.end());
  for (const auto& one : promoted) known.insert(one.department);
  // Also where events are for all: a name that nobody knows is more likely misspelt than new.
  if (known.empty() && !arguments.departments.empty())
    return report(usage_error(fmt::format("--department '{}': the calendar names no department, and is for all of them",
                                          printable(arguments.departments.front())),
                              "leave it out, or name the stage that has it: --stage STAGE"));
  const auto fine =
      check_choice("--department", arguments.departments, fmt::format("is not in '{}'", arguments.file.string()),
                   std::vector<std::string>(known.begin(), known.end()));
  if (!fine) return report(fine.error());
  if (known.empty()) known.insert(every_department);
  if (!arguments.departments.empty())
    known = std::set<std::string>(arguments.departments.begin(), arguments.departments.end());

  Json departments = Json::array();
  std::vector<Waits> waiting;
  for (const auto& name : known) {
    const auto days = days_of(*calendar, name, range->from, range->until);
    const auto its = std::ranges::find(promoted, name, &WaitingDepartment::department);
    if (!arguments.json) say_days(days);
    auto json = days_json(days);
    if (its != promoted.end() && its->waits()) {
      waiting.push_back(waits_of(*its, *calendar, range->from));
      if (!arguments.json) say_waits(waiting.back());
      json["waits"] = waits_json(waiting.back());
    } else if (!arguments.stage.empty() && !arguments.json) {
      if (its == promoted.end())
        say("  nothing was promoted for it in '{}'\n", arguments.stage);
      else
        say("  nothing waits: serial {} is installed on each machine that reported\n", its->serial);
    }
    departments.push_back(std::move(json));
  }
  if (arguments.json)
    say_json("calendar", {{"file", calendar->file},
                          {"sha256", calendar->sha256},
                          {"from", utc_text(range->from)},
                          {"to", utc_text(range->until)},
                          {"departments", std::move(departments)}});
  return code_of(waiting);
}

}  // namespace

void add_calendar(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("calendar", "when departments may be patched, and what waits for which window");
  command->add_option("calendar", arguments->file, "iCalendar file (.ics) with windows and freezes")
      ->required()
      ->envname("PATCHLAB_CALENDAR");
  command->add_option("--stage", arguments->stage,
                      "stage folder: what is promoted there and not installed, and whether it fits");
  command->add_option("--department", arguments->departments, "only this department (may be given again)");
  command->add_option("--from", arguments->from, "from then on (UTC); default: now");
  command->add_option("--to", arguments->to, "until then (UTC); default: 40 days later");
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return show_calendar(*arguments); }; });
}

}  // namespace patchlab::cli
