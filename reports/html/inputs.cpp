// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/summary.hpp"

namespace patchlab::reports::html {
namespace {

// What the record itself shows as not done, besides what the run says of itself.
std::vector<std::string> gaps_in(const RunRecord& record) {
  // Each sentence once, with where it holds.
  std::vector<std::pair<std::string, std::vector<std::string>>> gaps;
  const auto add = [&](const DepartmentRecord& department, std::string text) {
    const auto same = std::ranges::find(gaps, text, &decltype(gaps)::value_type::first);
    if (same == gaps.end())
      gaps.push_back({std::move(text), {department.name}});
    else
      same->second.push_back(department.name);
  };
  std::vector<std::string> kept;
  for (const auto& department : record.departments) {
    if (department.error) add(department, "it ended in an error: " + department.error->message);
    for (const auto purpose : {Purpose::baseline, Purpose::control}) {
      if (trial_with_purpose(department, purpose) == nullptr)
        add(department,
            fmt::format("there was no {}: nobody looked at the machines without patches", to_string(purpose)));
    }
    if (find_trial(department, department.final_trial) == nullptr)
      add(department, "no set that passed was tried as a whole");
    for (const auto& candidate : record.candidates) {
      const auto* verdict = find_verdict(department, candidate.id);
      if (verdict == nullptr || verdict->outcome == Outcome::not_reached)
        add(department, fmt::format("candidate {} was not reached", candidate.id));
      else if (verdict->outcome == Outcome::skipped && verdict->reason.empty())
        add(department, fmt::format("candidate {} applies to no machine", candidate.id));
      else if (verdict->outcome == Outcome::skipped)
        add(department, fmt::format("candidate {} was not tested: {}", candidate.id, verdict->reason));
    }
    std::ranges::move(kept_configuration(department), std::back_inserter(kept));
    for (const auto& trial : department.trials) {
      if (!must_be_complete(department, trial)) continue;
      const auto missing = missing_checks(department, trial);
      if (missing.empty()) continue;
      add(department,
          fmt::format("{} planned checks of trial {} were not executed, the first is {} on {} in {}", missing.size(),
                      trial.id, missing.front().check, missing.front().machine, missing.front().phase));
    }
  }
  std::vector<std::string> lines;
  if (!record.complete) lines.emplace_back("the run was interrupted: what it did not come to was not tested");
  if (record.error) lines.push_back(fmt::format("the run ended in an error: {}", record.error->message));
  if (record.departments.empty() || record.candidates.empty()) lines.emplace_back("no candidate was tested at all");
  for (const auto& [text, departments] : gaps)
    lines.push_back(fmt::format("{}: {}", fmt::join(departments, ", "), text));
  lines.insert(lines.end(), kept.begin(), kept.end());
  return lines;
}

// What runs do not look for, and what this one could have looked for and did not.
std::string never_covered(const RunRecord& record) {
  std::vector<std::string> not_removed;
  bool ran_on = false, watched = false, cycled = false, followed = false;
  for (const auto& department : record.departments) {
    if (trial_with_purpose(department, Purpose::removal) == nullptr) not_removed.push_back(department.name);
    followed = followed || std::ranges::count(department.phases, next_package_phase) > 0;
    cycled = cycled || std::ranges::count(department.phases, services_phase) > 0;
    ran_on = ran_on || std::ranges::count(department.phases, stability_phase) > 0;
    for (const auto& trial : department.trials) {
      for (const auto& phase : trial.phases) watched = watched || (phase.growth && phase.growth->why_not.empty());
    }
  }
  std::string text;
  if (!not_removed.empty())
    text = fmt::format("Nothing was taken off again in {}. ",
                       departments_text(not_removed, record.departments.size(), not_removed.size()));
  if (!cycled) text += "No service was stopped and started on its own. ";
  if (!followed) text += "Whether another package can be installed behind the set was not asked. ";
  text += "By design no run covers heavy load: checks are short conversations, as a client would have them.";
  if (watched)
    text +=
        " The machines were let run on and watched; what grows more slowly than is told, and longer use, is not "
        "covered.";
  else
    text += ran_on ? " The machines were let run on once more for a while; slow leaks and longer use are not covered."
                   : " Nor does this one cover slow leaks and long use.";
  return text;
}

void write_candidates(Page& page, const RunRecord& record) {
  page.element("h3", {}, "Candidates and their files");
  table(page, "plain", "candidates and their files",
        {"Candidate", "Kind", "Origin", "Digest", "Files", "Prerequisites"}, [&] {
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
    page.element("p", {{"class", "muted"}}, never_covered(record));
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
