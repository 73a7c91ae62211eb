// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "reports/html/parts.hpp"
#include "reports/html/sections.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/remarks.hpp"

namespace patchlab::reports::html {
namespace {

void write_promotion(Page& page, const DepartmentRecord& department) {
  const auto& promotion = department.promotion;
  page.element("h3", {}, "Promotion");
  const bool promoted = promotion.outcome == PromotionOutcome::promoted;
  page.element("dl", {{"class", "facts"}}, [&] {
    fact(page, "Result", [&] {
      badge(page,
            promoted                                         ? Outcome::pass
            : promotion.outcome == PromotionOutcome::refused ? Outcome::fail
                                                             : Outcome::not_reached,
            promotion.outcome == PromotionOutcome::none ? "not attempted" : to_string(promotion.outcome));
    });
    if (!promotion.stage.empty()) fact(page, "Stage", [&] { page.element("code", {}, promotion.stage); });
    if (promoted) fact(page, "Manifest", [&] { digest(page, promotion.manifest_digest); });
    fact(page, "Tested as exactly this set", [&] {
      if (department.final_trial.empty())
        page.text("no trial");
      else
        page.element("a", {{"href", "#trial-" + anchor(department.final_trial)}}, department.final_trial);
    });
  });
  if (!promotion.candidates.empty()) page.element("p", {{"class", "set"}}, [&] { chips(page, promotion.candidates); });
  if (promotion.reasons.empty()) return;
  page.element("ul", {{"class", "reasons"}}, [&] {
    for (const auto& reason : promotion.reasons) {
      const auto colon = reason.find(": ");
      page.element("li", {}, [&] {
        if (colon != std::string::npos) page.element("code", {}, reason.substr(0, colon));
        page.text(colon == std::string::npos ? reason : reason.substr(colon + 1));
      });
    }
  });
}

std::string set_text(const DepartmentRecord& department, const TrialRecord& trial) {
  if (trial.candidates.empty()) return "no patch";
  const bool all = department.verdicts.size() > 1 && trial.candidates.size() == department.verdicts.size();
  return all ? fmt::format("all {} candidates", trial.candidates.size()) : "";
}

// What guests did not take: the trial ended there.
std::string declined_text(const TrialRecord& trial) {
  std::vector<std::string> declined;
  for (const auto& install : trial.installs) {
    if (install.outcome == Outcome::skipped)
      declined.push_back(fmt::format("{} on {} ({})", install.candidate, install.machine, install.end));
  }
  return declined.empty() ? "" : fmt::format("not taken: {}", fmt::join(declined, ", "));
}

void write_trial_row(Page& page, const DepartmentRecord& department, const TrialRecord& trial) {
  page.element("tr", {{"id", "trial-" + anchor(trial.id)}}, [&] {
    page.element("th", {{"scope", "row"}}, trial.id);
    page.element("td", {}, to_string(trial.purpose));
    page.element("td", {}, [&] {
      if (const auto text = set_text(department, trial); !text.empty())
        page.text(text);
      else
        chips(page, trial.candidates);
    });
    page.element("td", {},
                 trial.machines.size() == department.machines.size()
                     ? fmt::format("all {}", trial.machines.size())
                     : fmt::format("{}", fmt::join(trial.machines, ", ")));
    page.element("td", {}, [&] { badge(page, trial.outcome); });
    page.element("td", {}, [&] {
      if (trial.error && is_lost(trial))
        page.text(fmt::format("{}; tried again as {}", trial.error->message, trial.retried_as));
      else if (trial.error)
        page.text(trial.error->message);
      else if (is_lost(trial))
        page.text("tried again as " + trial.retried_as);
      else if (!trial.reused_from.empty())
        page.text("same digests as " + trial.reused_from);
      else if (const auto text = declined_text(trial); !text.empty())
        page.text(text);
      else if (trial.signature.empty())
        page.element("span", {{"class", "muted number"}}, "nothing broken");
      else
        page.text(counted(trial.signature.size(), "failure", "failures"));
    });
    page.element("td", {{"class", "number"}}, duration_text(trial.duration_ms));
  });
}

void write_trials(Page& page, const DepartmentRecord& department) {
  page.element("h3", {}, "Trials");
  page.element("p", {{"class", "muted"}},
               "Each trial starts from the baseline checkpoint, applies a set, reboots, and checks.");
  table(page, "plain trials", {"Trial", "Why", "Set", "Machines", "Outcome", "Found", "Took"}, [&] {
    for (const auto& trial : department.trials) write_trial_row(page, department, trial);
  });
}

void write_flaky(Page& page, const DepartmentRecord& department) {
  if (department.flaky.empty()) return;
  page.element("h3", {}, "Flaky");
  page.element("p", {{"class", "muted"}},
               "Failed and passed although nothing was changed in between. Nobody is blamed for it.");
  table(page, "plain", {"What", "Counts", "Set", "Failed in", "Passed in"}, [&] {
    for (const auto& flaky : department.flaky) {
      page.element("tr", {}, [&] {
        page.element("th", {{"scope", "row"}}, flaky.fact);
        page.element("td", {}, counts_of(flaky));
        page.element("td", {}, [&] {
          if (flaky.candidates.empty())
            page.text("no patch");
          else
            chips(page, flaky.candidates);
        });
        page.element("td", {}, fmt::format("{}", fmt::join(flaky.failed, ", ")));
        page.element("td", {}, fmt::format("{}", fmt::join(flaky.passed, ", ")));
      });
    }
  });
}

void write_machines(Page& page, const DepartmentRecord& department) {
  page.element("h3", {}, "Machines and golden images");
  table(page, "plain", {"Machine", "Role", "Address", "Memory", "Checks", "Golden image", "Digest", "After the run"},
        [&] {
          for (const auto& machine : department.machines) {
            page.element("tr", {}, [&] {
              page.element("th", {{"scope", "row"}}, machine.name);
              page.element("td", {}, machine.role);
              page.element("td", {}, [&] { page.element("code", {}, machine.address); });
              page.element("td", {{"class", "number"}}, fmt::format("{} MiB", machine.memory_mib));
              page.element("td", {{"class", "number"}}, fmt::format("{}", machine.checks.size()));
              page.element("td", {}, machine.golden);
              page.element("td", {}, [&] { digest(page, machine.golden_digest); });
              page.element("td", {}, [&] {
                if (machine.golden_digest_after.empty())
                  badge(page, Outcome::not_reached, "not verified");
                else if (machine.golden_digest_after == machine.golden_digest)
                  badge(page, Outcome::pass, "unchanged");
                else
                  badge(page, Outcome::fail, "changed");
              });
            });
          }
        });
}

void write_remarks(Page& page, const DepartmentRecord& department) {
  const auto sentences = remarks(department);
  if (sentences.empty()) return;
  page.element("h3", {}, "Flaky, or not judged");
  page.element("ul", {{"class", "reasons"}}, [&] {
    for (const auto& sentence : sentences) page.element("li", {}, sentence);
  });
}

}  // namespace

void write_department(Page& page, const RunRecord& record, const DepartmentRecord& department) {
  page.element("section", {{"id", "department-" + anchor(department.name)}, {"class", "department"}}, [&] {
    page.element("h2", {}, [&] {
      page.text(department.name);
      page.element("span", {{"class", "sub"}},
                   counted(department.machines.size(), "machine", "machines") + ", " +
                       counted(department.trials.size(), "trial", "trials"));
    });
    if (department.error) {
      page.element("p", {{"class", "trouble"}},
                   fmt::format("{} ({})", department.error->message, to_string(department.error->error_class)));
      if (!department.error->hint.empty()) page.element("p", {{"class", "note"}}, department.error->hint);
    }
    write_matrix(page, record, department);
    write_failures(page, record, department);
    write_flaky(page, department);
    write_remarks(page, department);
    write_promotion(page, department);
    write_fence(page, department.fence);
    write_trials(page, department);
    write_machines(page, department);
  });
}

}  // namespace patchlab::reports::html
