// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/exit_code.hpp"
#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports::html {
namespace {

struct Headline {
  Outcome outcome;  // whose shape it has
  const char* title;
  const char* tone = nullptr;  // colour of its own; null: the outcome's
  [[nodiscard]] std::string css() const { return tone == nullptr ? css_class(outcome) : tone; }
};

Headline headline_of(ExitCode code) {
  switch (code) {
    case ExitCode::ok: return {Outcome::pass, "Every candidate that applies passed"};
    case ExitCode::candidate_fails: return {Outcome::fail, "Some candidates break something and are held back"};
    case ExitCode::not_tested: return {Outcome::not_reached, "Not everything that was planned was tested"};
    case ExitCode::only_skips: return {Outcome::skipped, "No candidate applies to any machine"};
    case ExitCode::policy: return {Outcome::error, "Tested, but not promoted: the policy is not satisfied"};
    case ExitCode::inconclusive: return {Outcome::error, "Something fails, and the culprit could not be named"};
    case ExitCode::fence_breach:
      return {Outcome::fail, "The fence leaked: something in the lab reached the outside. The whole run is void.",
              "breach"};
    case ExitCode::bad_configuration: return {Outcome::error, "The scenario or configuration is wrong"};
    case ExitCode::error:
    case ExitCode::usage:
    case ExitCode::bad_data:
    case ExitCode::cannot_create: break;
  }
  return {Outcome::error, "The lab could not tell"};
}

std::size_t verdicts_with(const DepartmentRecord& department, Outcome outcome) {
  return static_cast<std::size_t>(std::ranges::count(department.verdicts, outcome, &VerdictRecord::outcome));
}

// "finance: 5 promoted, 4 held back"
std::string summary_of(const DepartmentRecord& department, const DecisionRecord& decision) {
  std::string text;
  const auto say = [&](std::size_t count, const char* what) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", count, what);
  };
  const auto passed = verdicts_with(department, Outcome::pass);
  switch (decision.state) {
    case DecisionState::promoted: say(passed, "promoted"); break;
    case DecisionState::replaced: say(passed, "promoted, then replaced"); break;
    case DecisionState::promotable: say(passed, "passed, may be promoted"); break;
    case DecisionState::refused: say(passed, "passed, not promoted"); break;
    case DecisionState::undecided: say(passed, "passed"); break;
  }
  say(verdicts_with(department, Outcome::fail), "held back");
  say(verdicts_with(department, Outcome::error), "undecided");
  say(verdicts_with(department, Outcome::skipped), "without a machine");
  say(verdicts_with(department, Outcome::not_reached), "not reached");
  return text.empty() ? "no verdict" : text;
}

Outcome shape_for(DecisionState state) {
  switch (state) {
    case DecisionState::promoted:
    case DecisionState::promotable: return Outcome::pass;
    case DecisionState::refused: return Outcome::fail;
    case DecisionState::replaced: return Outcome::skipped;
    case DecisionState::undecided: break;
  }
  return Outcome::not_reached;
}
const char* headline_word(DecisionState state) {
  switch (state) {
    case DecisionState::promoted: return "promoted";
    case DecisionState::replaced: return "promoted, then replaced";
    case DecisionState::promotable: return "may be promoted";
    case DecisionState::refused: return "not promoted";
    case DecisionState::undecided: break;
  }
  return "nobody was asked";
}

// The set in question: what the decision is about, else what passed.
std::vector<const CandidateRecord*> set_of(const RunRecord& record, const DepartmentRecord& department,
                                           const DecisionRecord& decision) {
  std::vector<const CandidateRecord*> set;
  for (const auto& candidate : record.candidates) {
    const auto* verdict = find_verdict(department, candidate.id);
    const bool is_in = decision.candidates.empty() ? verdict != nullptr && verdict->outcome == Outcome::pass
                                                   : std::ranges::count(decision.candidates, candidate.id) > 0;
    if (is_in) set.push_back(&candidate);
  }
  std::ranges::stable_sort(set, {}, [](const CandidateRecord* candidate) { return severity_rank(*candidate); });
  return set;
}

// "bind9-9.18.33 (important), tidy (low) and 3 more"
std::string names_of(const std::vector<const CandidateRecord*>& set) {
  constexpr std::size_t shown = 3;
  std::string text;
  for (std::size_t i = 0; i < set.size() && i < shown; ++i)
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", set[i]->id, set[i]->severity);
  if (set.size() > shown) text += fmt::format(" and {} more", set.size() - shown);
  return text.empty() ? "nothing" : text;
}

std::string tested_on(const DepartmentRecord& department) {
  std::size_t restarts = 0;
  std::size_t checks = 0;
  for (const auto& phase : department.phases) restarts += phase.starts_with("after-reboot") ? 1 : 0;
  for (const auto& machine : department.machines) checks += machine.checks.size();
  return fmt::format("{}, {}, {}; fence: {}, {}", counted(department.machines.size(), "machine", "machines"),
                     counted(checks, "check", "checks"), counted(restarts, "restart", "restarts"),
                     counted(department.fence.tries(), "attempt", "attempts"),
                     counted(department.fence.answers(), "answer", "answers"));
}

// What is held back, and with what it differs.
std::string differing(const DepartmentRecord& department, const DecisionRecord& decision) {
  constexpr std::size_t shown = 3;
  std::size_t count = 0;
  std::string text;
  for (const auto& verdict : department.verdicts) {
    if (verdict.outcome == Outcome::pass || verdict.outcome == Outcome::skipped) continue;
    if (std::ranges::count(decision.candidates, verdict.candidate) > 0) continue;
    if (++count > shown) continue;
    text += fmt::format("{}{} ({})", count == 1 ? "held back: " : ", ", verdict.candidate,
                        verdict.failed.empty() ? to_string(verdict.outcome) : verdict.failed.front());
  }
  if (count > shown) text += fmt::format(" and {} more", count - shown);
  return text.empty() ? "nothing" : text;
}

void say_what_to_do(Page& page, const RunRecord& record, const DecisionRecord& decision) {
  switch (decision.state) {
    case DecisionState::promoted: return void(page.text("nothing: published " + time_text(decision.since)));
    case DecisionState::replaced: return void(page.text("nothing: run " + decision.replaced_by + " took its place"));
    case DecisionState::promotable: return void(page.element("code", {}, "patchlab promote " + record.id));
    case DecisionState::undecided: return void(page.element("code", {}, "patchlab report " + record.id));
    case DecisionState::refused: break;
  }
  for (const auto& requirement : decision.requirements) {
    if (requirement.met || (requirement.about.contains("candidate") && requirement.code.starts_with("candidate-")))
      continue;
    page.text(fmt::format("{}: {}", requirement.code, requirement.text));
    if (!requirement.command.empty()) {
      page.text(" ");
      page.element("code", {}, requirement.command);
    }
    return;
  }
  page.text("nothing passed, so there is nothing to decide");
}

constexpr std::size_t few_departments = 4;

bool is_settled(const DecisionRecord& decision) {
  return decision.state == DecisionState::promoted || decision.state == DecisionState::replaced;
}

// What an approver reads first: everything that the decision hangs on, and what to do. It needs no script.
void write_department_card(Page& page, const RunRecord& record, const DepartmentRecord& department,
                           const DecisionRecord& decision) {
  const auto link = "#department-" + anchor(department.name);
  page.element("article", {{"class", "card"}}, [&] {
    page.element("p", {{"class", "card-title"}}, [&] {
      page.element("a", {{"class", "card-name"}, {"href", link}}, department.name);
      badge(page, shape_for(decision.state), headline_word(decision.state));
    });
    page.element("span", {{"class", "tally"}}, [&] {
      for (const auto outcome :
           {Outcome::pass, Outcome::fail, Outcome::error, Outcome::not_reached, Outcome::skipped}) {
        const auto count = verdicts_with(department, outcome);
        const auto css = "part " + css_class(outcome);
        for (std::size_t i = 0; i < count; ++i) page.element("i", {{"class", css}}, "");
      }
    });
    page.element("span", {{"class", "card-text"}}, summary_of(department, decision));
    const auto set = set_of(record, department, decision);
    const auto write_brief = [&] {
      page.element("dl", {{"class", "brief"}}, [&] {
        if (!decision.by.empty()) fact(page, "By", decision.by);
        if (decision.emergency.is_one()) fact(page, "Emergency", to_string(decision.emergency));
        if (!decision.as_of.empty()) fact(page, "As of", time_text(decision.as_of));
        fact(page, "What", names_of(set));
        if (!set.empty()) fact(page, "Why", set.front()->title.empty() ? set.front()->id : set.front()->title);
        fact(page, "Tested", tested_on(department));
        fact(page, "Differs", differing(department, decision));
        fact(page, "Waived", [&] {
          if (decision.waived.empty()) page.text("nothing");
          for (const auto& waived : decision.waived) page.element("p", {}, to_string(waived));
        });
        fact(page, "To do", [&] { say_what_to_do(page, record, decision); });
      });
    };
    // Of many departments, those in which there is nothing to do are short.
    if (is_settled(decision) && record.departments.size() > few_departments)
      details(page, "what, why, and how it was tested", write_brief);
    else
      write_brief();
  });
}

// Whatever stands against the run beside candidates and checks, which have sections of their own: they are counted.
void write_against(Page& page, const std::vector<RunFact>& facts) {
  std::size_t verdicts = 0;
  std::size_t checks = 0;
  std::vector<const RunFact*> told;
  for (const auto& fact : facts) {
    if (!fact.stands_against()) continue;
    if (fact.kind == FactKind::verdict)
      ++verdicts;
    else if (fact.kind == FactKind::check)
      ++checks;
    else
      told.push_back(&fact);
  }
  if (told.empty() && verdicts == 0 && checks == 0) return;
  // A leak before all else.
  std::ranges::stable_sort(told, {}, [](const RunFact* fact) { return fact->asks_for != ExitCode::fence_breach; });
  page.element("ul", {{"class", "against"}}, [&] {
    for (const auto* fact : told) {
      const auto css = "run-fact " + css_class(fact->outcome);
      page.element("li", {{"class", css}}, [&] {
        icon(page, css_class(fact->outcome));
        page.element("span", {}, [&] {
          page.element("b", {}, name_of(*fact));
          page.text(": " + fact->sentence + " ");
          page.element("code", {}, fact->code);
        });
      });
    }
    if (verdicts == 0 && checks == 0) return;
    page.element("li", {}, [&] {
      page.element("a", {{"href", "#decisions"}},
                   fmt::format("{} and {} that did not pass", counted(verdicts, "verdict", "verdicts"),
                               counted(checks, "check", "checks")));
    });
  });
}

}  // namespace

void write_header(Page& page, const RunRecord& record, const Decisions& decisions, const std::vector<RunFact>& facts) {
  const auto code = exit_code_of(facts);
  const auto headline = headline_of(code);
  page.element("header", {{"class", headline.css()}}, [&] {
    page.element("div", {{"class", "wrap"}}, [&] {
      page.element("p", {{"class", "brand"}}, [&] {
        page.element("b", {}, "patchlab");
        page.element("span", {}, "change report");
      });
      page.element("h1", {}, record.scenario_name.empty() ? record.id : record.scenario_name);
      page.element("div", {{"class", "hero"}}, [&] {
        icon(page, css_class(headline.outcome));
        page.element("div", {}, [&] {
          page.element("p", {{"class", "headline"}}, headline.title);
          page.element("p", {{"class", "muted"}}, fmt::format("exit code {}", number(code)));
          if (record.error) page.element("p", {{"class", "trouble"}}, record.error->message);
          if (!record.complete)
            page.element("p", {{"class", "trouble"}},
                         "The run was interrupted before its end; nothing of it may be promoted.");
        });
      });
      if (code == ExitCode::fence_breach) write_against(page, facts);
      page.element("div", {{"class", "cards"}}, [&] {
        // Where there is something to do comes first.
        for (const bool settled : {false, true}) {
          for (const auto& department : record.departments) {
            const auto& decision = decision_of(decisions, department.name);
            if (is_settled(decision) == settled) write_department_card(page, record, department, decision);
          }
        }
      });
      if (code != ExitCode::fence_breach) write_against(page, facts);
      page.element("dl", {{"class", "facts"}}, [&] {
        fact(page, "Run", record.id);
        fact(page, "Started", time_text(record.started));
        fact(page, "Took", duration_text(record.duration_ms));
        fact(page, "Peak memory",
             fmt::format("{:.1f} GiB", static_cast<double>(record.peak_memory_kib) / (1024.0 * 1024.0)));
        fact(page, "Scenario", [&] { digest(page, record.scenario_digest); });
      });
    });
  });
}

}  // namespace patchlab::reports::html
