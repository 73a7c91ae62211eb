// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/serve_look.hpp"

#include <algorithm>

#include "cli/image_commands.hpp"
#include "cli/queue_look.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "lab/process/process.hpp"
#include "process/calendar/turn.hpp"
#include "process/feeds/feed.hpp"
#include "process/page/files.hpp"
#include "promotion/deploy/deployed.hpp"

namespace patchlab::cli {
namespace {

using namespace process::page;

constexpr std::size_t newest_runs = 8;
constexpr int flaky_months = 3;

std::string said(const Error& error) {
  return printable(error.hint.empty() ? error.message : error.message + "; " + error.hint);
}
template <class Value>
Known<Value> known(Result<Value> result) {
  return result ? Known<Value>(std::move(*result)) : Known<Value>::not_known(said(result.error()));
}

std::string month_before(Time now, int months) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(now));
  const auto month = std::chrono::year_month(day.year(), day.month()) - std::chrono::months(months);
  return fmt::format("{:04}-{:02}", static_cast<int>(month.year()), static_cast<unsigned>(month.month()));
}

Result<History> history_of(const ServeLook& look, Time now) {
  if (!is_folder(look.runs)) {
    return configuration_error(fmt::format("there is no folder of runs '{}'", look.runs.string()),
                               "start a run with 'patchlab run SCENARIO', or name the folder with --runs");
  }
  PATCHLAB_ASSIGN(auto index, history::HistoryIndex::open(look.place, {look.runs, look.stage, PATCHLAB_VERSION}));
  auto& database = index.database();
  PATCHLAB_ASSIGN(const auto reading, database.begin(history::Database::Access::read));
  History history;
  history.place = database.place().shown();
  history.has_ledger = !index.update().no_ledger;
  PATCHLAB_ASSIGN(history.size, history::size_of(database));
  PATCHLAB_ASSIGN(history.left_out, history::left_out(database));
  PATCHLAB_ASSIGN(history.departments, history::departments(database));
  PATCHLAB_ASSIGN(history.failed, history::failed_in_newest(database, history.departments));
  PATCHLAB_ASSIGN(history.newest, history::runs(database, {}, newest_runs));
  PATCHLAB_ASSIGN(history.trend, history::trend(database, {}, {true, true, false}));
  history.flaky_since = month_before(now, flaky_months - 1);
  PATCHLAB_ASSIGN(auto flaky, history::flaky(database, {{}, history.flaky_since, {}}));
  history.flaky = std::move(flaky.checks);
  history.checks = flaky.of;
  PATCHLAB_ASSIGN(history.scenarios, history::scenarios_in(database));
  return history;
}

template <class File>
Known<File> file_of(const std::filesystem::path& path, const char* option, const char* command,
                    Result<File> (*read)(const Json&, const std::string&)) {
  if (path.empty())
    return Known<File>::not_known(fmt::format("no file of 'patchlab {}' was named with {}", command, option));
  const auto json = read_json_file(path, JsonTexts::any);
  if (!json) return Known<File>::not_known(said(json.error()));
  return known(read(*json, path.string()));
}

WaitingSet waiting_set(const promotion::Waiting& waiting) {
  WaitingSet set;
  set.department = waiting.department;
  set.run = waiting.run;
  set.since = waiting.since;
  set.set = waiting.set;
  set.severity = waiting.severity;
  for (const auto& one : waiting.missing) set.missing.push_back(to_string(one));
  for (const auto& one : waiting.waived) set.waived.push_back(to_string(one));
  set.whom = waiting.whom;
  set.command = waiting.command;
  return set;
}

WaitingSet waiting_set(const promotion::Review& review, Time now) {
  WaitingSet set;
  set.is_review = true;
  set.department = review.department;
  set.run = review.run;
  set.since = rfc3339(review.promoted);
  set.set = review.set;
  set.missing = review.missing;
  set.whom = review.whom;
  set.command =
      fmt::format("patchlab approve {} --department {} --reason REASON --key KEY", review.run, review.department);
  set.review_due = rfc3339(review.due);
  set.is_late = review.due < now;
  set.reason = review.ticket.empty() ? review.reason : fmt::format("{} ({})", review.reason, review.ticket);
  return set;
}

Result<Queue> queue_at(const ServeLook& look) {
  QueueQuestion question;
  question.desk.runs = look.runs;
  question.desk.stage = look.stage;
  question.desk.lab_cache = look.lab_cache;
  return queue_of(question);
}

ProductionMachine machine_of(const promotion::DeployedMachine& machine) {
  ProductionMachine made;
  made.machine = machine.report.machine;
  made.outcome = to_string(machine.report.outcome());
  made.observed = machine.report.observed;
  made.serial = machine.serial;
  made.has_reported = machine.has_reported();
  if (machine.source == promotion::InstalledSource::by_hand) made.says.emplace_back("somebody said so by hand");
  for (const auto& row : machine.report.rows) {
    using State = promotion::InstalledState;
    // What was not promoted, and what is as promoted, is nothing to tell.
    if (row.candidate.empty() || row.state == State::as_promoted || row.state == State::not_for_it) continue;
    // A WSUS says why it is not there.
    const bool is_none = row.state == State::not_installed || row.state == State::not_reported;
    made.says.push_back(fmt::format("{}: {}{}{}", row.name, to_string(row.state),
                                    row.found.empty() ? "" : (is_none ? ", said " : ", has ") + row.found,
                                    row.promoted.empty() ? "" : ", promoted " + row.promoted));
  }
  return made;
}

Result<std::vector<ProductionDepartment>> production_of(const ServeLook& look) {
  PATCHLAB_ASSIGN(const auto departments, promotion::deployed_of_stage(host_processes(), look.stage));
  std::vector<ProductionDepartment> all;
  for (const auto& department : departments) {
    ProductionDepartment made{department.department, department.serial,    department.run,
                              department.rejected,   department.emergency, {}};
    for (const auto& machine : department.machines) made.machines.push_back(machine_of(machine));
    all.push_back(std::move(made));
  }
  return all;
}

ImageLine image_line(const lab::image::VersionLine& line) {
  ImageLine made{line.department, line.machine, starts_from(line), {}};
  for (const auto& version : line.versions) {
    const auto& told = version.provenance;
    MadeVersion one{version.number, told.value("made", ""), told.value("by", ""), {}, 0, version.dropped};
    const auto candidates = told.value("candidates", Json::array());
    for (const auto& candidate : candidates) one.candidates.push_back(candidate.value("id", ""));
    const auto serial = told.value(Json::json_pointer("/promotion/serial"), Json());
    if (serial.is_number_unsigned()) one.serial = serial.get<std::uint64_t>();
    made.versions.push_back(std::move(one));
  }
  return made;
}

Result<std::vector<ImageLine>> images_of(const ServeLook& look) {
  PATCHLAB_ASSIGN(const auto cache,
                  look.lab_cache.empty() ? own_cache() : Result<std::filesystem::path>(look.lab_cache));
  PATCHLAB_ASSIGN(const auto lines, lab::image::all_versions(cache));
  std::vector<ImageLine> all;
  try {
    for (const auto& line : lines) all.push_back(image_line(line));
  } catch (const Json::exception&) {
    return configuration_error(
        fmt::format("'{}' has a provenance that patchlab did not write", (cache / "image-versions").string()));
  }
  return all;
}

// By department the day on which its next window closes.
Known<std::map<std::string, std::string>> windows_of(const std::filesystem::path& file,
                                                     const std::vector<std::string>& departments, Time now) {
  using Windows = Known<std::map<std::string, std::string>>;
  if (file.empty()) return Windows::not_known("no calendar was named with --calendar");
  const auto calendar = process::read_calendar(file);
  if (!calendar) return Windows::not_known(said(calendar.error()));
  const auto moment = std::chrono::floor<std::chrono::seconds>(now);
  std::map<std::string, std::string> closes;
  for (const auto& name : departments) {
    const auto days = process::days_of(*calendar, name, moment, moment + process::farthest_window);
    const auto next = process::next_opening(days, moment);
    closes[name] = next ? process::day_text(std::chrono::floor<std::chrono::days>(next->span.until)) : std::string();
  }
  return closes;
}

}  // namespace

Facts look_for_monday(const ServeLook& look) {
  Facts facts;
  facts.taken = system_clock_source().wall();
  facts.runs = look.runs.string();
  facts.stage = look.stage.string();
  facts.scan_max_age_days = look.scan_max_age_days;
  facts.history = known(history_of(look, facts.taken));
  facts.scan = file_of(look.scan, "--scan", "scan --output FILE", read_scan);
  facts.acquired = file_of(look.acquired, "--acquired", "acquire --json", read_acquired);
  auto queue = queue_at(look);
  if (queue) {
    std::vector<WaitingSet> waiting;
    for (const auto& review : queue->reviews) waiting.push_back(waiting_set(review, facts.taken));
    for (const auto& one : queue->waiting) waiting.push_back(waiting_set(one));
    facts.waiting = std::move(waiting);
    facts.waiting_runs = queue->runs.size();
    facts.waiting_notes = std::move(queue->notes);
  } else {
    facts.waiting = Known<std::vector<WaitingSet>>::not_known(said(queue.error()));
  }
  facts.windows = windows_of(look.calendar, departments_of(facts), facts.taken);
  return facts;
}

Facts look_at_everything(const ServeLook& look) {
  auto facts = look_for_monday(look);
  facts.production = known(production_of(look));
  facts.images = known(images_of(look));
  facts.health = health_of(look.health);
  // A monitoring is told that there are none, and that is all it wants; here it would look as if all was known.
  if (look.health.feeds.folder == usual_feeds && !is_folder(look.health.feeds.folder)) {
    const auto feeds = std::ranges::find(facts.health, "feeds", &process::HealthFact::name);
    if (feeds != facts.health.end()) feeds->health = process::Health::unknown;
  }
  return facts;
}

}  // namespace patchlab::cli
