// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/exit_code.hpp"
#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/facts.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/severity.hpp"
#include "reports/record/summary.hpp"

namespace patchlab::reports::html {
namespace {

// Colour of the header.
std::string css_of(const RunSummary& summary) {
  switch (summary.tone) {
    case Tone::breach: return "breach";
    case Tone::settled: return "settled";
    case Tone::waiting: return "not-reached";
    case Tone::outcome: break;
  }
  return css_class(summary.outcome);
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
  say(verdicts_with(department, Outcome::skipped), "not applicable");
  say(verdicts_with(department, Outcome::not_reached), "not reached");
  return text.empty() ? "no verdict" : text;
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
  std::ranges::stable_sort(set, {},
                           [](const CandidateRecord* candidate) { return severity_rank(candidate->severity); });
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

// What was executed of what is planned, with what passed.
std::string tested_on(const DepartmentRecord& department) {
  const auto fence = fmt::format("fence: {}, {}", counted(department.fence.tries(), "attempt", "attempts"),
                                 counted(department.fence.answers(), "answer", "answers"));
  const auto* final_trial = find_trial(department, department.final_trial);
  const auto* facts = final_trial == nullptr ? nullptr : facts_of(department, *final_trial);
  if (facts == nullptr) return "no set as a whole; " + fence;
  std::set<std::string> restarts;
  std::set<std::string> executed;
  for (const auto& phase : facts->phases) {
    if (phase.outcome == Outcome::not_reached || phase.outcome == Outcome::skipped) continue;
    if (phase.phase.starts_with("after-reboot")) restarts.insert(phase.phase);
    for (const auto& check : phase.checks) {
      if (check.outcome != Outcome::not_reached) executed.insert(check_key(phase.machine, check.id));
    }
  }
  std::size_t planned = 0;
  for (const auto& machine : department.machines) planned += machine.checks.size();
  const auto checks = executed.size() == planned ? counted(planned, "check", "checks")
                                                 : fmt::format("{} of {} checks", executed.size(), planned);
  return fmt::format("{}, {}, {}; {}", counted(facts->machines.size(), "machine", "machines"), checks,
                     counted(restarts.size(), "restart", "restarts"), fence);
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

void write_task(Page& page, const SummaryTask& task, const std::string& where,
                const std::vector<SummaryCommand>& commands) {
  constexpr std::size_t most = 2;
  page.element("p", {}, [&] {
    if (!where.empty()) page.text(where + ": ");
    page.text(task.text);
    for (std::size_t i = 0; i < std::min(commands.size(), most); ++i) command(page, commands[i].line);
    if (commands.size() > most) page.text(fmt::format(" and {} more below", commands.size() - most));
  });
}

void write_tasks(Page& page, const RunSummary& summary, const std::string& department, const DecisionRecord& decision) {
  bool any = false;
  for (const auto& task : summary.tasks) {
    const auto here = [&](const std::vector<std::string>& departments) {
      return std::ranges::count(departments, department) > 0;
    };
    if (!task.departments.empty() && !here(task.departments)) continue;
    auto commands = task.commands;
    std::erase_if(commands, [&](const SummaryCommand& one) { return !here(one.departments); });
    write_task(page, task, {}, commands);
    any = true;
  }
  if (any) return;
  if (decision.state == DecisionState::replaced)
    page.text("nothing: run " + decision.replaced_by + " took its place");
  else if (decision.state == DecisionState::promoted)
    page.text("nothing: promoted " + time_text(decision.since));
  else
    page.text("nothing");
}

// With what was foreseen, and on what that stood.
std::string took_text(const RunRecord& record) {
  auto text = duration_text(record.duration_ms);
  if (!record.foreseen) return text;
  return text + fmt::format(" ({} were foreseen with every candidate good, by {} of {} times that were recorded)",
                            duration_text(record.foreseen->makespan_ms), record.foreseen->recorded_times,
                            record.foreseen->times);
}

bool is_settled(const DecisionRecord& decision) {
  return decision.state == DecisionState::promoted || decision.state == DecisionState::replaced;
}

// What an approver reads first: everything that the decision hangs on, and what to do. It needs no script.
void write_department_card(Page& page, const RunRecord& record, const DepartmentRecord& department,
                           const DecisionRecord& decision, const RunSummary& summary) {
  const auto link = "#department-" + anchor(department.name);
  page.element("article", {{"class", "card"}, {"aria-label", department.name}}, [&] {
    page.element("div", {{"class", "card-title"}}, [&] {
      page.element("h3", {{"class", "card-name"}}, [&] { page.element("a", {{"href", link}}, department.name); });
      for (const auto& one : summary.decisions) {
        if (std::ranges::count(one.departments, department.name) > 0) badge(page, one.outcome, one.text);
      }
    });
    page.element("span", {{"class", "tally"}, {"aria-hidden", "true"}}, [&] {
      for (const auto outcome :
           {Outcome::pass, Outcome::fail, Outcome::error, Outcome::not_reached, Outcome::skipped}) {
        const auto count = verdicts_with(department, outcome);
        const auto css = "part " + css_class(outcome);
        for (std::size_t i = 0; i < count; ++i) page.element("i", {{"class", css}}, "");
      }
    });
    page.element("span", {{"class", "card-text"}}, summary_of(department, decision));
    const auto set = set_of(record, department, decision);
    // Of many departments it is told in short, and of those that are settled even that there is nothing to do.
    const bool is_short = record.departments.size() > few_departments;
    const auto write_brief = [&] {
      page.element("dl", {{"class", "brief"}}, [&] {
        if (!decision.by.empty()) fact(page, "By", decision.by);
        if (decision.emergency.is_one()) fact(page, "Emergency", to_string(decision.emergency));
        if (!decision.as_of.empty()) fact(page, "As of", time_text(decision.as_of));
        fact(page, "What", names_of(set));
        if (!set.empty()) fact(page, "Why", set.front()->title.empty() ? set.front()->id : set.front()->title);
        fact(page, "Tested", tested_on(department));
        fact(page, "Differs", differing(department, decision));
        const auto is_failure = [](const WaivedRecord& one) { return one.is_a_failure(); };
        fact(page, "Waived", [&] {
          if (std::ranges::none_of(decision.waived, is_failure)) page.text("nothing");
          for (const auto& waived : decision.waived) {
            if (is_failure(waived)) page.element("p", {}, to_string(waived));
          }
        });
        if (const auto accepted = accepted_changes(decision); accepted > 0) {
          fact(page, "Accepted", [&] {
            std::size_t shown = 0;
            for (const auto& waived : decision.waived) {
              if (!is_failure(waived) && ++shown <= 2) page.element("p", {}, to_string(waived));
            }
            if (accepted > 2) page.element("p", {}, fmt::format("and {} more below", accepted - 2));
          });
        }
        if (!is_short || is_settled(decision))
          fact(page, "To do", [&] { write_tasks(page, summary, department.name, decision); });
      });
    };
    if (!is_short) return write_brief();
    details(page, "what, why, and how it was tested", write_brief);
    if (is_settled(decision)) return;
    page.element("dl", {{"class", "brief"}},
                 [&] { fact(page, "To do", [&] { write_tasks(page, summary, department.name, decision); }); });
  });
}

constexpr std::size_t most_lines = 3;  // of each sort on the first screen

void write_held(Page& page, const RunSummary& summary, std::size_t departments) {
  const bool none_fails = std::ranges::count(summary.held, Outcome::fail, &SummaryHeld::outcome) == 0;
  fact(page, none_fails ? "No verdict" : "Held back", [&] {
    for (std::size_t i = 0; i < std::min(summary.held.size(), most_lines); ++i) {
      const auto& held = summary.held[i];
      page.element("p", {}, [&] {
        page.element("b", {}, held.candidate);
        page.text(fmt::format(" ({}) ", held.severity));
        if (held.text != "held back") page.text(held.text + " ");
        page.text("in " + departments_text(held.departments, departments));
      });
    }
    if (summary.held.size() <= most_lines) return;
    page.element("p", {}, [&] {
      page.element("a", {{"href", "#decisions"}}, fmt::format("and {} more", summary.held.size() - most_lines));
    });
  });
}

void write_decided(Page& page, const RunSummary& summary, std::size_t departments) {
  fact(page, "Decided", [&] {
    for (const auto& decision : summary.decisions) {
      page.element("p", {}, [&] {
        badge(page, decision.outcome, decision.text);
        page.text(" in " + departments_text(decision.departments, departments));
      });
    }
  });
}

void write_to_do(Page& page, const RunSummary& summary, std::size_t departments) {
  page.element("div", {{"class", "to-do"}}, [&] {
    page.element("dt", {}, "To do");
    page.element("dd", {}, [&] {
      if (summary.tasks.empty())
        page.text(summary.held.empty() ? "nothing" : "nothing: what is held back stays out of production");
      for (std::size_t i = 0; i < std::min(summary.tasks.size(), most_lines); ++i) {
        const auto& task = summary.tasks[i];
        write_task(page, task, task.departments.empty() ? "" : departments_text(task.departments, departments),
                   task.commands);
      }
      if (summary.tasks.size() > most_lines)
        page.element("p", {}, fmt::format("and {} more below", summary.tasks.size() - most_lines));
    });
  });
}

// For somebody with a phone and a minute: what is held back, what was decided, what is to be done. Of a void run only
// the last two: its verdicts say nothing.
void write_short(Page& page, const RunSummary& summary, std::size_t departments, const RunChanges& changes) {
  page.element("dl", {{"class", "short"}}, [&] {
    if (summary.tone == Tone::breach) write_to_do(page, summary, departments);
    if (summary.tone != Tone::breach && !summary.held.empty()) write_held(page, summary, departments);
    if (!summary.decisions.empty()) write_decided(page, summary, departments);
    if (summary.tone != Tone::breach) write_to_do(page, summary, departments);
    if (summary.tone != Tone::breach && !changes.since.empty()) fact(page, "New", to_string(changes));
  });
}

// Facts that say the same of some departments.
struct Told {
  const RunFact* first = nullptr;
  std::vector<std::string> departments;
};

// Whatever stands against the run beside candidates and checks, which have sections of their own: they are counted.
void write_against(Page& page, const std::vector<RunFact>& facts, std::size_t departments) {
  std::size_t verdicts = 0;
  std::size_t checks = 0;
  std::vector<Told> told;
  for (const auto& fact : facts) {
    if (!fact.stands_against() || fact.is_part()) continue;
    if (fact.kind == FactKind::verdict) {
      ++verdicts;
    } else if (fact.kind == FactKind::check) {
      ++checks;
    } else {
      const auto same = std::ranges::find_if(told, [&](const Told& one) {
        return one.first->kind == fact.kind && one.first->subject == fact.subject &&
               one.first->sentence == fact.sentence;
      });
      if (same == told.end())
        told.push_back({&fact, {fact.department}});
      else
        same->departments.push_back(fact.department);
    }
  }
  if (told.empty() && verdicts == 0 && checks == 0) return;
  // A leak before all else. Of changes the first few: all of them are told of in the departments' own sections.
  std::ranges::stable_sort(told, {}, [](const Told& one) { return one.first->asks_for != ExitCode::fence_breach; });
  constexpr std::size_t few_changes = 3;
  std::size_t changes = 0;
  std::erase_if(told, [&](const Told& one) { return one.first->kind == FactKind::finding && ++changes > few_changes; });
  page.element("ul", {{"class", "against"}}, [&] {
    for (const auto& [fact, where] : told) {
      const auto css = "run-fact " + css_class(fact->outcome);
      page.element("li", {{"class", css}}, [&, fact = fact, &where = where] {
        icon(page, css_class(fact->outcome));
        page.element("span", {}, [&] {
          const auto name = where.size() == 1
                                ? name_of(*fact)
                                : fmt::format("{} of {}", to_string(fact->kind), departments_text(where, departments));
          page.element("b", {}, name);
          page.text(": " + fact->sentence + " ");
          page.element("code", {}, fact->code);
        });
      });
    }
    if (changes > few_changes)
      page.element("li", {}, fmt::format("{} more changes that a person has to look at", changes - few_changes));
    if (verdicts == 0 && checks == 0) return;
    page.element("li", {}, [&] {
      page.element("a", {{"href", "#decisions"}},
                   fmt::format("{} and {} that did not pass", counted(verdicts, "verdict", "verdicts"),
                               counted(checks, "check", "checks")));
    });
  });
}

}  // namespace

void write_header(Page& page, const RunRecord& record, const Decisions& decisions, const std::vector<RunFact>& facts,
                  const RunChanges& changes) {
  const auto summary = summary_of(record, decisions, facts);
  const auto css = css_of(summary);
  page.element("header", {{"class", css}}, [&] {
    page.element("div", {{"class", "wrap"}}, [&] {
      page.element("p", {{"class", "brand"}}, [&] {
        page.element("b", {}, "patchlab");
        const bool is_titled = !record.scenario_title.empty() && !record.scenario_name.empty();
        page.text(" ").element("span", {}, is_titled ? "change report of " + record.scenario_name : "change report");
      });
      page.element("h1", {}, title_of(record).empty() ? record.id : title_of(record));
      page.element("div", {{"class", "hero"}}, [&] {
        icon(page, css_class(summary.outcome));
        page.element("div", {}, [&] {
          page.element("h2", {{"class", "headline"}}, summary.headline);
          page.element("p", {{"class", "muted"}}, fmt::format("exit code {}", number(summary.code)));
          if (record.error) page.element("p", {{"class", "trouble"}}, record.error->message);
          if (!record.complete)
            page.element("p", {{"class", "trouble"}},
                         "The run was interrupted before its end; nothing of it may be promoted.");
        });
      });
      write_short(page, summary, record.departments.size(), changes);
      if (summary.code == ExitCode::fence_breach) write_against(page, facts, record.departments.size());
      page.element("div", {{"class", "cards"}}, [&] {
        // Where there is something to do comes first.
        for (const bool settled : {false, true}) {
          for (const auto& department : record.departments) {
            const auto& decision = decision_of(decisions, department.name);
            if (is_settled(decision) == settled) write_department_card(page, record, department, decision, summary);
          }
        }
      });
      if (summary.code != ExitCode::fence_breach) write_against(page, facts, record.departments.size());
      page.element("dl", {{"class", "facts"}}, [&] {
        fact(page, "Run", record.id);
        fact(page, "Started", time_text(record.started));
        fact(page, "Took", took_text(record));
        fact(page, "Peak memory",
             fmt::format("{:.1f} GiB", static_cast<double>(record.peak_memory_kib) / (1024.0 * 1024.0)));
        fact(page, "Scenario", [&] { digest(page, record.scenario_digest); });
      });
    });
  });
}

}  // namespace patchlab::reports::html
