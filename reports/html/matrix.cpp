// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports::html {
namespace {

struct Cell {
  Outcome outcome;
  const char* word;
};

// What one candidate did to one machine. A machine it does not apply to can fail nevertheless, when it depends on one
// that it broke.
Cell cell_of(const VerdictRecord* verdict, const std::string& machine) {
  if (verdict == nullptr) return {Outcome::not_reached, "no verdict"};
  const bool failed =
      std::ranges::any_of(verdict->failed, [&](const std::string& key) { return machine_of_key(key) == machine; });
  if (failed && verdict->outcome == Outcome::fail)
    return {Outcome::fail, verdict->group.empty() ? "fails" : "fails together with another"};
  if (std::ranges::count(verdict->machines, machine) == 0) return {Outcome::skipped, "does not apply"};
  switch (verdict->outcome) {
    case Outcome::pass: return {Outcome::pass, "passes"};
    case Outcome::fail: return {Outcome::pass, "nothing broke here"};
    case Outcome::error: return {Outcome::error, "the lab could not tell"};
    case Outcome::skipped: return {Outcome::skipped, "does not apply"};
    case Outcome::not_reached: break;
  }
  return {Outcome::not_reached, "not reached"};
}

void write_legend(Page& page) {
  page.element("p", {{"class", "legend"}}, [&] {
    for (const auto& [outcome, word] :
         {Cell{Outcome::pass, "passes"}, Cell{Outcome::fail, "fails"}, Cell{Outcome::error, "lab could not tell"},
          Cell{Outcome::not_reached, "not reached"}, Cell{Outcome::skipped, "does not apply"}}) {
      const auto css = "mark " + css_class(outcome);
      page.element("span", {{"class", css}}, [&, outcome = outcome, word = word] {
        icon(page, css_class(outcome));
        page.text(word);
      });
    }
  });
}

// The matrix of many candidates is no overview: then it has those that did something to a machine.
constexpr std::size_t most_rows = 20;

bool is_quiet(const VerdictRecord* verdict) {
  return verdict != nullptr && (verdict->outcome == Outcome::pass || verdict->outcome == Outcome::skipped);
}

}  // namespace

void write_matrix(Page& page, const RunRecord& record, const DepartmentRecord& department) {
  page.element("h3", {}, "Candidates by machine");
  write_legend(page);
  std::vector<std::string> headings{"Candidate"};
  for (const auto& machine : department.machines) headings.push_back(machine.name);
  const bool all = record.candidates.size() <= most_rows;
  std::size_t left_out = 0;
  for (const auto& candidate : record.candidates) left_out += !all && is_quiet(find_verdict(department, candidate.id));
  if (left_out > 0)
    page.element("p", {{"class", "muted"}},
                 fmt::format("{} pass wherever they apply, or apply to no machine here; the others:",
                             counted(left_out, "candidate", "candidates")));
  if (left_out == record.candidates.size()) return;
  table(page, "matrix", "candidates by machine of " + department.name, headings, [&] {
    for (const auto& candidate : record.candidates) {
      const auto* verdict = find_verdict(department, candidate.id);
      if (!all && is_quiet(verdict)) continue;
      page.element("tr", {}, [&] {
        page.element("th", {{"scope", "row"}}, candidate.id);
        for (const auto& machine : department.machines) {
          const auto [outcome, word] = cell_of(verdict, machine.name);
          const auto css = "mark " + css_class(outcome);
          page.element("td", {{"class", css}, {"title", candidate.id + " on " + machine.name + ": " + word}},
                       [&, outcome = outcome, word = word] {
                         icon(page, css_class(outcome));
                         page.element("span", {{"class", "hidden"}}, word);
                       });
        }
      });
    }
  });
}

}  // namespace patchlab::reports::html
