// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "lab/core/exit_code.hpp"
#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/run_exit_code.hpp"

namespace patchlab::reports::html {
namespace {

struct Headline {
  Outcome outcome;
  const char* title;
};

Headline headline_of(ExitCode code) {
  switch (code) {
    case ExitCode::ok: return {Outcome::pass, "Every candidate that applies passed"};
    case ExitCode::candidate_fails: return {Outcome::fail, "Some candidates break something and are held back"};
    case ExitCode::not_tested: return {Outcome::not_reached, "Not everything that was planned was tested"};
    case ExitCode::only_skips: return {Outcome::skipped, "No candidate applies to any machine"};
    case ExitCode::policy: return {Outcome::error, "Tested, but not promoted: the policy is not satisfied"};
    case ExitCode::inconclusive: return {Outcome::error, "Something fails, and the culprit could not be named"};
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

void write_department_card(Page& page, const DepartmentRecord& department, const DecisionRecord& decision) {
  const auto link = "#department-" + anchor(department.name);
  page.element("a", {{"class", "card"}, {"href", link}}, [&] {
    page.element("span", {{"class", "card-name"}}, department.name);
    page.element("span", {{"class", "tally"}}, [&] {
      for (const auto outcome :
           {Outcome::pass, Outcome::fail, Outcome::error, Outcome::not_reached, Outcome::skipped}) {
        const auto count = verdicts_with(department, outcome);
        const auto css = "part " + css_class(outcome);
        for (std::size_t i = 0; i < count; ++i) page.element("i", {{"class", css}}, "");
      }
    });
    page.element("span", {{"class", "card-text"}}, summary_of(department, decision));
    const auto& fence = department.fence;
    const bool proven = fence.answers() == 0 && fence.troubles.empty() && !fence.attempts.empty();
    page.element("span", {{"class", proven ? "card-fence proven" : "card-fence broken"}}, [&] {
      icon(page, proven ? "fence" : "error");
      page.text(fmt::format("fence: {}, {}", counted(fence.tries(), "attempt", "attempts"),
                            counted(fence.answers(), "answer", "answers")));
    });
  });
}

}  // namespace

void write_header(Page& page, const RunRecord& record, const Decisions& decisions) {
  const auto code = exit_code_for(record, decisions);
  const auto headline = headline_of(code);
  page.element("header", {{"class", css_class(headline.outcome)}}, [&] {
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
          const auto meaning = std::ranges::find(exit_codes, code, &ExitCodeMeaning::code);
          page.element("p", {{"class", "muted"}}, fmt::format("exit code {}: {}", number(code), meaning->meaning));
          if (record.error) page.element("p", {{"class", "trouble"}}, record.error->message);
          if (!record.complete)
            page.element("p", {{"class", "trouble"}},
                         "The run was interrupted before its end; nothing of it may be promoted.");
        });
      });
      page.element("div", {{"class", "cards"}}, [&] {
        for (const auto& department : record.departments)
          write_department_card(page, department, decision_of(decisions, department.name));
      });
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
