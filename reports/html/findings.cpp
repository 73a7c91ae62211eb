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
constexpr std::size_t diff_limit = 12000;  // of a diff
constexpr std::size_t open_findings = 5;   // shown at once; the others open on demand
constexpr std::size_t listed_findings = 60;

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

// A unified diff, line by line; the sign in front says the same as the colour.
void write_diff(Page& page, const std::string& name, const std::string& diff) {
  const auto text = shortened(diff, diff_limit);
  page.element("pre", {{"class", "diff"}, {"tabindex", "0"}, {"role", "group"}, {"aria-label", name}}, [&] {
    std::size_t begin = 0;
    while (begin < text.size()) {
      const auto end = std::min(text.find('\n', begin), text.size());
      const auto line = text.substr(begin, end - begin);
      const bool is_name = line.starts_with("---") || line.starts_with("+++");
      const auto* css = is_name || line.starts_with("@@") ? "place"
                        : line.starts_with('+')           ? "new"
                        : line.starts_with('-')           ? "gone"
                                                          : "same";
      page.element("span", {{"class", css}}, line.empty() ? " " : line);
      begin = end + 1;
    }
  });
}

void write_content(Page& page, const char* css, const char* where, const std::string& text, const char* absent) {
  page.element("div", {{"class", css}}, [&] {
    page.element("p", {{"class", "where"}}, where);
    page.element("p", {{"class", "seen"}}, text.empty() ? absent : shortened(text, side_limit));
  });
}

void write_finding(Page& page, const DecisionRecord& decision, const Finding& finding) {
  const auto& difference = finding.difference;
  const auto* asked = requirement_of(decision, finding);
  const auto standing = standing_of(decision, asked);
  const auto name = fmt::format("{} {} on {}", difference.kind, difference.item, finding.machine);
  const auto css = "finding " + css_class(standing.outcome);
  page.element("article", {{"class", css}, {"aria-label", name}}, [&] {
    page.element("h4", {}, [&] {
      page.element("span", {{"class", "machine"}}, finding.machine);
      page.element("span", {}, difference.kind + " " + difference.item);
      badge(page, standing.outcome, standing.word);
    });
    page.element("p", {{"class", "muted"}},
                 fmt::format("seen in {}, in {}, with {}", fmt::join(finding.phases, ", "),
                             fmt::join(finding.trials, ", "), fmt::join(finding.candidates, ", ")));
    if (!difference.why.empty()) page.element("p", {{"class", "reason"}}, difference.why);
    if (asked != nullptr && asked->met) page.element("p", {{"class", "note"}}, asked->waived);
    page.element("div", {{"class", "sides"}}, [&] {
      write_content(page, "side before", "before", difference.before, "was not there");
      write_content(page, "side after", "after", difference.after, "is gone");
    });
    if (!difference.diff.empty()) write_diff(page, "what changed in " + difference.item, difference.diff);
    if (asked != nullptr && !asked->met && !asked->command.empty()) command(page, asked->command);
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
                              fmt::join(candidates, ", ")));
      });
    }
  });
  if (findings.size() > listed_findings)
    page.element("p", {{"class", "muted"}}, fmt::format("{} more are in run.json.", findings.size() - listed_findings));
}

}  // namespace

void write_findings(Page& page, const DepartmentRecord& department, const DecisionRecord& decision) {
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
                                   : "No check failed by it. Before and after, as the machine was seen:");
  const auto open = std::min(in_question.size(), open_findings);
  for (std::size_t i = 0; i < open; ++i) write_finding(page, decision, in_question[i]);
  if (in_question.size() > open) {
    details(page, counted(in_question.size() - open, "more change", "more changes"), [&] {
      const auto end = std::min(in_question.size(), listed_findings);
      for (std::size_t i = open; i < end; ++i) write_finding(page, decision, in_question[i]);
      if (in_question.size() > end)
        page.element("p", {{"class", "muted"}}, fmt::format("{} more are in run.json.", in_question.size() - end));
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
