// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"

namespace patchlab::reports::html {
namespace {

using checks::state::FindingClass;

constexpr std::size_t side_limit = 2000;   // bytes shown of what there was; run.json has the rest
constexpr std::size_t diff_limit = 12000;  // as parts.hpp says
constexpr std::size_t listed_findings = 60;
constexpr std::size_t least_room = 4000;  // for the first few of a department, however much the others took

// Where nobody was asked, or nobody has to decide, it is only told.
struct Standing {
  Outcome outcome = Outcome::skipped;
  std::string word = "nobody was asked";
};
Standing standing_of(const DecisionRecord& decision, const RequirementRecord* asked) {
  if (asked == nullptr && decision.state != DecisionState::undecided)
    return {Outcome::skipped, "shown, nobody has to decide"};
  if (asked == nullptr) return {};
  if (asked->met) return {Outcome::pass, "accepted"};
  return {Outcome::not_reached, "needs a decision"};
}

void write_content(Page& page, const char* css, const char* where, const std::string& text, const char* absent) {
  page.element("div", {{"class", css}}, [&] {
    page.element("p", {{"class", "where"}}, where);
    page.element("p", {{"class", "seen"}}, text.empty() ? absent : shortened(text, side_limit));
  });
}

// All that there is to see of it, unless a department before showed the same, or there is no room.
void write_sides(Page& page, const std::string& department, const Finding& finding, std::size_t position,
                 ToldChanges& told) {
  const auto& difference = finding.difference;
  const auto before = told.in.find(finding.key());
  if (before != told.in.end()) {
    page.element("p", {{"class", "note"}}, [&] {
      page.text("The same change, letter by letter, as in ");
      page.element("a", {{"href", "#department-" + anchor(before->second)}}, before->second);
      page.text(", where it is shown.");
    });
    return;
  }
  const auto size = std::min(difference.before.size(), side_limit) + std::min(difference.after.size(), side_limit) +
                    std::min(difference.diff.size(), diff_limit);
  const auto room = position < std::max<std::size_t>(told.open, 1) ? std::max(told.room, least_room) : told.room;
  if (size > room) {
    page.element("p", {{"class", "note"}},
                 fmt::format("{} bytes before and after, too many for this page: run.json has them.", size));
    return;
  }
  told.room -= std::min(size, told.room);
  told.in.emplace(finding.key(), department);
  page.element("div", {{"class", "sides"}}, [&] {
    write_content(page, "side before", "before", difference.before, "was not there");
    write_content(page, "side after", "after", difference.after, "is gone");
  });
  if (!difference.diff.empty()) diff(page, "what changed in " + difference.item, difference.diff);
}

void write_finding(Page& page, const std::string& department, const DecisionRecord& decision, const Finding& finding,
                   std::size_t position, ToldChanges& told) {
  const auto& difference = finding.difference;
  const auto* asked = requirement_of(decision, finding);
  const auto standing = standing_of(decision, asked);
  const auto name = fmt::format("{} {} on {}", difference.kind, difference.item, finding.machine);
  const auto css = "finding " + css_class(standing.outcome);
  page.element("article", {{"class", css}, {"aria-label", name}}, [&] {
    page.element("h4", {}, [&] {
      page.element("span", {{"class", "machine"}}, finding.machine);
      page.text(" ").element("span", {}, difference.kind + " " + difference.item).text(" ");
      badge(page, standing.outcome, standing.word);
    });
    const bool is_new = !told.in.contains(finding.key());
    page.element("p", {{"class", "muted"}},
                 fmt::format("seen in {}, in {}, with {}", fmt::join(finding.phases, ", "), few_of(finding.trials),
                             few_of(finding.candidates)));
    if (is_new && !difference.why.empty()) page.element("p", {{"class", "reason"}}, difference.why);
    if (asked != nullptr && asked->met) page.element("p", {{"class", "note"}}, asked->waived);
    write_sides(page, department, finding, position, told);
    if (asked != nullptr && !asked->met && !asked->command.empty()) command(page, asked->command);
    if (!is_new) return;
    page.element("p", {{"class", "muted"}}, [&] {
      page.text("exactly this change: ");
      digest(page, finding_digest(difference));
    });
  });
}

void write_list(Page& page, const std::vector<Finding>& findings) {
  page.element("ul", {{"class", "reasons"}}, [&] {
    for (std::size_t i = 0; i < std::min(findings.size(), listed_findings); ++i) {
      const auto& [machine, difference, candidates, phases, trials] = findings[i];
      page.element("li", {}, [&, machine = machine, difference = difference, candidates = candidates] {
        page.element("span", {{"class", "machine"}}, machine);
        page.text(fmt::format("{} {}: {} -> {}, with {}", difference.kind, difference.item,
                              difference.before.empty() ? "was not there" : shortened(difference.before, 80),
                              difference.after.empty() ? "is gone" : shortened(difference.after, 80),
                              few_of(candidates)));
      });
    }
  });
  if (findings.size() > listed_findings)
    page.element("p", {{"class", "muted"}}, fmt::format("{} more are in run.json.", findings.size() - listed_findings));
}

}  // namespace

void write_findings(Page& page, const DepartmentRecord& department, const DecisionRecord& decision, ToldChanges& told) {
  const auto set = set_in_question(department, decision);
  std::vector<Finding> in_question;
  std::vector<Finding> notices;
  for (const auto& finding : findings_of_set(department, set)) {
    const bool is_told =
        finding.difference.finding == FindingClass::notice && requirement_of(decision, finding) == nullptr;
    (is_told ? notices : in_question).push_back(finding);
  }
  auto others = findings_of_other_sets(department, set);
  std::erase_if(others, [](const Finding& one) { return one.difference.finding == FindingClass::notice; });
  if (in_question.empty() && notices.empty() && others.empty()) return;
  // What waits for somebody first.
  std::ranges::stable_sort(in_question, {}, [&](const Finding& one) {
    return standing_of(decision, requirement_of(decision, one)).outcome != Outcome::not_reached;
  });
  page.element("h3", {}, "What changed, and nothing explains");
  page.element("p", {{"class", "muted"}},
               in_question.empty() ? "Nothing that a person has to look at."
                                   : counted(in_question.size(), "change", "changes") +
                                         " that failed no check. Before and after, as the machine was seen:");
  const auto open = std::min(in_question.size(), told.open);
  for (std::size_t i = 0; i < open; ++i) write_finding(page, department.name, decision, in_question[i], i, told);
  const auto rest = in_question.size() - open;
  // However many there are, a phone can load the page: what does not fit is one line.
  const auto whole = std::min({rest, listed_findings, told.articles});
  told.articles -= whole;
  if (rest > 0) {
    details(page, open == 0 ? counted(rest, "change", "changes") : counted(rest, "more change", "more changes"), [&] {
      for (std::size_t i = open; i < open + whole; ++i)
        write_finding(page, department.name, decision, in_question[i], i, told);
      if (whole == rest) return;
      page.element("p", {{"class", "muted"}}, "In a line each; before and after are in run.json:");
      write_list(page, {in_question.begin() + static_cast<std::ptrdiff_t>(open + whole), in_question.end()});
    });
  }
  if (!others.empty()) {
    details(page, counted(others.size(), "change was seen only in other sets", "changes were seen only in other sets"),
            [&] { write_list(page, others); });
  }
  if (!notices.empty()) {
    details(page, counted(notices.size(), "change stands in nobody's way", "changes stand in nobody's way"),
            [&] { write_list(page, notices); });
  }
}

}  // namespace patchlab::reports::html
