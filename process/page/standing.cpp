// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/standing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/printable.hpp"
#include "process/feeds/feed.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {
namespace {

using reports::html::counted;

Standing not_known(std::string why) { return {Tone::unknown, "not known", std::move(why)}; }

std::string today_of(const Facts& facts) { return day_text(std::chrono::floor<std::chrono::days>(facts.taken)); }
std::string scan_link(const std::string& department) { return "/department/" + department + "#missing"; }

// Why the scan cannot say that nothing is missing; empty: it can.
std::string scan_doubt(const Facts& facts) {
  const auto age = scan_age_days(facts);
  if (!age || *age < 0) return "the scan's day cannot be right";
  if (*age > facts.scan_max_age_days) return fmt::format("the scan is {} old", days_text(static_cast<long>(*age)));
  if (!facts.scan->whole) return "the scan does not know everything";
  return {};
}

bool is_scanned(const Facts& facts, const std::string& department) {
  return std::ranges::any_of(facts.scan->items, [&](const auto& item) { return item.department == department; });
}

Standing detect(const Facts& facts, const std::string& department) {
  if (!facts.scan) return not_known(facts.scan.why);
  if (!is_scanned(facts, department))
    return not_known(fmt::format("the scan of {} names no machine of it", facts.scan->day));
  const auto missing = missing_in(facts, department);
  const auto doubt = scan_doubt(facts);
  const auto of_day = "scan of " + facts.scan->day;
  if (missing.updates > 0) {
    auto more = of_day;
    if (missing.known_bad > 0) more += fmt::format("; {} known to be bad", missing.known_bad);
    if (missing.unknown > 0) more += fmt::format("; {} not known", missing.unknown);
    if (!doubt.empty()) more += "; " + doubt;
    return {missing.exploited > 0 ? Tone::bad : Tone::waits,
            fmt::format("{} missing on {}", counted(missing.updates, "update", "updates"),
                        counted(missing.machines, "machine", "machines")),
            std::move(more), scan_link(department)};
  }
  if (missing.unknown > 0 || !doubt.empty()) {
    return {Tone::unknown, "not known",
            fmt::format("nothing was seen missing, but {}; {}",
                        !doubt.empty() ? doubt : fmt::format("{} not known", missing.unknown), of_day),
            scan_link(department)};
  }
  const auto open = missing.open == 0
                        ? std::string()
                        : "; " + counted(missing.open, "vulnerability", "vulnerabilities") + " without a fix";
  return {Tone::good, "nothing missing", of_day + open, scan_link(department)};
}

Standing assess(const Facts& facts, const std::string& department) {
  if (!facts.scan) return not_known(facts.scan.why);
  const auto missing = missing_in(facts, department);
  std::string exploited;
  if (missing.exploited > 0) exploited = fmt::format("{} exploited", missing.exploited);
  if (missing.overdue > 0)
    return {Tone::bad, fmt::format("{} overdue", missing.overdue), exploited, scan_link(department)};
  if (!missing.next_due.empty())
    return {missing.exploited > 0 ? Tone::bad : Tone::waits, "next due " + missing.next_due, exploited,
            scan_link(department)};
  auto detected = detect(facts, department);
  if (missing.updates > 0) return {Tone::waits, "due with no date", exploited, scan_link(department)};
  if (detected.tone == Tone::unknown) return detected;
  return {Tone::good, "nothing due", detected.more};
}

Standing acquire(const Facts& facts, const std::string& department) {
  if (!facts.acquired) return not_known(facts.acquired.why);
  if (!facts.scan) return not_known("which of it is for this department only a scan says: " + facts.scan.why);
  std::set<std::string> wanted;
  for (const auto& item : facts.scan->items) {
    if (item.department == department && item.status == "missing" && !item.item.empty()) wanted.insert(item.item);
  }
  std::map<std::string, std::size_t> states;
  std::set<std::string> met;
  for (const auto& item : facts.acquired->items) {
    if (!wanted.contains(item.item)) continue;
    // What lies there and was not asked for was not verified, either.
    if (item.state != "not-asked") met.insert(item.item);
    ++states[item.state];
  }
  const auto of_day = acquired_when(facts);
  if (const auto n = states["quarantined"] + states["failed"]; n > 0)
    return {Tone::bad, fmt::format("{} refused", counted(n, "file", "files")), of_day};
  if (const auto n = states["to-bring"] + states["unfinished"]; n > 0)
    return {Tone::waits, fmt::format("{} to bring", counted(n, "file", "files")), of_day};
  if (met.size() < wanted.size())
    return {Tone::unknown, fmt::format("{} of {} not asked for", wanted.size() - met.size(), wanted.size()), of_day};
  // Also beside what is seen missing there may be more.
  const auto doubt = scan_doubt(facts);
  const auto unknown = missing_in(facts, department).unknown;
  if (!is_scanned(facts, department)) return detect(facts, department);
  if (!doubt.empty() || unknown > 0) {
    return not_known(fmt::format("what else is missing is not known: {}; {}",
                                 !doubt.empty() ? doubt : fmt::format("{} not known", unknown), of_day));
  }
  if (wanted.empty()) return {Tone::good, "nothing to bring", of_day};
  if (const auto old = acquired_doubt(facts); !old.empty()) return {Tone::unknown, "not known", old};
  if (!facts.acquired->whole) return {Tone::unknown, "not known", "its assessment did not know everything; " + of_day};
  return {Tone::good, fmt::format("{} here, verified", counted(wanted.size(), "update", "updates")), of_day};
}

const history::DepartmentRow* tested(const Facts& facts, const std::string& department) {
  if (!facts.history) return nullptr;
  const auto found = std::ranges::find(facts.history->departments, department, &history::DepartmentRow::name);
  return found == facts.history->departments.end() ? nullptr : &*found;
}

Standing test(const Facts& facts, const std::string& department) {
  if (!facts.history) return not_known(facts.history.why);
  const auto* last = tested(facts, department);
  if (last == nullptr || last->run.empty()) return not_known("no run tested it");
  std::vector<std::string> parts;
  if (last->failed > 0) parts.push_back(fmt::format("{} failed", last->failed));
  if (last->undecided > 0) parts.push_back(fmt::format("{} undecided", last->undecided));
  if (last->passed > 0) parts.push_back(fmt::format("{} passed", last->passed));
  const auto tone = last->failed > 0                         ? Tone::bad
                    : last->undecided > 0 || !last->complete ? Tone::unknown
                    : last->passed > 0                       ? Tone::good
                                                             : Tone::plain;
  return {tone, parts.empty() ? "nothing applied" : listed(parts),
          fmt::format("run of {}{}", last->started.substr(0, 10), last->complete ? "" : ", not complete"),
          "/run/" + last->run};
}

Standing decide(const Facts& facts, const std::string& department) {
  if (!facts.waiting) return not_known(facts.waiting.why);
  std::size_t sets = 0, reviews = 0, late = 0;
  std::set<std::string> whom;
  for (const auto& one : *facts.waiting) {
    if (one.department != department) continue;
    one.is_review ? ++reviews : ++sets;
    late += one.is_late ? 1U : 0U;
    whom.insert(one.whom.begin(), one.whom.end());
  }
  const auto who = whom.empty() ? std::string() : "for " + counted(whom.size(), "person", "people");
  if (late > 0) return {Tone::bad, "review is late", who, "/#waiting"};
  if (reviews > 0) return {Tone::waits, "review of an emergency", who, "/#waiting"};
  if (sets > 0) return {Tone::waits, "waits for people", who, "/#waiting"};
  if (facts.waiting_runs == 0) return not_known("no run was looked at");
  return {Tone::good, "nothing waits", {}};
}

Standing deploy(const Facts& facts, const std::string& department) {
  if (!facts.production) return not_known(facts.production.why);
  const auto found = std::ranges::find(*facts.production, department, &ProductionDepartment::department);
  if (found == facts.production->end()) return {Tone::plain, "nothing promoted", {}};
  const auto link = "/department/" + department + "#production";
  const auto serial = fmt::format("serial {}", found->serial);
  if (!found->rejected.empty()) return {Tone::bad, "rejected since", serial, link};
  if (found->machines.empty()) return {Tone::unknown, "no machine reported", serial, link};
  std::size_t as_promoted = 0, differs = 0;
  for (const auto& machine : found->machines) {
    // What speaks against a machine counts, whenever it was said.
    if (machine.outcome == "differs") ++differs;
    if (machine.outcome == "as-promoted" && machine.has_reported) ++as_promoted;
  }
  const auto of = found->machines.size();
  if (differs > 0) return {Tone::bad, fmt::format("{} of {} differ", differs, of), serial, link};
  if (as_promoted < of) {
    return {Tone::waits, fmt::format("{} of {} have it", as_promoted, of), serial + "; of the others it is not known",
            link};
  }
  return {Tone::good, fmt::format("{} of {} have it", as_promoted, of), serial + ", of those that report", link};
}

Standing maintain(const Facts& facts, const std::string& department) {
  if (!facts.history) return not_known(facts.history.why);
  const auto& history = *facts.history;
  const auto n =
      static_cast<std::size_t>(std::ranges::count(history.flaky, department, &history::CheckRow::department));
  const auto since = history.flaky_since.empty() ? std::string() : "since " + history.flaky_since;
  if (n > 0)
    return {Tone::waits, counted(n, "flaky check", "flaky checks"), since, "/department/" + department + "#checks"};
  const auto* last = tested(facts, department);
  if (last == nullptr || history.checks == 0 || last->started.substr(0, 7) < history.flaky_since)
    return not_known("no check was asked " + since);
  return {Tone::good, "no flaky check", since};
}

}  // namespace

const char* to_string(Step step) {
  switch (step) {
    case Step::detect: return "1 detect";
    case Step::assess: return "2 assess";
    case Step::acquire: return "3 acquire";
    case Step::test: return "4 test";
    case Step::decide: return "decide";
    case Step::deploy: return "5 deploy";
    case Step::maintain: return "6 maintain";
  }
  return "";
}
const char* word_of(Step step) {
  const std::string_view text = to_string(step);
  const auto blank = text.find(' ');
  return blank == std::string_view::npos ? to_string(step) : to_string(step) + blank + 1;
}
const char* question_of(Step step) {
  switch (step) {
    case Step::detect: return "What is missing?";
    case Step::assess: return "What is due when?";
    case Step::acquire: return "Are these the publisher's bytes?";
    case Step::test: return "Does every role still work?";
    case Step::decide: return "May it be deployed?";
    case Step::deploy: return "Did the machines take it?";
    case Step::maintain: return "Can the checks be trusted?";
  }
  return "";
}

bool is_lacking(const ScannedItem& item) { return item.status == "missing" || item.status == "known-bad"; }

Missing missing_in(const Facts& facts, const std::string& department) {
  Missing sum;
  if (!facts.scan) return sum;
  const auto today = today_of(facts);
  std::set<std::string> updates, known_bad, machines, exploited, overdue;
  for (const auto& item : facts.scan->items) {
    if (item.department != department) continue;
    if (item.status == "unknown") ++sum.unknown;
    sum.open += item.open;
    if (!is_lacking(item)) continue;
    if (item.status == "known-bad") known_bad.insert(item.item);
    updates.insert(item.item);
    machines.insert(item.machine);
    if (item.is_exploited()) exploited.insert(item.item);
    if (item.due.empty()) continue;
    if (item.due < today)
      overdue.insert(item.item);
    else if (sum.next_due.empty() || item.due < sum.next_due)
      sum.next_due = item.due;
  }
  sum.updates = updates.size();
  sum.known_bad = known_bad.size();
  sum.machines = machines.size();
  sum.exploited = exploited.size();
  sum.overdue = overdue.size();
  return sum;
}

Standing standing_of(const Facts& facts, const std::string& department, Step step) {
  switch (step) {
    case Step::detect: return detect(facts, department);
    case Step::assess: return assess(facts, department);
    case Step::acquire: return acquire(facts, department);
    case Step::test: return test(facts, department);
    case Step::decide: return decide(facts, department);
    case Step::deploy: return deploy(facts, department);
    case Step::maintain: return maintain(facts, department);
  }
  return {};
}

}  // namespace patchlab::process::page
