// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/schedule/standing.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <set>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_unit = 1U << 16U;

std::string wall(TimerTime when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const auto minutes = std::chrono::floor<std::chrono::minutes>(when - day).count();
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), minutes / 60,
                     minutes % 60);
}

// What the clock on the host's wall showed.
TimerTime wall_of(std::time_t when) {
  std::tm shown{};
  ::localtime_r(&when, &shown);
  const std::chrono::local_days day{std::chrono::year(shown.tm_year + 1900) / static_cast<unsigned>(shown.tm_mon + 1) /
                                    static_cast<unsigned>(shown.tm_mday)};
  return day + std::chrono::hours(shown.tm_hour) + std::chrono::minutes(shown.tm_min) +
         std::chrono::seconds(shown.tm_sec);
}

// When it was changed last; nothing: it is not there. An error: that cannot be said.
Result<std::optional<TimerTime>> changed_at(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0) return std::optional(wall_of(info.st_mtim.tv_sec));
  if (errno == ENOENT) return std::optional<TimerTime>();
  return errno_error(fmt::format("looking at '{}'", file.string()), errno);
}

// Timers of systemd go by the zone of the host, not by that of whoever asks.
class HostZone {
 public:
  HostZone() {
    if (const char* zone = std::getenv("TZ")) {
      of_caller_ = zone;
      ::unsetenv("TZ");
    }
    ::tzset();
  }
  ~HostZone() {
    if (of_caller_) ::setenv("TZ", of_caller_->c_str(), 1);
    ::tzset();
  }
  HostZone(const HostZone&) = delete;
  HostZone& operator=(const HostZone&) = delete;

 private:
  std::optional<std::string> of_caller_;
};

// Folders in which systemd looks for what changes a unit beside its file.
std::vector<fs::path> places_of_drop_ins(const fs::path& units) {
  std::vector<fs::path> places{units};
  const fs::path host = "etc/systemd/system";
  auto root = units;
  for (auto part = --host.end();; --part) {
    if (root.filename() != *part) return places;
    root = root.parent_path();
    if (part == host.begin()) break;
  }
  for (const char* more : {"etc/systemd/system.control", "run/systemd/system", "run/systemd/system.control",
                           "usr/local/lib/systemd/system", "usr/lib/systemd/system"})
    places.push_back(root / more);
  return places;
}

// Their texts: the unit's own, and those of all units whose names begin or end as its does.
Result<std::vector<std::string>> drop_ins_of(const fs::path& units, const std::string& unit) {
  std::vector<std::string> texts;
  const auto type = unit.substr(unit.rfind('.') + 1);
  for (const auto& place : places_of_drop_ins(units)) {
    for (const auto& name : {unit, "patchlab-." + type, type}) {
      const auto folder = place / (name + ".d");
      PATCHLAB_ASSIGN(const auto is_there, changed_at(folder));
      if (!is_there) continue;
      PATCHLAB_ASSIGN(const auto files, entries_of(folder));
      for (const auto& file : files) {
        if (file.extension() != ".conf") continue;
        PATCHLAB_ASSIGN(texts.emplace_back(), read_file(file, largest_unit));
      }
    }
  }
  return texts;
}

// Where the service works, of its file and of what changes it. An error: nobody can tell.
Result<fs::path> folder_of(const std::string& service, const std::vector<std::string>& drop_ins) {
  std::set<std::string> folders;
  for (const auto& text : drop_ins) {
    for (const char* key : {"RootDirectory=", "RootImage=", "ExecStartPre=\n"}) {
      if (("\n" + text + "\n").find(std::string("\n") + key) != std::string::npos)
        return configuration_error(fmt::format("a drop-in of its service sets {}", trimmed(key, "=\n")));
    }
    if (const auto folder = last_value_in(text, "WorkingDirectory="); !folder.empty()) folders.insert(folder);
  }
  if (folders.empty()) folders.insert(last_value_in(service, "WorkingDirectory="));
  auto folder = *folders.begin();
  if (folder.starts_with("-")) folder.erase(0, 1);
  if (folders.size() > 1 || !folder.starts_with("/") || folder.find('%') != std::string::npos)
    return configuration_error("where its service works is not a path that stands in it");
  return fs::path(folder);
}

// When the service began last: it notes that in the folder where it works.
Result<std::optional<TimerTime>> begun_at(const fs::path& units, const std::string& part, PartSeen& seen) {
  const auto name = fmt::format("patchlab-{}.service", part);
  const auto note = fs::path(".schedule") / part;
  PATCHLAB_ASSIGN(const auto is_there, changed_at(units / name));
  seen.has_service = is_there.has_value();
  const auto shipped = std::ranges::find(unit_templates(), name, &UnitTemplate::name);
  if (!is_there || shipped == unit_templates().end() || shipped->text.find(note.string()) == std::string_view::npos)
    return std::optional<TimerTime>();
  PATCHLAB_ASSIGN(const auto service, read_file(units / name, largest_unit));
  PATCHLAB_ASSIGN(const auto drop_ins, drop_ins_of(units, name));
  PATCHLAB_ASSIGN(const auto folder, folder_of(service, drop_ins));
  if (service.find(note.string()) == std::string::npos)
    return configuration_error("its service is changed and does not note any more that it begins");
  PATCHLAB_ASSIGN(const auto works, changed_at(folder));
  if (!works) return configuration_error(fmt::format("there is no folder '{}', in which it works", folder.string()));
  return changed_at(folder / note);
}

Result<PartSeen> part_seen(const fs::path& units, const std::string& part) {
  PartSeen seen;
  seen.name = part;
  const auto timer = fmt::format("patchlab-{}.timer", part);
  PATCHLAB_ASSIGN(const auto installed, changed_at(units / timer));
  if (!installed) return seen;
  seen.installed = *installed;
  PATCHLAB_ASSIGN(seen.timer, read_file(units / timer, largest_unit));
  PATCHLAB_ASSIGN(const auto drop_ins, drop_ins_of(units, timer));
  seen.has_drop_in = !drop_ins.empty();
  PATCHLAB_ASSIGN(const auto wanted, changed_at(units / "timers.target.wants" / timer));
  seen.is_enabled = wanted.has_value();
  PATCHLAB_ASSIGN(seen.begun, begun_at(units, part, seen));
  return seen;
}

}  // namespace

const char* to_string(PartStanding::Verdict verdict) {
  switch (verdict) {
    case PartStanding::Verdict::not_installed: return "not-installed";
    case PartStanding::Verdict::well: return "well";
    case PartStanding::Verdict::missed: return "missed";
    case PartStanding::Verdict::disabled: return "disabled";
    case PartStanding::Verdict::not_told: return "not-told";
    case PartStanding::Verdict::unknown: return "unknown";
  }
  return "not-told";
}

PartStanding standing_of_part(const PartSeen& seen, TimerTime now) {
  using Verdict = PartStanding::Verdict;
  PartStanding standing;
  standing.name = seen.name;
  // What was noted before the timer came was of another one, which somebody removed.
  const bool is_of_this = seen.begun && *seen.begun >= seen.installed;
  if (is_of_this) standing.begun = seen.begun;
  const auto end = [&](Verdict verdict, std::string says) {
    standing.verdict = verdict;
    standing.says = std::move(says);
    return standing;
  };
  if (!seen.unknown.empty()) return end(Verdict::unknown, "cannot be said to stand well or not: " + seen.unknown);
  if (seen.timer.empty()) return end(Verdict::not_installed, "is not installed");
  standing.is_changed = seen.has_drop_in || !is_ours(seen.timer);
  standing.on_calendar = value_in(seen.timer, "OnCalendar=");
  if (!seen.is_enabled) return end(Verdict::disabled, "is installed and not enabled: nothing starts it");
  if (!seen.has_service) return end(Verdict::disabled, "is installed, and its service is not: nothing is started");
  const auto begun = is_of_this   ? "began " + wall(*seen.begun)
                     : seen.begun ? fmt::format("began {}, before it was installed", wall(*seen.begun))
                                  : std::string("never began");
  if (seen.has_drop_in) return end(Verdict::not_told, "has a drop-in, so when it is due is not known; it " + begun);
  const auto days = timer_days(standing.on_calendar);
  // What comes every few minutes tells by itself that it does.
  if (!days) {
    return standing.is_changed ? end(Verdict::not_told, "is changed, so when it is due is not known; it " + begun)
                               : end(Verdict::well, "comes every few minutes");
  }
  standing.due = last_due(*days, now - late_begin);
  if (!standing.due || *standing.due <= seen.installed)
    return end(Verdict::well, is_of_this ? begun : "was not due since it was installed");
  if (is_of_this && *seen.begun >= *standing.due - std::chrono::minutes(1)) return end(Verdict::well, begun);
  return end(Verdict::missed, fmt::format("was due {} and did not begin; it {}", wall(*standing.due), begun));
}

Result<std::vector<PartStanding>> look_at_schedule(const fs::path& units, std::chrono::system_clock::time_point now) {
  if (!is_folder(units))
    return configuration_error(fmt::format("'{}' is no folder: units of systemd are looked for there", units.string()));
  const HostZone zone;
  std::vector<PartStanding> standings;
  for (const auto& part : schedule_parts()) {
    auto seen = part_seen(units, part);
    if (!seen) {
      PartSeen unknown;
      unknown.name = part;
      unknown.unknown = seen.error().message;
      seen = std::move(unknown);
    }
    standings.push_back(standing_of_part(*seen, wall_of(std::chrono::system_clock::to_time_t(now))));
  }
  return standings;
}

}  // namespace patchlab::process
