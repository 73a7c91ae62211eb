// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/monday.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "lab/core/time.hpp"
#include "process/feeds/feed.hpp"
#include "process/page/standing.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {
namespace {

using Key = std::pair<std::string, std::string>;  // department, update

class List {
 public:
  explicit List(const Facts& facts)
      : facts_(facts),
        today_(day_text(std::chrono::floor<std::chrono::days>(facts.taken))),
        soon_(day_text(std::chrono::floor<std::chrono::days>(facts.taken) + std::chrono::days(days_at_risk))) {}

  Monday made() {
    if (facts_.scan) read_scan();
    if (facts_.history) read_failures();
    say_not_known();
    for (auto& [key, row] : rows_) {
      if (!row.overdue && !row.at_risk && !row.blocked) continue;
      row.next = next_for(row);
      monday_.rows.push_back(std::move(row));
    }
    std::ranges::stable_sort(monday_.rows, {}, [](const MondayRow& row) {
      return std::tuple(!row.overdue, !row.at_risk, row.due.empty(), row.due);
    });
    return std::move(monday_);
  }

 private:
  void read_scan() {
    monday_.scan_day = facts_.scan->day;
    for (const auto& item : facts_.scan->items) {
      if (item.item.empty()) continue;
      const Key key(item.department, item.item);
      if (!is_lacking(item)) {
        settled_.insert(key);
        continue;
      }
      auto& row = rows_[key];
      row.department = item.department;
      row.update = item.item;
      row.machines.push_back(item.machine);
      if (!item.due.empty() && (row.due.empty() || item.due < row.due)) row.due = item.due;
      if (item.status == "known-bad") {
        row.blocked = true;
        add(row, "known to be bad: " + item.why);
      }
      for (const auto& one : item.vulnerabilities) {
        if (one.exploited_since.empty()) continue;
        row.at_risk = true;
        add(row, fmt::format("{} is exploited since {}", one.cve, one.exploited_since));
      }
    }
    for (auto& [key, row] : rows_) judge_due(row);
  }

  void judge_due(MondayRow& row) {
    if (row.due.empty()) return;
    if (row.due < today_) {
      row.overdue = true;
      add(row, "was due on " + row.due);
      return;
    }
    const auto* window = window_of(row.department);
    if (window == nullptr && row.due <= soon_) {
      row.at_risk = true;
      add(row, fmt::format("is due on {}, within {} days", row.due, days_at_risk));
    } else if (window != nullptr && window->empty()) {
      row.at_risk = true;
      add(row, fmt::format("is due on {}, and no window opens", row.due));
    } else if (window != nullptr && row.due <= *window) {
      row.at_risk = true;
      add(row,
          fmt::format("is due on {}: the next window, which closes on {}, is the last one in time", row.due, *window));
    }
  }

  // Null: nobody knows.
  [[nodiscard]] const std::string* window_of(const std::string& department) const {
    if (!facts_.windows) return nullptr;
    const auto found = facts_.windows->find(department);
    return found == facts_.windows->end() ? nullptr : &found->second;
  }

  void read_failures() {
    for (const auto& failure : facts_.history->failed) {
      const Key key(failure.department, failure.candidate);
      const auto lacking = rows_.find(key);
      // The scan says that nobody lacks it any more.
      if (lacking == rows_.end() && settled_.contains(key)) continue;
      auto& row = rows_[key];
      row.department = failure.department;
      row.update = failure.candidate;
      row.blocked = true;
      row.run = failure.run;
      // The reason names what it broke.
      const auto& why = failure.reason.empty() ? failure.failed : failure.reason;
      const auto where = failure.tested_in.empty()
                             ? std::string()
                             : fmt::format(", in '{}', which was tested for it", failure.tested_in);
      add(row, fmt::format("failed in run {}{}{}{}", failure.run, where, why.empty() ? "" : ": ", why));
    }
  }

  void say_not_known() {
    auto& said = monday_.not_known;
    if (!facts_.stale.empty()) return said.push_back(facts_.stale);
    if (!facts_.scan) {
      said.push_back(fmt::format("what is missing and due: {}", facts_.scan.why));
    } else {
      const auto age = scan_age_days(facts_);
      if (!age || *age < 0)
        said.emplace_back("the scan's day cannot be right");
      else if (*age > facts_.scan_max_age_days)
        said.push_back(fmt::format("what is due since the scan of {}, {} old: patchlab scan", facts_.scan->day,
                                   days_text(static_cast<long>(*age))));
      const auto unknown = std::ranges::count(facts_.scan->items, "unknown", &ScannedItem::status);
      if (unknown > 0)
        said.push_back(fmt::format("what {} of the scan would say, which nobody can tell",
                                   reports::html::counted(static_cast<std::size_t>(unknown), "row", "rows")));
      if (!facts_.scan->whole && unknown == 0) said.emplace_back("the scan does not know everything");
      say_windows();
    }
    if (!facts_.history) said.push_back(fmt::format("what failed in a test: {}", facts_.history.why));
    if (!facts_.waiting) said.push_back(fmt::format("what waits for people: {}", facts_.waiting.why));
  }

  void say_windows() {
    std::vector<std::string> without;
    for (const auto& [key, row] : rows_) {
      if (window_of(row.department) == nullptr && std::ranges::count(without, row.department) == 0)
        without.push_back(row.department);
    }
    if (without.empty()) return;
    monday_.not_known.push_back(
        facts_.windows ? fmt::format("the calendar says nothing of {}: what is due there within {} days is listed",
                                     fmt::join(without, ", "), days_at_risk)
                       : fmt::format("when the next windows are: {}: what is due within {} days is listed",
                                     facts_.windows.why, days_at_risk));
  }

  [[nodiscard]] std::string next_for(const MondayRow& row) const {
    if (!row.run.empty())
      return fmt::format(
          "patchlab explain {} --run {}; wait for a better version, or waive exactly that failure: patchlab waive",
          row.update, row.run);
    if (row.blocked) return "wait for the version that mends it, or protect the machines otherwise";
    if (facts_.waiting) {
      for (const auto& set : *facts_.waiting) {
        if (set.department != row.department || std::ranges::count(set.set, row.update) == 0) continue;
        return set.whom.empty() ? set.command : fmt::format("{}: {}", fmt::join(set.whom, ", "), set.command);
      }
    }
    if (facts_.acquired) {
      for (const auto& one : facts_.acquired->items) {
        if (one.item != row.update) continue;
        if (one.state == "to-bring" || one.state == "quarantined" || one.state == "failed")
          return fmt::format("{} is {}: bring it, then patchlab acquire", one.name, one.state);
        if (one.state == "unfinished")
          return fmt::format("{} is unfinished: wait until all of it is there, then patchlab acquire", one.name);
      }
    }
    const auto runs = under_way();
    if (runs.empty()) return "test it: patchlab plan, patchlab run";
    return fmt::format("test it, unless {} does, which has no end yet: patchlab plan, patchlab run", runs);
  }

  // Runs that began within the longest that one usually may take, and have not ended. What they test is not known yet.
  [[nodiscard]] std::string under_way() const {
    if (!facts_.history) return {};
    std::vector<std::string> runs;
    for (const auto& one : facts_.history->newest.open) {
      const auto begun = parse_rfc3339(one.begun);
      if (begun && *begun > facts_.taken - std::chrono::hours(24)) runs.push_back("run " + one.id);
    }
    return fmt::format("{}", fmt::join(runs, " or "));
  }

  static void add(MondayRow& row, std::string sentence) {
    if (std::ranges::count(row.why, sentence) == 0) row.why.push_back(std::move(sentence));
  }

  const Facts& facts_;
  std::string today_, soon_;
  std::map<Key, MondayRow> rows_;
  std::set<Key> settled_;  // that the scan knows, and nobody lacks
  Monday monday_;
};

}  // namespace

std::string words_of(const MondayRow& row) {
  std::vector<std::string> words;
  if (row.overdue) words.emplace_back("overdue");
  if (row.at_risk) words.emplace_back("at risk");
  if (row.blocked) words.emplace_back("blocked");
  return fmt::format("{}", fmt::join(words, ", "));
}

Monday monday_of(const Facts& facts) { return List(facts).made(); }

}  // namespace patchlab::process::page
