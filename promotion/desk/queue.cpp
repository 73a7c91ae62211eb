// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::promotion {
namespace {

using reports::DecisionState;
using reports::RequirementRecord;

bool is_of_one_candidate(const RequirementRecord& requirement) {
  return requirement.about.contains("candidate") && requirement.code.starts_with("candidate-");
}

// Whether everything that the requirement is about was observed, and failed: an error stands where a failure would.
bool was_observed(const reports::RunRecord& record, const std::string& department,
                  const RequirementRecord& requirement) {
  const auto about = [&](const char* key, const std::string& value) {
    const auto found = requirement.about.find(key);
    return found == requirement.about.end() || found->second == value;
  };
  const auto found = reports::find_as_tested(record, department);
  if (found == nullptr) return false;
  for (const auto& trial : found->trials) {
    if (!requirement.about.contains("trial") || !about("trial", trial.id)) continue;
    const auto* facts = reports::facts_of(*found, trial);
    if (facts == nullptr || trial.error || facts->error) return false;
    return std::ranges::none_of(facts->phases, [&](const reports::PhaseRecord& phase) {
      if (!about("machine", phase.machine) || !about("phase", phase.phase)) return false;
      return phase.error || std::ranges::any_of(phase.checks, [&](const checks::CheckResult& check) {
               return about("check", check.id) && (check.error || check.outcome == Outcome::error);
             });
    });
  }
  return false;
}
// A failure that somebody may accept: of a check or a change of the guest, seen in the set; or what convicts one of it.
bool can_be_waived(const reports::RunRecord& record, const std::string& department,
                   const RequirementRecord& requirement) {
  const auto& code = requirement.code;
  if (!requirement.about.contains("check") || !requirement.about.contains("machine")) return false;
  if (code == "not-reproduced" || code == "candidate-failed") return true;
  return code == "final-trial-failed" && was_observed(record, department, requirement);
}
// That a trial or phase failed is said besides what failed in it: it is met with that.
bool is_sum_of_failures(const reports::RunRecord& record, const reports::DecisionRecord& decision,
                        const RequirementRecord& sum) {
  if (sum.code != "final-trial-failed" || sum.about.contains("check") ||
      !was_observed(record, decision.department, sum))
    return false;
  return std::ranges::any_of(decision.requirements, [&](const RequirementRecord& one) {
    return !one.met && one.code == sum.code && can_be_waived(record, decision.department, one) &&
           std::ranges::all_of(sum.about, [&](const auto& entry) {
             const auto found = one.about.find(entry.first);
             return found != one.about.end() && found->second == entry.second;
           });
  });
}

std::string waive_command(const reports::RunRecord& record, const std::string& department,
                          const std::vector<std::string>& with, const std::string& what) {
  std::string command = fmt::format("patchlab waive {} --department {}", record.id, department);
  for (const auto& id : with) command += " --with " + id;
  return command + fmt::format(" --what {} --until TIME --ticket TICKET --reason REASON --key KEY", what);
}

// Those of the set that go along only because something of them was waived.
std::vector<std::string> held_back_of(const reports::RunRecord& record, const std::string& department,
                                      const std::vector<std::string>& set) {
  std::vector<std::string> held_back;
  const auto found = reports::find_as_tested(record, department);
  for (const auto& id : set) {
    const auto* verdict = found == nullptr ? nullptr : reports::find_verdict(*found, id);
    if (verdict != nullptr && verdict->outcome == Outcome::fail) held_back.push_back(id);
  }
  return held_back;
}

// What could still be done where everything that applies was held back: the command with which the first of it would
// go along. Empty: nothing could.
std::string how_to_accept(const reports::RunRecord& record, const std::string& department) {
  const auto found = reports::find_as_tested(record, department);
  if (found == nullptr) return {};
  std::string what;
  std::vector<std::string> with;
  for (const auto& verdict : found->verdicts) {
    if (verdict.outcome != Outcome::fail || verdict.failed.empty()) continue;
    with.push_back(verdict.candidate);
    if (what.empty()) what = verdict.failed.front();
  }
  if (what.empty()) return {};
  return fmt::format("; whoever accepts what failed may waive it: {}", waive_command(record, department, with, what));
}

// A change that nobody looked at yet: its command says what to accept, or to approve what was accepted.
bool is_to_be_accepted(const RequirementRecord& requirement) {
  return requirement.code == "needs-decision" && requirement.command.starts_with("patchlab waive");
}

std::vector<std::string> set_of(const reports::RunRecord& record, const reports::DecisionRecord& decision) {
  if (!decision.candidates.empty()) return decision.candidates;
  const auto department = reports::find_as_tested(record, decision.department);
  if (department == nullptr) return {};
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
  if (approvals) names = people->could_approve;
  // Who approved without it may approve again and name it.
  if (std::ranges::count(missing, "ticket-missing", &RequirementRecord::code) > 0) {
    std::set<std::string> all(people->could_approve.begin(), people->could_approve.end());
    for (const auto& approval : people->approvals) all.insert(approval.by);
    names.assign(all.begin(), all.end());
  }
  return names;
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
    if (is_sum_of_failures(record, decision, requirement)) continue;
    if (!requirement.by_people && !can_be_waived(record, decision.department, requirement)) {
      entry.why = to_string(requirement);
      if (requirement.code == "nothing-to-promote") entry.why += how_to_accept(record, decision.department);
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
  if (!waiting.missing.empty() && can_be_waived(record, decision.department, waiting.missing.front())) {
    const auto& about = waiting.missing.front().about;
    waiting.command = waive_command(record, decision.department, held_back_of(record, decision.department, waiting.set),
                                    about.at("machine") + "/" + about.at("check"));
  }
  entry.state = QueueEntry::State::waiting;
  entry.waiting = std::move(waiting);
  return entry;
}

}  // namespace patchlab::promotion
