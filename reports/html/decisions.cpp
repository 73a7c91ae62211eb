// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports::html {
namespace {

std::string decision_word(const DecisionRecord& decision, const VerdictRecord& verdict) {
  switch (verdict.outcome) {
    case Outcome::pass: {
      if (decision.state == DecisionState::undecided) return "passed";
      if (decision.state == DecisionState::promoted || decision.state == DecisionState::replaced)
        return std::ranges::count(decision.candidates, verdict.candidate) > 0 ? word_for(decision, verdict.candidate)
                                                                              : "passed, not promoted";
      return fmt::format("passed, {}", word_for(decision, verdict.candidate));
    }
    case Outcome::fail:
      if (std::ranges::count(decision.candidates, verdict.candidate) > 0)
        return fmt::format("fails, waived, {}", word_for(decision, verdict.candidate));
      return verdict.group.empty() ? "held back" : "held back together";
    case Outcome::error: return "undecided";
    case Outcome::skipped: return "does not apply";
    case Outcome::not_reached: return "not reached";
  }
  return "undecided";
}

void write_cell(Page& page, const DepartmentRecord& department, const DecisionRecord& decision,
                const std::string& candidate) {
  page.element("td", {{"data-label", department.name}}, [&] {
    const auto* verdict = find_verdict(department, candidate);
    if (verdict == nullptr) return badge(page, Outcome::not_reached, "no verdict");
    badge(page, verdict->outcome, decision_word(decision, *verdict));
    if (!verdict->group.empty()) {
      page.element("p", {{"class", "with"}},
                   [&] { page.text(fmt::format("with {}", fmt::join(verdict->group, ", "))); });
    }
    const auto& sentence = verdict->outcome == Outcome::pass ? verdict->removal : verdict->reason;
    if (!sentence.empty()) page.element("p", {{"class", "reason"}}, sentence);
  });
}

}  // namespace

void write_decisions(Page& page, const RunRecord& record, const Decisions& decisions) {
  page.element("section", {{"id", "decisions"}}, [&] {
    page.element("h2", {}, "Decisions");
    page.element(
        "p", {{"class", "muted"}},
        "Per department: a candidate may be fine for one and bad for another. Only what passed as one exact set, "
        "tested on the whole department, is promoted.");
    std::vector<std::string> headings{"Candidate"};
    for (const auto& department : record.departments) headings.push_back(department.name);
    table(page, "decisions", headings, [&] {
      for (const auto& candidate : record.candidates) {
        page.element("tr", {}, [&] {
          page.element("th", {{"scope", "row"}}, [&] {
            page.element("span", {{"class", "id"}}, candidate.id);
            page.element("span", {{"class", "title"}}, candidate.title);
            const auto css = "severity severity-" + anchor(candidate.severity);
            page.element("span", {{"class", css}}, candidate.severity);
            page.element("span", {{"class", "origin"}}, candidate.origin);
          });
          for (const auto& department : record.departments)
            write_cell(page, department, decision_of(decisions, department.name), candidate.id);
        });
      }
    });
  });
}

}  // namespace patchlab::reports::html
