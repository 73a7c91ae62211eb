// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/severity.hpp"

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

// Bad news first; what does not apply last.
int rank(Outcome outcome) {
  switch (outcome) {
    case Outcome::fail: return 0;
    case Outcome::error: return 1;
    case Outcome::not_reached: return 2;
    case Outcome::pass: return 3;
    case Outcome::skipped: break;
  }
  return 4;
}

// What became of one candidate, alike in some departments.
struct Share {
  Outcome outcome = Outcome::not_reached;
  std::string word;
  std::vector<std::string> with;  // the other members of its group
  std::vector<std::string> departments;
};

struct Line {
  const CandidateRecord* candidate = nullptr;
  std::vector<Share> shares;                                              // the worst first
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;  // each once, with where it holds
  [[nodiscard]] Outcome worst() const { return shares.empty() ? Outcome::not_reached : shares.front().outcome; }
};

void add_reason(Line& line, const std::string& reason, const std::string& department) {
  if (reason.empty()) return;
  const auto same = std::ranges::find(line.reasons, reason, &decltype(line.reasons)::value_type::first);
  if (same == line.reasons.end())
    line.reasons.push_back({reason, {department}});
  else
    same->second.push_back(department);
}

Line line_of(const RunRecord& record, const Decisions& decisions, const CandidateRecord& candidate,
             const std::map<std::pair<std::string, std::string>, const RunFact*>& facts) {
  Line line{&candidate, {}, {}};
  for (const auto& department : record.departments) {
    const auto& fact = *facts.at({department.name, candidate.id});
    const auto* verdict = find_verdict(department, candidate.id);
    Share share{fact.outcome, "no verdict", {}, {department.name}};
    if (verdict != nullptr) {
      share.word = decision_word(decision_of(decisions, department.name), *verdict);
      share.with = verdict->group;
    }
    const auto same = std::ranges::find_if(
        line.shares, [&](const Share& one) { return one.word == share.word && one.with == share.with; });
    if (same == line.shares.end())
      line.shares.push_back(std::move(share));
    else
      same->departments.push_back(department.name);
    if (verdict != nullptr && verdict->outcome == Outcome::pass) add_reason(line, verdict->effect, department.name);
    if (verdict != nullptr && verdict->outcome != Outcome::skipped)
      add_reason(line, verdict->outcome == Outcome::pass ? verdict->removal : verdict->reason, department.name);
  }
  std::ranges::stable_sort(line.shares, {}, [](const Share& share) { return rank(share.outcome); });
  return line;
}

// "held back in mail, print": all names of bad news; of good news only when they are few.
std::string share_text(const Share& share, std::size_t departments) {
  constexpr std::size_t few = 2;
  const auto with = share.with.empty() ? std::string() : fmt::format(" with {}", fmt::join(share.with, ", "));
  if (departments == 1) return share.word + with;
  const bool is_good = share.outcome == Outcome::pass || share.outcome == Outcome::skipped;
  if (is_good && share.departments.size() == departments)
    return fmt::format("{} in {}", share.word, departments == 2 ? "both" : fmt::format("all {}", departments));
  if (is_good && share.departments.size() > few) return fmt::format("{} in {}", share.word, share.departments.size());
  return fmt::format("{}{} in {}", share.word, with, fmt::join(share.departments, ", "));
}

void write_line(Page& page, const RunRecord& record, const Line& line) {
  const auto& candidate = *line.candidate;
  const auto row = "verdict-fact " + css_class(line.worst());
  page.element("tr", {{"class", row}}, [&] {
    page.element("th", {{"scope", "row"}}, [&] {
      page.element("span", {{"class", "id"}}, candidate.id);
      page.element("span", {{"class", "title"}}, candidate.title);
      const auto css = "severity severity-" + anchor(candidate.severity);
      page.element("span", {{"class", css}}, candidate.severity);
      page.element("span", {{"class", "origin"}}, candidate.origin);
    });
    page.element("td", {}, [&] {
      page.element("p", {{"class", "shares"}}, [&] {
        for (const auto& share : line.shares) {
          badge(page, share.outcome, share_text(share, record.departments.size()));
          page.text(" ");
        }
      });
      for (const auto& [reason, departments] : line.reasons) {
        const auto where = line.reasons.size() == 1 ? "" : fmt::format("{}: ", fmt::join(departments, ", "));
        page.element("p", {{"class", "reason"}}, where + reason);
      }
    });
  });
}

}  // namespace

void write_decisions(Page& page, const RunRecord& record, const Decisions& decisions,
                     const std::vector<RunFact>& facts) {
  std::map<std::pair<std::string, std::string>, const RunFact*> verdicts;
  for (const auto& fact : facts) {
    if (fact.kind == FactKind::verdict) verdicts.emplace(std::pair(fact.department, fact.subject), &fact);
  }
  std::vector<Line> lines;
  for (const auto& candidate : record.candidates) {
    // A candidate that the record has twice: once is enough.
    if (&candidate == find_candidate(record, candidate.id))
      lines.push_back(line_of(record, decisions, candidate, verdicts));
  }
  std::ranges::stable_sort(lines, {}, [](const Line& line) {
    return std::pair(rank(line.worst()), severity_rank(line.candidate->severity));
  });
  page.element("section", {{"id", "decisions"}}, [&] {
    page.element("h2", {}, "Decisions");
    const bool waived = std::ranges::any_of(decisions, [](const auto& one) {
      return std::ranges::any_of(one.waived, [](const WaivedRecord& waived) { return waived.is_a_failure(); });
    });
    page.element("p", {{"class", "muted"}},
                 std::string("What is held back comes first. A candidate may be fine for one department and bad for "
                             "another. Only what was tested as one exact set, on the whole department, may be "
                             "promoted") +
                     (waived ? ", with failures that somebody waived." : "."));
    table(page, "decisions", "what became of each candidate", {"Candidate", "What became of it"}, [&] {
      for (const auto& line : lines) write_line(page, record, line);
    });
  });
}

}  // namespace patchlab::reports::html
