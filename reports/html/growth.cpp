// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::reports::html {
namespace {

void write_found(Page& page, const checks::growth::Growth& growth, bool of_a_set) {
  if (!growth.why_not.empty()) return badge(page, Outcome::not_reached, "not judged");
  if (!of_a_set) return badge(page, Outcome::skipped, "no patch");
  if (growth.told.empty()) return badge(page, Outcome::pass, "nothing grows");
  page.element("ul", {{"class", "reasons"}}, [&] {
    for (const auto& slope : growth.told) page.element("li", {}, checks::growth::sentence(slope));
  });
}

}  // namespace

void write_growth(Page& page, const DepartmentRecord& department) {
  // A control tells at least from which pace on growth would be seen.
  const auto* trial = trial_to_tell_of(department, [](const auto& phase) { return phase.growth.has_value(); });
  if (trial == nullptr) return;
  const bool grows = std::ranges::any_of(
      trial->phases, [](const auto& phase) { return phase.growth.has_value() && !phase.growth->told.empty(); });
  // What could not be judged is said with the other remarks.
  page.element("div", {{"class", grows ? "" : "lookup"}}, [&] {
    page.element("h3", {}, "Slow growth");
    page.element(
        "p", {{"class", "muted"}},
        "Memory, tasks, open files, connections, disk and logs of the machines and their services in " + trial->id +
            ", against the control of the same night. A pace below those named cannot be told from chance, at one "
            "false alarm in a hundred looks at a machine.");
    table(page, "plain", "growth in " + department.name, {"Machine", "Found", "Seen"}, [&] {
      for (const auto& phase : trial->phases) {
        if (!phase.growth) continue;
        page.element("tr", {}, [&] {
          page.element("th", {{"scope", "row"}}, phase.machine);
          page.element("td", {}, [&] { write_found(page, *phase.growth, is_trial_of_a_set(*trial)); });
          page.element(
              "td", {},
              phase.growth->why_not.empty() ? checks::growth::what_is_told(*phase.growth) : phase.growth->why_not);
        });
      }
    });
  });
}

}  // namespace patchlab::reports::html
