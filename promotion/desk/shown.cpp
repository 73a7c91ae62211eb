// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/shown.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>

#include "lab/core/time.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

reports::RequirementRecord line_of(const Requirement& requirement) {
  reports::RequirementRecord line{.code = to_string(requirement.code),
                                  .about = {},
                                  .subject = to_string(requirement.subject),
                                  .met = requirement.met,
                                  .text = requirement.text,
                                  .command = requirement.command,
                                  .waived = requirement.waived,
                                  .by_people = is_for_people(requirement.code)};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) line.about[key] = value;
  };
  const auto& subject = requirement.subject;
  add("run", subject.run);
  add("department", subject.department);
  add("machine", subject.machine);
  add("check", subject.check);
  add("phase", subject.phase);
  add("candidate", subject.candidate);
  add("trial", subject.trial);
  add("kind", subject.kind);
  add("item", subject.item);
  add("digest", subject.digest);
  add("candidates", fmt::format("{}", fmt::join(subject.candidates, ", ")));
  return line;
}

// The last promotion of this very record, and the one that took its place in the same stage.
void tell_publication(reports::DecisionRecord& shown, const reports::RunRecord& record, const Standing& standing) {
  const auto digest = reports::record_digest(record);
  const PastPromotion* ours = nullptr;
  const PastPromotion* last = nullptr;
  for (const auto& promotion : standing.promotions) {
    if (promotion.department != shown.department) continue;
    if (promotion.run == record.id && promotion.record_digest == digest) ours = &promotion;
    if (ours != nullptr && promotion.stage == ours->stage) last = &promotion;
  }
  if (ours == nullptr) return;
  shown.state = last == ours ? reports::DecisionState::promoted : reports::DecisionState::replaced;
  if (last != ours) shown.replaced_by = last->run;
  shown.since = ours->time;
  if (!ours->stage.empty()) shown.stage = ours->stage;
  shown.manifest_digest = ours->manifest_digest;
  shown.candidates = ours->candidates;
}

// That this very record was published through the emergency lane, and what became of the review.
void tell_emergency(reports::DecisionRecord& shown, const reports::RunRecord& record, const Today& today) {
  const auto all = today.emergencies.find(shown.department);
  if (all == today.emergencies.end()) return;
  for (const auto& past : all->second) {
    if (past.record_digest != reports::record_digest(record)) continue;
    shown.emergency = {past.use.reason, past.use.ticket, past.use.review_by, past.answered};
  }
}

}  // namespace

reports::DecisionRecord shown(const Decision& decision, const reports::RunRecord& record, const Today& today) {
  reports::DecisionRecord shown{
      .department = decision.department,
      .state = decision.promotes() ? reports::DecisionState::promotable : reports::DecisionState::refused,
      .as_of = rfc3339(today.now),
      .by = decision.by,
      .candidates = decision.promotable,
      .trial = decision.trial};
  std::ranges::transform(decision.requirements, std::back_inserter(shown.requirements), line_of);
  std::ranges::transform(decision.held_back, std::back_inserter(shown.requirements), line_of);
  for (const auto& one : decision.waived) {
    shown.waived.push_back(
        {one.key, one.outcome, one.by, one.approved_by, one.until, one.reason, one.ticket, one.line});
  }
  if (today.standing && today.standing->recorded) tell_publication(shown, record, *today.standing);
  const auto published = today.published.find(decision.department);
  const bool is_ours = shown.state == reports::DecisionState::promoted && published != today.published.end() &&
                       published->second.run == record.id;
  if (is_ours && !published->second.rollback.empty()) {
    if (!shown.by.empty()) shown.by += "; ";
    shown.by += "back from a newer run: " + published->second.rollback;
  }
  if (decision.emergency) {
    shown.emergency = {decision.emergency->reason, decision.emergency->ticket, decision.emergency->review_by, {}};
  } else if (shown.state == reports::DecisionState::promoted || shown.state == reports::DecisionState::replaced) {
    tell_emergency(shown, record, today);
  }
  return shown;
}

std::vector<Explanation> explain(const reports::RunRecord& record, const reports::Decisions& decisions,
                                 const std::string& candidate) {
  std::vector<Explanation> all;
  for (const auto& department : record.departments) {
    const auto& decision = decision_of(decisions, department.name);
    Explanation explanation{.department = department.name,
                            .verdict = reports::find_verdict(department, candidate),
                            .promoted = is_promoted(decision, candidate),
                            .goes_along = std::ranges::count(decision.candidates, candidate) > 0,
                            .word = word_for(decision, candidate),
                            .by = decision.by,
                            .requirements = {}};
    for (const auto& requirement : decision.requirements) {
      const auto about = requirement.about.find("candidate");
      if (about == requirement.about.end() || about->second == candidate)
        explanation.requirements.push_back(requirement);
    }
    all.push_back(std::move(explanation));
  }
  return all;
}

}  // namespace patchlab::promotion
