// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/schedule/standing.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

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

std::optional<TimerTime> changed_at(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return std::nullopt;
  return wall_of(info.st_mtim.tv_sec);
}

}  // namespace

const char* to_string(PartStanding::Verdict verdict) {
  switch (verdict) {
    case PartStanding::Verdict::not_installed: return "not-installed";
    case PartStanding::Verdict::well: return "well";
    case PartStanding::Verdict::missed: return "missed";
    case PartStanding::Verdict::disabled: return "disabled";
    case PartStanding::Verdict::not_told: return "not-told";
  }
  return "not-told";
}

PartStanding standing_of_part(const PartSeen& seen, TimerTime now) {
  using Verdict = PartStanding::Verdict;
  PartStanding standing;
  standing.name = seen.name;
  standing.begun = seen.begun;
  const auto end = [&](Verdict verdict, std::string says) {
    standing.verdict = verdict;
    standing.says = std::move(says);
    return standing;
  };
  if (seen.timer.empty()) return end(Verdict::not_installed, "is not installed");
  standing.is_changed = seen.has_drop_in || !is_ours(seen.timer);
  standing.on_calendar = value_in(seen.timer, "OnCalendar=");
  if (!seen.is_enabled) return end(Verdict::disabled, "is installed and not enabled: nothing starts it");
  const auto begun = seen.begun ? "began " + wall(*seen.begun) : std::string("never began");
  if (seen.has_drop_in) return end(Verdict::not_told, "has a drop-in, so when it is due is not known; it " + begun);
  const auto days = timer_days(standing.on_calendar);
  // What comes every few minutes tells by itself that it does.
  if (!days) {
    return standing.is_changed ? end(Verdict::not_told, "is changed, so when it is due is not known; it " + begun)
                               : end(Verdict::well, "comes every few minutes");
  }
  standing.due = last_due(*days, now - late_begin);
  if (!standing.due || *standing.due <= seen.installed)
    return end(Verdict::well, seen.begun ? begun : "was not due since it was installed");
  if (seen.begun && *seen.begun >= *standing.due - std::chrono::minutes(1)) return end(Verdict::well, begun);
  return end(Verdict::missed, fmt::format("was due {} and did not begin; it {}", wall(*standing.due), begun));
}

Result<std::vector<PartStanding>> look_at_schedule(const fs::path& units, std::chrono::system_clock::time_point now) {
  if (!is_folder(units))
    return configuration_error(fmt::format("'{}' is no folder: units of systemd are looked for there", units.string()));
  std::vector<PartStanding> standings;
  for (const auto& part : schedule_parts()) {
    const auto timer = units / fmt::format("patchlab-{}.timer", part);
    const auto service = units / fmt::format("patchlab-{}.service", part);
    PartSeen seen;
    seen.name = part;
    if (is_there(timer)) {
      PATCHLAB_ASSIGN(seen.timer, read_file(timer, largest_unit));
      seen.installed = changed_at(timer).value_or(TimerTime());
    }
    auto drop_in = timer;
    drop_in += ".d";
    seen.has_drop_in = is_there(drop_in);
    seen.is_enabled = is_there(units / "timers.target.wants" / timer.filename());
    if (const auto text = read_file(service, largest_unit)) {
      const auto folder = value_in(*text, "WorkingDirectory=");
      if (!folder.empty()) seen.begun = changed_at(fs::path(folder) / ".schedule" / part);
    }
    standings.push_back(standing_of_part(seen, wall_of(std::chrono::system_clock::to_time_t(now))));
  }
  return standings;
}

}  // namespace patchlab::process
