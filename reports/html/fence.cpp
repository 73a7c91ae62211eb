// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"

namespace patchlab::reports::html {
namespace {

constexpr std::size_t attempts_limit = 20;  // shown of those that are not as they must be

struct Tally {
  std::size_t attempts = 0;
  std::size_t answers = 0;
  std::size_t controls = 0;
  std::size_t controls_heard = 0;
};

std::string text_of(const Tally& tally) {
  auto text = tally.attempts == 0 ? std::string("not tried")
                                  : fmt::format("{} tried, {} answered", tally.attempts, tally.answers);
  if (tally.controls > 0)
    text += fmt::format("; control {}", tally.controls_heard == tally.controls ? "heard" : "not heard");
  return text;
}

Outcome outcome_of(const FenceAttempt& attempt) {
  if (!attempt.sent) return Outcome::not_reached;
  if (attempt.control) return attempt.answered ? Outcome::pass : Outcome::error;
  return attempt.answered ? Outcome::fail : Outcome::pass;
}

std::string sentence_of(const FenceRecord& fence, const RunFact& fact) {
  const auto attempts = counted(fence.tries(), "attempt", "attempts");
  if (fence.answers() > 0)
    return fmt::format("{} to get out, {}: the fence leaks, the run is void", attempts,
                       counted(fence.answers(), "answer", "answers"));
  if (fact.outcome != Outcome::pass) return fact.sentence;
  const auto controls = std::ranges::count_if(fence.attempts, &FenceAttempt::heard_control);
  return controls == 0 ? fmt::format("{} to get out, 0 answers", attempts)
                       : fmt::format("{} to get out, 0 answers; the control answered {} times", attempts, controls);
}

void write_tallies(Page& page, const std::map<std::string, std::map<std::string, Tally>>& tallies) {
  const std::vector<std::string> phases{"before", "during", "after"};
  table(page, "fence", "attempts to get out", {"Probe", "before", "during", "after"}, [&] {
    for (const auto& [probe, by_phase] : tallies) {
      page.element("tr", {}, [&, &probe = probe, &by_phase = by_phase] {
        page.element("th", {{"scope", "row"}}, probe);
        for (const auto& phase : phases) {
          const auto found = by_phase.find(phase);
          const auto tally = found == by_phase.end() ? Tally{} : found->second;
          page.element("td",
                       {{"class", tally.answers > 0     ? "mark fail"
                                  : tally.attempts == 0 ? "mark skipped"
                                                        : ""}},
                       text_of(tally));
        }
      });
    }
  });
}

}  // namespace

void write_fence(Page& page, const FenceRecord& fence, const RunFact& fact) {
  std::map<std::string, std::map<std::string, Tally>> tallies;
  for (const auto& attempt : fence.attempts) {
    auto& tally = tallies[attempt.probe][attempt.phase];
    if (attempt.control) {
      ++tally.controls;
      if (attempt.heard_control()) ++tally.controls_heard;
    } else if (attempt.sent) {
      ++tally.attempts;
      if (attempt.answered) ++tally.answers;
    }
  }
  page.element("h3", {}, "Fence proof");
  const auto css = "proof " + css_class(fence.answers() > 0 ? Outcome::fail : fact.outcome);
  page.element("p", {{"class", css}}, [&] {
    icon(page, fact.outcome == Outcome::pass ? "fence" : css_class(fact.outcome));
    page.text(sentence_of(fence, fact));
  });
  for (const auto& trouble : fence.troubles) page.element("p", {{"class", "trouble"}}, trouble);
  const auto* const box = fact.outcome == Outcome::pass ? "lookup" : "";
  page.element("div", {{"class", box}}, [&] { write_tallies(page, tallies); });
  // What went as it must is counted above; run.json has all of it.
  std::vector<const FenceAttempt*> remarkable;
  for (const auto& attempt : fence.attempts) {
    if (outcome_of(attempt) != Outcome::pass) remarkable.push_back(&attempt);
  }
  if (remarkable.empty()) return;
  const auto shown = std::min(remarkable.size(), attempts_limit);
  table(page, "plain", "attempts that were not as they must be", {"When", "Probe", "Target", "Answered", "Evidence"},
        [&] {
          for (std::size_t i = 0; i < shown; ++i) {
            const auto& attempt = *remarkable[i];
            page.element("tr", {}, [&] {
              page.element("td", {}, attempt.phase);
              page.element("td", {}, attempt.probe);
              page.element("td", {}, attempt.control ? attempt.target + " (control)" : attempt.target);
              page.element("td", {}, [&] {
                badge(page, outcome_of(attempt), !attempt.sent ? "not sent" : attempt.answered ? "yes" : "no");
              });
              page.element("td", {}, shortened(attempt.evidence, 400));
            });
          }
        });
  if (shown < remarkable.size())
    page.element("p", {{"class", "muted"}}, fmt::format("and {} more in run.json", remarkable.size() - shown));
}

}  // namespace patchlab::reports::html
