// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/gate/gate.hpp"

namespace patchlab::promotion {
namespace {

Today today_of(const Proving& proving, const std::string& department, const Story& story) {
  Today today{.now = story.when};
  today.standing = Standing{.recorded = true};
  today.people[department] = {story.people};
  // Going back need not wait for a review.
  if (story.statement.kind != StatementKind::rollback) {
    for (const auto& review : story.reviews) {
      if (review.is_open()) today.open_reviews[department].push_back(review.asked);
    }
  }
  if (const auto use = emergency_of(story.statement)) {
    today.lane = Lane::emergency;
    today.emergency = *use;
  }
  const auto* last = proving.before(*story.promotion);
  if (last == nullptr) return today;
  auto& coverage = today.last_promoted[department];
  coverage.state = LastPromoted::Known::unknown;
  coverage.line = last->last_line;
  coverage.why = fmt::format("the record of the promotion of line {} is not here", last->line);
  const auto bytes = proving.objects.get(last->statement);
  const auto facts = bytes ? statement_facts(*bytes, "statement") : Result<StatementFacts>(bytes.error());
  const auto record = facts ? proving.record_of(facts->run) : Result<reports::RunRecord>(facts.error());
  if (!record) return today;
  const auto found = std::ranges::find(record->departments, department, &reports::DepartmentRecord::name);
  if (found == record->departments.end()) return today;
  coverage = {LastPromoted::Known::known, coverage_of(*record, *found), {}, last->last_line};
  if (story.statement.kind != StatementKind::rollback) today.published[department] = {record->id, record->finished};
  return today;
}

}  // namespace

void look_at_gate(Proving& proving, const std::string& department, const Story& story) {
  if (!story.record || !story.policy || !proving.trust) return;
  const auto decision = decide(*story.record, department, *story.policy, today_of(proving, department, story));
  if (!decision.promotes()) {
    std::string reasons;
    for (const auto& requirement : decision.blocking())
      reasons += (reasons.empty() ? "" : "; ") + to_string(requirement);
    return proving.broken(department, LinkKind::gate, "refuses what was promoted: " + printable(reasons));
  }
  if (decision.promotable != story.manifest->candidates)
    return proving.broken(
        department, LinkKind::gate,
        fmt::format("promotes {}, and {} was", listed(decision.promotable), listed(story.manifest->candidates)));
  for (const auto& review : story.reviews) {
    const auto due = std::min(review.asked.due,
                              review.asked.promoted + (story.policy->emergency ? story.policy->emergency->review_within
                                                                               : std::chrono::days(0)));
    if (review.unknown.empty() || story.when < due || story.statement.kind == StatementKind::rollback) continue;
    return proving.missing(
        department, LinkKind::gate,
        fmt::format("nobody can tell whether the emergency promotion of line {} was reviewed by then: {}", review.line,
                    review.unknown));
  }
  // It was decided before the line was written: the review may be due earlier than from then, not later.
  if (decision.emergency &&
      *parse_rfc3339(*story.statement.review_by) > story.when + story.policy->emergency->review_within)
    return proving.broken(
        department, LinkKind::gate,
        fmt::format("the policy asks for a review by {}, and line {} gives until {}", decision.emergency->review_by,
                    story.promotion->line, *story.statement.review_by));
  proving.holds(department, LinkKind::gate,
                fmt::format("decides the same as of {}{}", proving.line(story.promotion->line).time,
                            decision.emergency ? ", as an emergency" : ""));
}

}  // namespace patchlab::promotion
