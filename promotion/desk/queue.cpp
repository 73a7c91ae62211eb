// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/queue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

using reports::DecisionState;
using reports::RequirementRecord;

bool is_of_one_candidate(const RequirementRecord& requirement) {
  return requirement.about.contains("candidate") && requirement.code.starts_with("candidate-");
}
// A failure that somebody may accept: of a check or a change of the guest, seen in the set.
bool can_be_waived(const RequirementRecord& requirement) {
  return requirement.about.contains("check") &&
         (requirement.code == "not-reproduced" || requirement.code == "final-trial-failed");
}

// A change that nobody looked at yet: its command says what to accept, or to approve what was accepted.
bool is_to_be_accepted(const RequirementRecord& requirement) {
  return requirement.code == "needs-decision" && requirement.command.starts_with("patchlab waive");
}

std::vector<std::string> set_of(const reports::RunRecord& record, const reports::DecisionRecord& decision) {
  if (!decision.candidates.empty()) return decision.candidates;
  const auto department = std::ranges::find(record.departments, decision.department, &reports::DepartmentRecord::name);
  if (department == record.departments.end()) return {};
  const auto* trial =
      reports::find_trial(*department, decision.trial.empty() ? department->final_trial : decision.trial);
  return trial == nullptr ? std::vector<std::string>() : trial->candidates;
}

// Who can give what is missing first: whoever rejected takes it back, and who has not approved yet may.
std::vector<std::string> whom(const std::vector<RequirementRecord>& missing, const PeopleOn* people) {
  if (people == nullptr) return {};
  std::vector<std::string> names;
  for (const auto& objection : people->objections) {
    if (objection.code == ReasonCode::rejected && !objection.by.empty()) names.push_back(objection.by);
  }
  if (!names.empty()) return names;
  if (std::ranges::any_of(missing, is_to_be_accepted)) return people->could_waive;
  const bool approvals = std::ranges::any_of(missing, [](const RequirementRecord& one) {
    return one.code == "approval-missing" || one.code == "waiver-not-approved" || one.code == "check-changed" ||
           one.code == "needs-decision";
  });
  return approvals ? people->could_approve : names;
}

}  // namespace

void to_json(Json& json, const Waiting& waiting) {
  json = {{"department", waiting.department}, {"run", waiting.run},
          {"since", waiting.since},           {"set", waiting.set},
          {"severity", waiting.severity},     {"missing", waiting.missing},
          {"waived", waiting.waived},         {"waits_for", waiting.whom},
          {"command", waiting.command}};
}

QueueEntry queue_entry(const reports::RunRecord& record, const reports::DecisionRecord& decision,
                       const std::vector<PeopleOn>& people) {
  QueueEntry entry;
  switch (decision.state) {
    case DecisionState::promoted:
    case DecisionState::replaced:
      entry.state = QueueEntry::State::done;
      entry.why = decision.state == DecisionState::promoted
                      ? "is published"
                      : fmt::format("was replaced by run {}", decision.replaced_by);
      return entry;
    case DecisionState::undecided: entry.why = "nobody was asked"; return entry;
    case DecisionState::promotable:
    case DecisionState::refused: break;
  }
  Waiting waiting;
  waiting.department = decision.department;
  waiting.run = record.id;
  waiting.since = record.finished;
  waiting.set = set_of(record, decision);
  waiting.severity = reports::worst_severity(record, waiting.set);
  waiting.waived = decision.waived;
  for (const auto& requirement : decision.requirements) {
    // What is held back stands in nobody's way; a failure of the set that somebody has to waive does.
    if (requirement.met || (is_of_one_candidate(requirement) && !requirement.about.contains("check"))) continue;
    if (!requirement.by_people && !can_be_waived(requirement)) {
      entry.why = to_string(requirement);
      return entry;
    }
    waiting.missing.push_back(requirement);
  }
  auto sorted = waiting.set;
  std::ranges::sort(sorted);
  const auto of_set = std::ranges::find(people, sorted, &PeopleOn::set);
  waiting.whom = whom(waiting.missing, of_set == people.end() ? nullptr : &*of_set);
  waiting.command = waiting.missing.empty()
                        ? fmt::format("patchlab promote {} --department {}", record.id, decision.department)
                        : waiting.missing.front().command;
  if (!waiting.missing.empty() && can_be_waived(waiting.missing.front())) {
    const auto& about = waiting.missing.front().about;
    waiting.command = fmt::format(
        "patchlab waive {} --department {} --what {}/{} --until TIME --ticket TICKET --reason REASON --key KEY",
        record.id, decision.department, about.at("machine"), about.at("check"));
  }
  entry.state = QueueEntry::State::waiting;
  entry.waiting = std::move(waiting);
  return entry;
}

}  // namespace patchlab::promotion
