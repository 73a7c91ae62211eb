// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/facts.hpp"

#include <fmt/format.h>

#include <set>

#include "process/feeds/feed.hpp"

namespace patchlab::process::page {
namespace {

// Nothing: it is no day.
std::optional<std::int64_t> age_days(const Facts& facts, const std::string& text) {
  const auto day = day_in(text);
  if (!day) return std::nullopt;
  return (std::chrono::floor<std::chrono::days>(facts.taken) - *day).count();
}

}  // namespace

Facts out_of_date(const Facts& facts, const std::string& why) {
  Facts stale;
  stale.taken = facts.taken;
  stale.stage = facts.stage;
  stale.runs = facts.runs;
  stale.scan_max_age_days = facts.scan_max_age_days;
  stale.stale = stale.history.why = stale.scan.why = stale.acquired.why = stale.waiting.why = stale.production.why =
      stale.images.why = stale.windows.why = why;
  return stale;
}

std::vector<std::string> gaps_of(const Facts& facts) {
  std::vector<std::string> gaps;
  const auto add = [&](const char* what, const auto& known) {
    if (!known) gaps.push_back(fmt::format("{}: not known: {}", what, known.why));
  };
  add("what is missing on machines", facts.scan);
  add("what was acquired", facts.acquired);
  add("runs and decisions", facts.history);
  add("what waits for people", facts.waiting);
  add("what machines of production have", facts.production);
  add("what was put into golden images", facts.images);
  if (facts.scan) {
    const auto age = scan_age_days(facts);
    if (!age)
      gaps.push_back("the scan does not say of which day it is");
    else if (*age < 0)
      gaps.push_back(fmt::format("the scan is of {}, which is in the future", facts.scan->day));
    else if (*age > facts.scan_max_age_days)
      gaps.push_back(fmt::format("the scan is of {}, {} old: what is new since is not known", facts.scan->day,
                                 days_text(static_cast<long>(*age))));
    for (const auto& one : facts.scan->not_known) gaps.push_back("the scan does not know " + one);
    for (const auto& one : facts.scan->feeds_unusable) gaps.push_back("the scan had no use of a feed: " + one);
    if (!facts.scan->whole && facts.scan->not_known.empty() && facts.scan->feeds_unusable.empty())
      gaps.emplace_back("the scan does not know everything: what counts as worse until it is stands beside each");
  }
  if (facts.acquired) {
    if (auto doubt = acquired_doubt(facts); !doubt.empty()) gaps.push_back(std::move(doubt));
  }
  if (facts.acquired && !facts.acquired->whole)
    gaps.emplace_back("what is to be acquired may be more than is listed: its assessment did not know everything");
  if (facts.history) {
    if (!facts.history->has_ledger)
      gaps.emplace_back("the stage has no ledger: nothing is known of decisions, promotions and machines");
    for (const auto& one : facts.history->left_out) {
      if (!one.unfinished) gaps.push_back(fmt::format("no run of '{}' is in here: {}", one.folder, one.problem));
    }
  }
  for (const auto& one : facts.health) {
    if (one.health == Health::unknown) gaps.push_back(fmt::format("{} of the lab: {}", one.name, one.says));
  }
  return gaps;
}

std::optional<std::int64_t> scan_age_days(const Facts& facts) {
  return facts.scan ? age_days(facts, facts.scan->day) : std::nullopt;
}

std::optional<std::int64_t> acquired_age_days(const Facts& facts) {
  return facts.acquired ? age_days(facts, facts.acquired->day) : std::nullopt;
}

std::string acquired_when(const Facts& facts) {
  const auto age = acquired_age_days(facts);
  const auto of_day = "acquired on " + facts.acquired->day;
  return age && *age > 0 ? fmt::format("{}, {} old", of_day, days_text(static_cast<long>(*age))) : of_day;
}

std::string acquired_doubt(const Facts& facts) {
  const auto age = acquired_age_days(facts);
  if (!age) return "what was acquired does not say of which day it is";
  if (*age < 0) return fmt::format("what was acquired is of {}, which is in the future", facts.acquired->day);
  if (*age > facts.scan_max_age_days)
    return fmt::format("what was acquired is of {}, {} old: what is here now is not known", facts.acquired->day,
                       days_text(static_cast<long>(*age)));
  return {};
}

bool scan_says_all(const Facts& facts) {
  const auto age = scan_age_days(facts);
  return age && *age >= 0 && *age <= facts.scan_max_age_days && facts.scan->whole;
}

std::vector<std::string> departments_of(const Facts& facts) {
  std::set<std::string> names;
  if (facts.history) {
    for (const auto& one : facts.history->departments) names.insert(one.name);
  }
  if (facts.scan) {
    for (const auto& one : facts.scan->items) names.insert(one.department);
  }
  if (facts.waiting) {
    for (const auto& one : *facts.waiting) names.insert(one.department);
  }
  if (facts.production) {
    for (const auto& one : *facts.production) names.insert(one.department);
  }
  names.erase("");
  return {names.begin(), names.end()};
}

}  // namespace patchlab::process::page
