// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports::html {
namespace {

// What the record itself shows as not done, besides what the run says of itself.
std::vector<std::string> gaps_in(const RunRecord& record) {
  std::vector<std::string> gaps;
  for (const auto& department : record.departments) {
    for (const auto& candidate : record.candidates) {
      const auto* verdict = find_verdict(department, candidate.id);
      if (verdict == nullptr || verdict->outcome == Outcome::not_reached) {
        gaps.push_back(fmt::format("{}: candidate {} was not reached", department.name, candidate.id));
      } else if (verdict->outcome == Outcome::skipped) {
        gaps.push_back(
            verdict->reason.empty()
                ? fmt::format("{}: candidate {} applies to no machine", department.name, candidate.id)
                : fmt::format("{}: candidate {} was not tested: {}", department.name, candidate.id, verdict->reason));
      }
    }
    std::ranges::move(kept_configuration(department), std::back_inserter(gaps));
    for (const auto& trial : department.trials) {
      if (!must_be_complete(department, trial)) continue;
      const auto missing = missing_checks(department, trial);
      if (missing.empty()) continue;
      gaps.push_back(fmt::format("{}: {} planned checks of trial {} were not executed, the first is {} on {} in {}",
                                 department.name, missing.size(), trial.id, missing.front().check,
                                 missing.front().machine, missing.front().phase));
    }
  }
  return gaps;
}

void write_candidates(Page& page, const RunRecord& record) {
  page.element("h3", {}, "Candidates and their files");
  table(page, "plain", {"Candidate", "Kind", "Origin", "Digest", "Files", "Prerequisites"}, [&] {
    for (const auto& candidate : record.candidates) {
      page.element("tr", {}, [&] {
        page.element("th", {{"scope", "row"}}, candidate.id);
        page.element("td", {}, candidate.kind);
        page.element("td", {}, candidate.origin);
        page.element("td", {}, [&] { digest(page, candidate.digest); });
        page.element("td", {}, [&] {
          for (const auto& file : candidate.files) {
            page.element("div", {{"class", "file"}}, [&] {
              page.text(fmt::format("{} ({} bytes) ", file.name, file.bytes));
              digest(page, file.sha256);
              if (!file.signature.empty()) page.element("span", {{"class", "muted"}}, " " + file.signature);
            });
          }
        });
        page.element("td", {}, [&] {
          if (candidate.prerequisites.empty())
            page.element("span", {{"class", "muted"}}, "none");
          else
            chips(page, candidate.prerequisites);
        });
      });
    }
  });
}

}  // namespace

void write_not_tested(Page& page, const RunRecord& record) {
  auto lines = gaps_in(record);
  lines.insert(lines.end(), record.not_tested.begin(), record.not_tested.end());
  page.element("section", {{"id", "not-tested"}}, [&] {
    page.element("h2", {}, "What was not tested");
    page.element("ul", {{"class", "gaps"}}, [&] {
      for (const auto& line : lines) {
        page.element("li", {}, [&] {
          icon(page, "not-reached");
          page.element("span", {}, line);
        });
      }
      if (lines.empty()) page.element("li", {}, "Everything that was planned was executed.");
    });
    page.element(
        "p", {{"class", "muted"}},
        "By design no run covers load, long use and slow leaks, or taking a patch off again: every check is one short "
        "conversation, as a client would have it.");
  });
}

void write_inputs(Page& page, const RunRecord& record) {
  page.element("section", {{"id", "inputs"}}, [&] {
    page.element("h2", {}, "Inputs");
    page.element("dl", {{"class", "facts"}}, [&] {
      for (const auto& [name, value] : record.host) fact(page, name, value);
      for (const auto& [name, value] : record.digests) fact(page, name, [&, &value = value] { digest(page, value); });
      fact(page, "tool", "patchlab " + record.tool_version);
    });
    write_candidates(page, record);
  });
}

}  // namespace patchlab::reports::html
