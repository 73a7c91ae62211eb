// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/summary.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "reports/record/carried.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/severity.hpp"

namespace patchlab::reports {
namespace {

bool has_passed(const DepartmentRecord& department) {
  return std::ranges::count(department.verdicts, Outcome::pass, &VerdictRecord::outcome) > 0;
}

// What stands in the way of everything that passed: not what candidates did that are held back anyway.
std::vector<const RequirementRecord*> in_the_way(const DecisionRecord& decision) {
  std::vector<const RequirementRecord*> found;
  for (const auto& requirement : decision.requirements) {
    if (requirement.met || (requirement.about.contains("candidate") && requirement.code.starts_with("candidate-")))
      continue;
    found.push_back(&requirement);
  }
  // Nobody is to be asked to approve what must be run again anyway.
  std::ranges::stable_sort(found, {}, [](const auto* one) { return one->by_people; });
  return found;
}

bool waits_for_people(const DecisionRecord& decision) {
  const auto obstacles = in_the_way(decision);
  return decision.state == DecisionState::refused && !obstacles.empty() &&
         std::ranges::all_of(obstacles, [](const auto* one) { return one->by_people; });
}

SummaryDecision decision_in(const DepartmentRecord& department, const DecisionRecord& decision) {
  const bool any = has_passed(department) || !decision.candidates.empty();
  switch (decision.state) {
    case DecisionState::promoted: return {Decided::promoted, Outcome::pass, "promoted", {}};
    case DecisionState::replaced: return {Decided::nothing, Outcome::skipped, "promoted, then replaced", {}};
    case DecisionState::promotable: return {Decided::promotable, Outcome::pass, "may be promoted", {}};
    case DecisionState::undecided:
      if (!any) return {Decided::nothing, Outcome::skipped, "nothing passed", {}};
      return {Decided::unasked, Outcome::not_reached, "nobody was asked", {}};
    case DecisionState::refused: break;
  }
  if (!any) return {Decided::nothing, Outcome::skipped, "nothing passed, so nothing is promoted", {}};
  const auto obstacles = in_the_way(decision);
  if (waits_for_people(decision))
    return {Decided::waiting, Outcome::not_reached, "waits for people: " + obstacles.front()->code, {}};
  return {Decided::refused,
          Outcome::fail,
          obstacles.empty() ? "not promoted" : "not promoted: " + obstacles.front()->code,
          {}};
}

std::vector<SummaryDecision> decisions_in(const RunRecord& record, const Decisions& decisions) {
  std::vector<SummaryDecision> all;
  for (const auto& department : record.departments) {
    auto one = decision_in(*as_tested(record, department), decision_of(decisions, department.name));
    const auto same = std::ranges::find(all, one.text, &SummaryDecision::text);
    if (same == all.end()) {
      one.departments = {department.name};
      all.push_back(std::move(one));
    } else {
      same->departments.push_back(department.name);
    }
  }
  constexpr std::array order{Outcome::fail, Outcome::error, Outcome::not_reached, Outcome::pass, Outcome::skipped};
  std::ranges::stable_sort(all, {},
                           [&](const auto& one) { return std::ranges::find(order, one.outcome) - order.begin(); });
  return all;
}

std::vector<SummaryHeld> held_in(const RunRecord& record, const Decisions& decisions) {
  std::vector<SummaryHeld> all;
  std::vector<const CandidateRecord*> candidates;
  for (const auto& candidate : record.candidates) {
    if (&candidate == find_candidate(record, candidate.id)) candidates.push_back(&candidate);
  }
  std::ranges::stable_sort(candidates, {}, [](const auto* candidate) { return severity_rank(candidate->severity); });
  for (const auto* candidate : candidates) {
    const auto first = all.size();
    for (const auto& department : record.departments) {
      if (!department.tested_in.empty()) continue;  // said of the department that was tested
      const auto* verdict = find_verdict(department, candidate->id);
      const auto outcome = verdict == nullptr ? Outcome::not_reached : verdict->outcome;
      if (outcome == Outcome::pass || outcome == Outcome::skipped) continue;
      std::string text = outcome == Outcome::not_reached ? "not reached" : "undecided";
      if (outcome == Outcome::fail) {
        text = verdict->group.empty() ? "held back"
                                      : fmt::format("held back together with {}", fmt::join(verdict->group, ", "));
        const auto& decision = decision_of(decisions, department.name);
        if (std::ranges::count(decision.candidates, candidate->id) > 0)
          text = fmt::format("fails, waived, {}", word_for(decision, candidate->id));
      }
      const auto same = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(first), all.end(),
                                     [&](const auto& one) { return one.text == text; });
      if (same != all.end()) {
        same->departments.push_back(department.name);
        continue;
      }
      all.push_back({candidate->id,
                     candidate->severity,
                     outcome,
                     text,
                     {department.name},
                     verdict == nullptr || verdict->failed.empty() ? std::string() : verdict->failed.front()});
    }
  }
  std::ranges::stable_sort(all, {}, [](const SummaryHeld& held) { return held.outcome != Outcome::fail; });
  return all;
}

class Tasks {
 public:
  void add(const std::string& department, const std::string& text, const std::string& command = {}) {
    auto same = std::ranges::find(all_, text, &SummaryTask::text);
    if (same == all_.end()) same = all_.insert(all_.end(), {{}, text, {}});
    const auto note = [&](std::vector<std::string>& departments) {
      if (!department.empty() && std::ranges::count(departments, department) == 0) departments.push_back(department);
    };
    note(same->departments);
    if (command.empty()) return;
    const auto known = std::ranges::find(same->commands, command, &SummaryCommand::line);
    if (known == same->commands.end())
      same->commands.push_back({command, {department}});
    else
      note(known->departments);
  }
  std::vector<SummaryTask> take() { return std::move(all_); }

 private:
  std::vector<SummaryTask> all_;
};

// Each change that nothing explains is a decision of its own. The command for one names it; of several, the queue has
// those of all.
void add_findings(Tasks& tasks, const std::string& department, const std::vector<const RequirementRecord*>& obstacles) {
  std::vector<const RequirementRecord*> findings;
  std::ranges::copy_if(obstacles, std::back_inserter(findings),
                       [](const auto* one) { return one->code == "needs-decision"; });
  if (findings.size() == 1)
    return tasks.add(
        department,
        "look at what changed, before and after, and accept it or hold back what did it: " + findings.front()->text,
        findings.front()->command);
  const bool can_be_accepted = std::ranges::any_of(findings, [](const auto* one) { return !one->command.empty(); });
  tasks.add(
      department,
      fmt::format("look at {} changes, before and after, and accept each or hold back what did it", findings.size()),
      can_be_accepted ? "patchlab queue" : "");
}

void add_decision(Tasks& tasks, const RunRecord& record, const DepartmentRecord& department,
                  const DecisionRecord& decision) {
  const auto& name = department.name;
  if (decision.emergency.is_open())
    tasks.add(name,
              fmt::format("review the emergency ({}) by {}", decision.emergency.ticket, decision.emergency.review_by));
  switch (decision.state) {
    case DecisionState::promoted:
    case DecisionState::replaced: return;
    case DecisionState::promotable: return tasks.add(name, "promote what passed", "patchlab promote " + record.id);
    case DecisionState::undecided:
      if (has_passed(department) && record.complete && !record.error)
        tasks.add(name, "ask whether what passed may be promoted", "patchlab report " + record.id);
      return;
    case DecisionState::refused: break;
  }
  if (!has_passed(department) && decision.candidates.empty()) return;
  const auto obstacles = in_the_way(decision);
  if (obstacles.empty()) return;
  const auto& first = *obstacles.front();
  if (first.code == "needs-decision") return add_findings(tasks, name, obstacles);
  tasks.add(name, fmt::format("{}: {}", first.code, first.text), first.command);
}

std::vector<SummaryTask> tasks_in(const RunRecord& record, const Decisions& decisions,
                                  const std::vector<RunFact>& facts, ExitCode code) {
  Tasks tasks;
  if (code == ExitCode::fence_breach) {
    for (const auto& fact : facts) {
      if (fact.code == "fence-breach" && !fact.is_part())
        tasks.add(fact.department, "promote nothing of this run; find out why " +
                                       fact.sentence.substr(fact.sentence.rfind(": ") + 2) + ", and run again");
    }
    return tasks.take();
  }
  const auto again = [](const std::string& trouble, const std::string& hint) {
    return fmt::format("mend this and run again: {}{}{}", trouble, hint.empty() ? "" : "; ", hint);
  };
  for (const auto& fact : facts) {
    if (!fact.stands_against() || fact.is_part()) continue;
    if (fact.kind == FactKind::run) {
      if (fact.code == "run-incomplete" || !record.complete)
        tasks.add({}, "run it again: it was interrupted before its end");
      else if (record.error)
        tasks.add({}, again(record.error->message, record.error->hint));
      else
        tasks.add({}, "look why: " + fact.sentence);
    } else if (fact.kind == FactKind::department) {
      tasks.add(fact.department, again(fact.sentence, fact.detail.substr(0, fact.detail.find('\n'))));
    } else if (fact.kind == FactKind::fence) {
      if (decision_of(decisions, fact.department).state == DecisionState::undecided)
        tasks.add(fact.department, again(fact.sentence, {}));
    } else if (fact.kind == FactKind::flaky) {
      tasks.add(fact.department, fmt::format("look why {} failed and passed", fact.subject));
    }
  }
  for (const auto& department : record.departments)
    add_decision(tasks, record, department, decision_of(decisions, department.name));
  // What a candidate broke is settled when it is held back. All else needs somebody, also where nothing above says who.
  auto all = tasks.take();
  const auto loose = std::ranges::find_if(facts, [](const RunFact& fact) {
    return fact.stands_against() && fact.code != "candidate-fails" && fact.code != "candidates-fail-together" &&
           fact.asks_for != ExitCode::only_skips;
  });
  if (all.empty() && loose != facts.end())
    all.push_back({{}, fmt::format("look at it, and run again: {}: {}", name_of(*loose), loose->sentence), {}});
  return all;
}

std::string headline_of(const std::vector<RunFact>& facts, const RunSummary& summary) {
  std::vector<std::string> failing;
  std::size_t others = 0;
  std::vector<std::string> applies;
  for (const auto& fact : facts) {
    if (fact.kind != FactKind::verdict || fact.outcome == Outcome::skipped) continue;
    if (std::ranges::count(applies, fact.subject) == 0) applies.push_back(fact.subject);
    if (fact.outcome != Outcome::fail) ++others;
    if (fact.outcome == Outcome::fail && std::ranges::count(failing, fact.subject) == 0)
      failing.push_back(fact.subject);
  }
  const auto rest = [&]() -> std::string {
    if (others == 0 || summary.decisions.empty()) return {};
    const auto all = [&](Decided decided) {
      return std::ranges::all_of(summary.decisions, [&](const auto& one) {
        return one.decided == Decided::nothing || one.decided == decided;
      });
    };
    if (all(Decided::promoted)) return "what passed is promoted";
    if (all(Decided::promotable)) return "what passed may be promoted";
    if (all(Decided::waiting)) return "what passed waits for people";
    if (all(Decided::refused)) return "what passed may not be promoted";
    return {};
  };
  const auto with_rest = [&](std::string text) {
    const auto more = rest();
    return more.empty() ? text : text + "; " + more;
  };
  switch (summary.code) {
    case ExitCode::ok: return with_rest("Every candidate that applies passed");
    case ExitCode::candidate_fails:
      // Also when only a check of the set that was to be promoted fails, and nobody is convicted.
      if (failing.empty()) return "Something fails in the set that was to be promoted";
      return with_rest(fmt::format("{} of {} candidates {} something and {} held back", failing.size(), applies.size(),
                                   failing.size() == 1 ? "breaks" : "break", failing.size() == 1 ? "is" : "are"));
    case ExitCode::not_tested: return "Not everything that was planned was tested";
    case ExitCode::only_skips: return "No candidate applies to any machine";
    case ExitCode::policy:
      return summary.tone == Tone::waiting ? "Tested, and waiting for people to decide"
                                           : "Tested, but not promoted: the policy is not satisfied";
    case ExitCode::inconclusive: return "Something fails, and the culprit could not be named";
    case ExitCode::fence_breach:
      return "The fence leaked: something in the lab reached the outside. The whole run is void";
    case ExitCode::bad_configuration: return "The scenario or configuration is wrong";
    case ExitCode::error:
    case ExitCode::usage:
    case ExitCode::bad_data:
    case ExitCode::cannot_create: break;
  }
  return "The lab could not tell";
}

Outcome outcome_of(ExitCode code) {
  switch (code) {
    case ExitCode::ok: return Outcome::pass;
    case ExitCode::candidate_fails:
    case ExitCode::fence_breach: return Outcome::fail;
    case ExitCode::not_tested: return Outcome::not_reached;
    case ExitCode::only_skips: return Outcome::skipped;
    case ExitCode::policy:
    case ExitCode::inconclusive:
    case ExitCode::bad_configuration:
    case ExitCode::error:
    case ExitCode::usage:
    case ExitCode::bad_data:
    case ExitCode::cannot_create: break;
  }
  return Outcome::error;
}

Tone tone_of(const RunRecord& record, const Decisions& decisions, const RunSummary& summary) {
  if (summary.code == ExitCode::fence_breach) return Tone::breach;
  if (summary.code == ExitCode::candidate_fails && summary.tasks.empty()) return Tone::settled;
  const bool waiting = std::ranges::all_of(record.departments, [&](const DepartmentRecord& department) {
    const auto& decision = decision_of(decisions, department.name);
    return decision.state != DecisionState::refused || !has_passed(department) || waits_for_people(decision);
  });
  return summary.code == ExitCode::policy && waiting ? Tone::waiting : Tone::outcome;
}

}  // namespace

RunSummary summary_of(const RunRecord& record, const Decisions& decisions, const std::vector<RunFact>& facts) {
  RunSummary summary;
  summary.code = exit_code_of(facts);
  summary.outcome = outcome_of(summary.code);
  summary.decisions = decisions_in(record, decisions);
  summary.held = held_in(record, decisions);
  summary.tasks = tasks_in(record, decisions, facts, summary.code);
  summary.tone = tone_of(record, decisions, summary);
  summary.headline = headline_of(facts, summary);
  return summary;
}

std::string departments_text(const std::vector<std::string>& some, std::size_t of_all, std::size_t shown) {
  if (some.size() == of_all && of_all > 2) return fmt::format("all {} departments", of_all);
  if (some.size() <= shown) return fmt::format("{}", fmt::join(some, ", "));
  return fmt::format("{} and {} more",
                     fmt::join(some.begin(), some.begin() + static_cast<std::ptrdiff_t>(shown - 1), ", "),
                     some.size() - (shown - 1));
}

}  // namespace patchlab::reports
