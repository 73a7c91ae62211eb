// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/notify_facts.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "cli/calendar_argument.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "reports/record/run_exit_code.hpp"

namespace patchlab::cli {
namespace {

using namespace process;

constexpr std::size_t most_listed = 50;  // of what an event holds: it stays a message
constexpr std::size_t most_said = 5;

// "a, b and 3 more"
std::string some_of(const std::vector<std::string>& all) {
  if (all.size() <= most_said) return listed(all);
  return fmt::format("{} and {} more", listed(std::vector<std::string>(all.begin(), all.begin() + most_said)),
                     all.size() - most_said);
}

Json bounded(const std::vector<std::string>& all) {
  Json list = Json::array();
  for (std::size_t i = 0; i < all.size() && i < most_listed; ++i) list.push_back(all[i]);
  return list;
}

std::vector<std::string> with_outcome(const reports::DepartmentRecord& department, Outcome outcome) {
  std::vector<std::string> ids;
  for (const auto& verdict : department.verdicts) {
    if (verdict.outcome == outcome) ids.push_back(verdict.candidate);
  }
  return ids;
}

News verdict_fact(const reports::RunRecord& record, const reports::DepartmentRecord& department) {
  News fact;
  fact.kind = EventKind::verdict_ready;
  fact.subject = department.name + "/" + record.id;
  fact.key = fact.subject;
  fact.happened = true;
  fact.origin = record.id;
  const auto passed = with_outcome(department, Outcome::pass);
  const auto failed = with_outcome(department, Outcome::fail);
  const auto unknown = with_outcome(department, Outcome::error);
  fact.says = fmt::format("{}: {}: {} of {} candidates passed in run {}", department.name,
                          to_string(department.outcome), passed.size(), department.verdicts.size(), record.id);
  if (!failed.empty()) fact.says += "; failed: " + some_of(failed);
  if (!unknown.empty()) fact.says += "; the lab could not tell of: " + some_of(unknown);
  if (!record.complete) fact.says += "; the run was not complete";
  fact.data = {{"department", department.name},
               {"run", record.id},
               {"outcome", to_string(department.outcome)},
               {"complete", record.complete},
               {"finished", record.finished},
               {"candidates", department.verdicts.size()},
               {"passed", bounded(passed)},
               {"failed", bounded(failed)},
               {"not_told", bounded(unknown)},
               {"command", fmt::format("patchlab report {}", record.id)}};
  return fact;
}

// Short, and another one for other texts.
std::string digest_of(const std::vector<std::string>& texts) {
  DigestBuilder digest;
  for (const auto& text : texts) digest.add(text);
  return digest.finish();
}

// It is so or not, without a limit that a measurement wanders around: when it is so again, that is told.
void decided(News& fact) {
  fact.lasting = true;
  fact.away = {};
}

// Promoted, so it is a time.
std::optional<Moment> moment_of(const std::string& text) {
  const auto time = parse_rfc3339(text);
  return time ? std::optional(std::chrono::floor<std::chrono::seconds>(*time)) : std::nullopt;
}

// The last span of a window that began after `from` and was over before `until`.
std::optional<Span> last_opening(const DepartmentDays& days, Moment from, Moment until) {
  std::optional<Span> last;
  for (const auto& window : days.windows) {
    for (const auto& open : window.open) {
      if (open.from >= from && open.until <= until && (!last || open.until > last->until)) last = open;
    }
  }
  return last;
}

bool is_other(promotion::InstalledState state) {
  switch (state) {
    case promotion::InstalledState::older:
    case promotion::InstalledState::newer:
    case promotion::InstalledState::other_bytes:
    case promotion::InstalledState::failed: return true;
    case promotion::InstalledState::as_promoted:
    case promotion::InstalledState::not_installed:
    case promotion::InstalledState::not_reported:
    case promotion::InstalledState::not_for_it: break;
  }
  return false;
}

News deployment_fact(const promotion::DeployedDepartment& department, const promotion::DeployedMachine& machine) {
  std::vector<std::string> differs;
  Json rows = Json::array();
  for (const auto& row : machine.report.rows) {
    if (!is_other(row.state)) continue;
    differs.push_back(fmt::format("{} {}", row.name, to_string(row.state)));
    if (rows.size() < most_listed)
      rows.push_back(
          {{"name", row.name}, {"state", to_string(row.state)}, {"promoted", row.promoted}, {"found", row.found}});
  }
  News fact;
  fact.kind = EventKind::deployment_failed;
  fact.subject = department.department + "/" + machine.report.machine;
  fact.key = fmt::format("{} {} {}", fact.subject, machine.serial, digest_of(differs));
  decided(fact);
  fact.says = fmt::format("{}: differs from serial {}, which is promoted: {}", fact.subject, machine.serial,
                          differs.empty() ? "see its report" : some_of(differs));
  fact.data = {{"department", department.department},
               {"machine", machine.report.machine},
               {"serial", machine.serial},
               {"run", machine.run},
               {"observed", machine.report.observed},
               {"differs", std::move(rows)}};
  return fact;
}

// --- of a scan
struct MissingPatch {
  std::vector<std::string> machines;
  std::vector<std::string> cves;
  std::string due, timeline, severity;
  bool is_exploited = false;
};
struct PatchName {
  std::string department, item, offered, timeline;
  auto operator<=>(const PatchName&) const = default;
};

// Null when it is not there: the file may be anything.
const Json& member(const Json& json, const char* key) {
  static const Json nothing;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found == json.end() ? nothing : *found;
}
std::string text_in(const Json& json, const char* key) {
  const auto& found = member(json, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

// Of one row that is missing.
void add_row(const Json& row, std::map<PatchName, MissingPatch>& patches) {
  const auto decided_by = text_in(row, "decided_by");
  std::string timeline;
  std::vector<std::string> cves;
  bool is_exploited = false;
  for (const auto& one : member(row, "vulnerabilities")) {
    const auto cve = text_in(one, "cve");
    if (!cve.empty()) cves.push_back(cve);
    if (cve == decided_by && timeline.empty()) timeline = text_in(member(one, "decision"), "timeline");
    is_exploited = is_exploited || !text_in(one, "exploited_since").empty();
  }
  auto& patch = patches[{text_in(row, "department"), text_in(row, "item"), text_in(row, "offered"), timeline}];
  patch.machines.push_back(text_in(row, "machine"));
  for (const auto& cve : cves) {
    if (std::ranges::count(patch.cves, cve) == 0) patch.cves.push_back(cve);
  }
  if (const auto due = text_in(row, "due"); patch.due.empty() || (!due.empty() && due < patch.due)) patch.due = due;
  patch.timeline = timeline;
  patch.severity = text_in(row, "severity");
  patch.is_exploited = patch.is_exploited || is_exploited;
}

News patch_fact(const PatchName& name, const MissingPatch& patch) {
  News fact;
  fact.kind = EventKind::patch_available;
  fact.subject = name.department + "/" + name.item;
  fact.key = digest_of({name.department, name.item, name.offered, name.timeline});
  decided(fact);
  fact.happened = true;
  fact.members.insert(patch.machines.begin(), patch.machines.end());
  if (patch.is_exploited) fact.members.insert(" exploited");  // no name of a machine
  fact.due = patch.due;
  fact.says = fmt::format("{}: {} is missing on {}", name.department, name.item, some_of(patch.machines));
  if (!patch.cves.empty()) fact.says += ", closes " + some_of(patch.cves);
  if (patch.is_exploited) fact.says += ", which is exploited";
  if (!patch.due.empty()) fact.says += ", due " + patch.due;
  if (!name.timeline.empty()) fact.says += fmt::format(" ({})", name.timeline);
  fact.data = {{"department", name.department},
               {"item", name.item},
               {"offered", name.offered},
               {"machines", bounded(patch.machines)},
               {"cves", bounded(patch.cves)},
               {"cves_in_all", patch.cves.size()},
               {"exploited", patch.is_exploited},
               {"severity", patch.severity},
               {"due", patch.due.empty() ? Json() : Json(patch.due)},
               {"timeline", name.timeline}};
  return fact;
}

News lab_fact(std::string subject, std::string key, std::string says) {
  News fact;
  fact.kind = EventKind::lab_broken;
  fact.subject = std::move(subject);
  fact.key = std::move(key);
  fact.says = std::move(says);
  return fact;
}

}  // namespace

std::vector<News> verdict_facts(const reports::RunRecord& record) {
  std::vector<News> facts;
  for (const auto& department : record.departments) facts.push_back(verdict_fact(record, department));
  return facts;
}

std::optional<News> run_trouble(const reports::RunRecord& record) {
  const auto code = reports::exit_code_for(record);
  if (code != ExitCode::error && code != ExitCode::fence_breach) return std::nullopt;
  std::vector<std::string> why;
  if (record.error) why.push_back(record.error->message);
  for (const auto& department : record.departments) {
    if (department.error) why.push_back(fmt::format("{}: {}", department.name, department.error->message));
  }
  const bool is_breach = code == ExitCode::fence_breach;
  auto fact = lab_fact("runs/" + record.id, fmt::format("run {} {}", record.id, number(code)),
                       is_breach ? fmt::format("in run {} something reached the outside: the run is void", record.id)
                                 : fmt::format("run {} could not tell of everything{}", record.id,
                                               why.empty() ? "" : ": " + some_of(why)));
  fact.happened = true;
  fact.origin = record.id;
  fact.data = {{"what", is_breach ? "fence-breach" : "run"},
               {"run", record.id},
               {"finished", record.finished},
               {"command", fmt::format("patchlab report {}", record.id)}};
  return fact;
}

std::optional<News> approval_fact(const promotion::Waiting& waiting) {
  std::vector<std::string> codes, missing;
  for (const auto& one : waiting.missing) {
    codes.push_back(one.code);
    missing.push_back(to_string(one));
  }
  const bool is_for_the_clock = !codes.empty() && waiting.whom.empty() &&
                                std::ranges::all_of(codes, [](const auto& code) { return code == "window-closed"; });
  if (is_for_the_clock) return std::nullopt;
  News fact;
  fact.kind = EventKind::approval_wanted;
  fact.subject = waiting.department + "/" + waiting.run;
  std::vector<std::string> key{waiting.department, waiting.run};
  key.insert(key.end(), codes.begin(), codes.end());
  key.emplace_back();
  key.insert(key.end(), waiting.whom.begin(), waiting.whom.end());
  fact.key = digest_of(key);
  decided(fact);
  fact.says =
      fmt::format("{}: {} of run {} {} for {}: {}", waiting.department, some_of(waiting.set), waiting.run,
                  waiting.set.size() == 1 ? "waits" : "wait", waiting.whom.empty() ? "somebody" : some_of(waiting.whom),
                  missing.empty() ? "nothing is missing but that somebody promotes it" : some_of(missing));
  fact.data = {{"department", waiting.department}, {"run", waiting.run},           {"since", waiting.since},
               {"set", bounded(waiting.set)},      {"severity", waiting.severity}, {"missing", bounded(codes)},
               {"whom", bounded(waiting.whom)},    {"command", waiting.command}};
  return fact;
}

News review_fact(const promotion::Review& review, NotifyTime now) {
  const bool is_late = review.due < now;
  News fact;
  fact.kind = EventKind::approval_wanted;
  fact.subject = review.department + "/" + review.run;
  fact.key = fmt::format("review {} {} {}", fact.subject, rfc3339(review.promoted), is_late ? "late" : "open");
  decided(fact);
  fact.says = fmt::format("{}: the emergency promotion of run {} {} by {}{}", review.department, review.run,
                          is_late ? "should have been reviewed" : "is to be reviewed", rfc3339(review.due),
                          review.whom.empty() ? "" : ", by " + some_of(review.whom));
  fact.data = {{"department", review.department},
               {"run", review.run},
               {"review_due", rfc3339(review.due)},
               {"ticket", review.ticket},
               {"whom", bounded(review.whom)},
               {"command", fmt::format("patchlab approve {} --department {} --reason REASON --key KEY", review.run,
                                       review.department)}};
  return fact;
}

std::optional<News> missed_window(const promotion::WaitingDepartment& waiting, const DepartmentDays& days, Moment now,
                                  std::chrono::hours reported_within) {
  const auto promoted = moment_of(waiting.promoted);
  // Through the emergency lane it waits for no window, and what was rejected is not to be installed.
  if (!promoted || !waiting.waits() || waiting.emergency || !waiting.rejected.empty()) return std::nullopt;
  const auto missed = last_opening(days, *promoted, now - reported_within);
  if (!missed) return std::nullopt;
  News fact;
  fact.kind = EventKind::window_missed;
  fact.subject = fmt::format("{}/serial-{}", waiting.department, waiting.serial);
  fact.key = fmt::format("{} {}", fact.subject, utc_text(missed->from));
  decided(fact);
  fact.says = fmt::format("{}: the window of {} to {} is over, and {} reported that serial {} of run {} is installed",
                          waiting.department, utc_text(missed->from), utc_text(missed->until),
                          waiting.nobody_reported ? "no machine has" : some_of(waiting.machines) + " have not",
                          waiting.serial, waiting.run);
  fact.data = {{"department", waiting.department},
               {"serial", waiting.serial},
               {"run", waiting.run},
               {"promoted", waiting.promoted},
               {"opened", utc_text(missed->from)},
               {"closed", utc_text(missed->until)},
               {"machines", bounded(waiting.machines)},
               {"nobody_reported", waiting.nobody_reported}};
  return fact;
}

std::vector<News> deployment_facts(const promotion::DeployedDepartment& department) {
  std::vector<News> facts;
  for (const auto& machine : department.machines) {
    if (machine.serial == department.serial && machine.report.outcome() == promotion::InstalledOutcome::differs)
      facts.push_back(deployment_fact(department, machine));
  }
  return facts;
}

std::vector<News> feed_facts(const Feeds& feeds) {
  std::vector<News> facts;
  for (const auto& state : feeds.states) {
    if (state.usable()) continue;
    const auto& traits = traits_of(state.kind);
    News fact;
    fact.kind = EventKind::feed_stale;
    fact.subject = std::string("feeds/") + traits.name;
    fact.key = fmt::format("{} {}", traits.name, state.date ? day_text(*state.date) : "missing");
    fact.lasting = true;
    fact.says = fmt::format("the feed '{}' {}: {}", traits.name, state.unusable, traits.tells);
    fact.data = {{"feed", traits.name},
                 {"date", state.date ? Json(day_text(*state.date)) : Json()},
                 {"max_age_days", state.max_age_days},
                 {"command", "patchlab feed status"}};
    facts.push_back(std::move(fact));
  }
  return facts;
}

std::optional<News> health_fact(const HealthFact& health, const std::string& key) {
  if (health.health == Health::ok) return std::nullopt;
  auto fact = lab_fact("health/" + health.name, fmt::format("{} {} {}", health.name, to_string(health.health), key),
                       fmt::format("{} ({}): {}", health.name, to_string(health.health), health.says));
  fact.lasting = true;
  fact.data = {{"what", "health"}, {"name", health.name}, {"health", to_string(health.health)}};
  return fact;
}

Result<std::vector<News>> scan_facts(const Json& scan, const std::string& file_name, Day today,
                                     std::int64_t max_age_days) {
  const auto& rows = member(scan, "rows");
  const auto day = day_in(text_in(scan, "today"));
  if (text_in(scan, "schema") != "patchlab/scan/v1" || !rows.is_array() || !day)
    return configuration_error(fmt::format("{}: is not what 'patchlab scan --json' prints", printable(file_name)),
                               "patchlab scan SCENARIO --json >scan.json");
  std::map<PatchName, MissingPatch> patches;
  std::size_t unknown = 0;
  for (const auto& row : rows) {
    if (text_in(row, "status") == "missing") add_row(row, patches);
    if (text_in(row, "status") == "unknown") ++unknown;
  }
  std::vector<News> facts;
  for (const auto& [name, patch] : patches) facts.push_back(patch_fact(name, patch));
  if (const auto age = (today - *day).count(); age > max_age_days || age < 0) {
    facts.push_back(lab_fact("scan", "scan old " + day_text(*day),
                             age < 0 ? fmt::format("the scan is of {}, which is in the future", day_text(*day))
                                     : fmt::format("the scan is of {}, {} old: what is new since is not known",
                                                   day_text(*day), days_text(age))));
    facts.back().lasting = true;
    facts.back().data = {{"what", "scan-old"}, {"date", day_text(*day)}};
  }
  if (member(scan, "whole") != true) {
    facts.push_back(lab_fact("scan", "scan not whole",
                             fmt::format("the scan of {} does not know everything ({} updates or machines unknown)",
                                         day_text(*day), unknown)));
    facts.back().lasting = true;
    facts.back().data = {{"what", "scan-not-whole"}, {"date", day_text(*day)}};
  }
  return facts;
}

std::optional<News> schedule_fact(const PartStanding& part) {
  using Verdict = PartStanding::Verdict;
  if (part.verdict != Verdict::missed && part.verdict != Verdict::disabled) return std::nullopt;
  const auto due = part.due ? std::to_string(part.due->time_since_epoch().count()) : std::string();
  auto fact =
      lab_fact("schedule/" + part.name, fmt::format("schedule {} {} {}", part.name, to_string(part.verdict), due),
               fmt::format("the timer of '{}' {}", part.name, part.says));
  // A time that was missed stays missed; that nothing starts it can end and begin again.
  fact.lasting = part.verdict == Verdict::disabled;
  fact.data = {{"what", "schedule"},
               {"part", part.name},
               {"standing", to_string(part.verdict)},
               {"command", "patchlab schedule show"}};
  return fact;
}

News unit_fact(const std::string& unit, const std::string& invocation, const std::string& result) {
  auto fact = lab_fact("units/" + unit, fmt::format("unit {} {}", unit, invocation),
                       fmt::format("the unit {} failed{}", unit, result.empty() ? "" : ": " + result));
  fact.data = {{"what", "unit"}, {"unit", unit}, {"result", result}, {"command", "journalctl -u " + unit}};
  return fact;
}

News refused_fact(const std::string& receiver, const std::string& address, const std::string& answer) {
  auto fact = lab_fact("receivers/" + receiver, fmt::format("refused {} {}", receiver, address),
                       fmt::format("'{}' of the receiver '{}' gets no mail, others do: its server answers {}", address,
                                   receiver, answer));
  fact.lasting = true;
  fact.data = {{"what", "refused"}, {"receiver", receiver}, {"address", address}};
  return fact;
}

News look_fact(const std::string& source, const std::vector<std::string>& trouble) {
  auto fact =
      lab_fact("look/" + source, "look " + source, fmt::format("{} cannot be looked at: {}", source, some_of(trouble)));
  fact.lasting = true;
  fact.data = {{"what", "look"}, {"source", source}};
  return fact;
}

}  // namespace patchlab::cli
