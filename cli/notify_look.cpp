// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/notify_look.hpp"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "cli/calendar_argument.hpp"
#include "cli/nights.hpp"
#include "cli/notify_facts.hpp"
#include "cli/queue_look.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"

namespace patchlab::cli {
namespace {

using namespace process;

NotifyTime now() { return system_clock_source().wall(); }
Day today() { return std::chrono::floor<std::chrono::days>(now()); }

void add(Sight& sight, std::optional<News> fact) {
  if (fact) sight.facts.push_back(std::move(*fact));
}

bool is_stage(const LookAt& look, Sight& sight) {
  if (is_folder(look.stage)) return true;
  sight.trouble.push_back(fmt::format("there is no stage '{}'", look.stage.string()));
  return false;
}

// Nothing is there, which is not that it cannot be looked at.
bool is_absent(const std::filesystem::path& path) {
  std::error_code code;
  return std::filesystem::status(path, code).type() == std::filesystem::file_type::not_found;
}

bool are_runs(const LookAt& look, Sight& sight) {
  if (is_folder(look.runs)) return true;
  sight.is_absent = is_absent(look.runs);
  sight.trouble.push_back(fmt::format("there is no folder of runs '{}'", look.runs.string()));
  return false;
}

Sight runs(const LookAt& look, const Remembered& remembered) {
  Sight sight{"runs", {}, {}};
  if (!are_runs(look, sight)) return sight;
  const history::RunArchive archive(look.runs);
  if (const auto entries = entries_of(look.runs); !entries) sight.trouble.push_back(entries.error().message);
  const auto open = archive.without_record();  // before the others: what ends in between is in both
  sight.open.insert(open.begin(), open.end());
  auto ids = archive.list();
  auto count = std::min(ids.size(), static_cast<std::size_t>(look.newest_runs));
  const auto looked = remembered.looked_first.find(sight.source);
  if (looked != remembered.looked_first.end() && !looked->second.newest.empty()) {
    const auto& newest = looked->second.newest;
    const auto since = std::ranges::count_if(ids, [&](const std::string& id) { return id > newest; });
    count = std::max(count, static_cast<std::size_t>(since));
  }
  if (!ids.empty()) sight.newest = ids.front();
  if (count < ids.size()) sight.oldest = ids[count - 1];
  // A run that was under way when newer ones had ended has ended since then, too.
  const auto was_open = [&](const std::string& id) {
    return looked != remembered.looked_first.end() && looked->second.open.contains(id);
  };
  ids.erase(std::remove_if(ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(), std::not_fn(was_open)),
            ids.end());
  std::ranges::reverse(ids);  // as they came
  for (const auto& id : ids) {
    const auto record = archive.read(id);
    if (!record) {
      sight.trouble.push_back(fmt::format("run {}: {}", id, record.error().message));
      if (was_open(id)) sight.open.insert(id);
      continue;
    }
    std::ranges::move(verdict_facts(*record), std::back_inserter(sight.facts));
    add(sight, run_trouble(*record));
  }
  return sight;
}

Sight queue(const LookAt& look) {
  Sight sight{"queue", {}, {}};
  if (!is_stage(look, sight) || !are_runs(look, sight)) return sight;
  if (const auto entries = entries_of(look.runs); !entries) sight.trouble.push_back(entries.error().message);
  if (!sight.is_whole() || history::RunArchive(look.runs).list().empty()) return sight;
  QueueQuestion question;
  question.desk.stage = look.stage;
  question.desk.runs = look.runs;
  question.desk.lab_cache = look.lab_cache;
  question.runs = static_cast<std::size_t>(look.newest_runs);
  const auto found = queue_of(question);
  if (!found) {
    sight.trouble.push_back(found.error().message);
    return sight;
  }
  for (const auto& review : found->reviews) sight.facts.push_back(review_fact(review, now()));
  for (const auto& waiting : found->waiting) add(sight, approval_fact(waiting));
  return sight;
}

Sight deployed(const LookAt& look) {
  Sight sight{"deployed", {}, {}};
  if (!is_stage(look, sight)) return sight;
  const auto departments = promotion::deployed_of_stage(host_processes(), look.stage);
  if (!departments) {
    sight.trouble.push_back(departments.error().message);
    return sight;
  }
  for (const auto& department : *departments)
    std::ranges::move(deployment_facts(department), std::back_inserter(sight.facts));
  return sight;
}

Sight windows(const LookAt& look) {
  Sight sight{"windows", {}, {}};
  if (!is_stage(look, sight)) return sight;
  const auto calendar = read_calendar(look.calendar);
  const auto waiting = promotion::waiting_of_stage(host_processes(), look.stage);
  if (!calendar) sight.trouble.push_back(calendar.error().message);
  if (!waiting) sight.trouble.push_back(waiting.error().message);
  if (!sight.is_whole()) return sight;
  const auto at = moment_now();
  for (const auto& one : *waiting) {
    const auto promoted = parse_rfc3339(one.promoted);
    if (!promoted) continue;
    const auto from = std::max(std::chrono::floor<std::chrono::seconds>(*promoted), at - farthest_window);
    add(sight, missed_window(one, days_of(*calendar, one.department, from, at), at, look.reported_within));
  }
  return sight;
}

Sight night(const LookAt& look) {
  Sight sight{"night", {}, {}};
  if (!is_stage(look, sight)) return sight;
  const auto attempts = promotion::attempts_of_stage(look.stage);
  if (!attempts) {
    sight.trouble.push_back(attempts.error().message);
    return sight;
  }
  const auto nights = nights_of(*attempts);
  const auto health = night_health(nights, now(), {look.warning, look.critical});
  // Another run that changes nothing is news as well.
  add(sight, health_fact(health, nights.empty() ? "none" : nights.back().run));
  return sight;
}

Sight disk(const LookAt& look) {
  Sight sight{"disk", {}, {}};
  const auto cache = look.lab_cache.empty() ? own_cache() : Result<std::filesystem::path>(look.lab_cache);
  if (!cache) {
    sight.trouble.push_back(cache.error().message);
    return sight;
  }
  std::error_code code;
  const auto space = std::filesystem::space(*cache, code);
  if (code) {
    sight.trouble.push_back(fmt::format("'{}': {}", cache->string(), code.message()));
    return sight;
  }
  const auto warning = static_cast<std::uint64_t>(look.free_gib) << 30U;
  add(sight, health_fact(disk_health(cache->string(), space.available, warning, warning / 4), ""));
  return sight;
}

Sight feeds(const LookAt& look) {
  Sight sight{"feeds", {}, {}};
  FeedsWanted wanted;
  wanted.today = today();
  wanted.max_age_days = look.feeds_max_age_days;
  const auto read = read_feeds(look.feeds, wanted);
  if (read)
    sight.facts = feed_facts(*read);
  else
    sight.trouble.push_back(read.error().message);
  return sight;
}

// A scan that is due waits for who has the lock, and takes a while.
constexpr std::chrono::days scan_takes{1};

// How old a scan may be: as long as its timer may wait from one to the next, when the configuration says nothing.
std::int64_t scan_max_age(const LookAt& look, Sight& sight) {
  if (look.scan_max_age_days) return *look.scan_max_age_days;
  const auto& templates = unit_templates();
  const auto shipped = std::ranges::find(templates, "patchlab-scan.timer", &UnitTemplate::name);
  auto on_calendar = shipped == templates.end() ? std::string() : value_in(shipped->text, "OnCalendar=");
  const auto parts = look.schedule.empty() ? Result<std::vector<PartStanding>>(std::vector<PartStanding>())
                                           : look_at_schedule(look.schedule, now());
  for (const auto& part : parts.value_or({})) {
    if (part.name != "scan") continue;
    const bool is_understood = part.on_calendar.empty() || timer_days(part.on_calendar).has_value();
    if (part.verdict == PartStanding::Verdict::not_told || !is_understood)
      sight.trouble.emplace_back(
          "the scan's timer is changed, so how old a scan may be is not known: set "
          "\"scan_max_age_days\"");
    else if (!part.on_calendar.empty())
      on_calendar = part.on_calendar;
  }
  const auto days = timer_days(on_calendar);
  const auto gap = days ? longest_gap(*days) : std::nullopt;
  if (!gap) throw std::logic_error("the scan's own calendar is not understood: " + on_calendar);
  return (*gap + scan_takes).count();
}

Sight scanned(const LookAt& look) {
  Sight sight{"scan", {}, {}};
  sight.is_absent = is_absent(look.scan);
  const auto json = read_json_file(look.scan, JsonTexts::any);
  auto facts = json ? scan_facts(*json, look.scan.string(), today(), scan_max_age(look, sight))
                    : Result<std::vector<News>>(json.error());
  if (!facts) {
    sight.trouble.push_back(facts.error().message);
    return sight;
  }
  sight.facts = std::move(*facts);
  sight.is_partial = json->value("whole", Json()) != true;
  return sight;
}

Sight schedule(const LookAt& look) {
  Sight sight{"schedule", {}, {}};
  const auto parts = look_at_schedule(look.schedule, now());
  if (!parts) {
    sight.trouble.push_back(parts.error().message);
    return sight;
  }
  for (const auto& part : *parts) {
    add(sight, schedule_fact(part));
    if (part.verdict == PartStanding::Verdict::unknown) sight.trouble.push_back(part.name + " " + part.says);
  }
  return sight;
}

}  // namespace

std::vector<Sight> look_around(const LookAt& look, const Remembered& remembered) {
  std::vector<Sight> sights;
  const bool has_stage = !look.stage.empty(), has_runs = !look.runs.empty();
  if (has_stage && look.night) sights.push_back(night(look));
  if (look.free_gib > 0) sights.push_back(disk(look));
  if (!look.schedule.empty()) sights.push_back(schedule(look));
  if (!look.feeds.empty()) sights.push_back(feeds(look));
  if (!look.scan.empty()) sights.push_back(scanned(look));
  if (has_runs) sights.push_back(runs(look, remembered));
  if (has_stage && has_runs) sights.push_back(queue(look));
  if (has_stage) sights.push_back(deployed(look));
  if (!look.calendar.empty()) sights.push_back(windows(look));
  // What could not be looked at is found by a look that is always whole.
  std::vector<Sight> looks;
  for (const auto& sight : sights) {
    auto& own = looks.emplace_back(Sight{"look " + sight.source, {}, {}});
    if (!sight.is_whole()) own.facts.push_back(look_fact(sight.source, sight.trouble));
  }
  std::ranges::move(looks, std::back_inserter(sights));
  return sights;
}

}  // namespace patchlab::cli
