// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/pieces.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/printable.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {

using reports::html::counted;

void write_waiting_set(Page& page, const WaitingSet& one, bool mine) {
  page.element("li", {{"class", "card"}}, [&] {
    page.element("div", {{"class", "card-title"}}, [&] {
      page.element("h3", {}, [&] {
        department_link(page, one.department);
        page.text(fmt::format(": {}", counted(one.set.size(), "patch", "patches")));
      });
      if (one.is_review)
        badge(page, one.is_late ? Tone::bad : Tone::waits, one.is_late ? "review is late" : "review of an emergency");
      else
        badge(page, Tone::waits, mine ? "waits for you" : one.missing.empty() ? "may be promoted" : "waits");
    });
    page.element("p", {}, [&] {
      severity(page, one.severity);
      page.text(" ");
      for (std::size_t i = 0; i < one.set.size(); ++i) {
        if (i > 0) page.text(", ");
        candidate_link(page, one.set[i]);
      }
    });
    page.element("p", {{"class", "muted"}}, [&] {
      page.text("run ");
      run_link(page, one.run);
      page.text(fmt::format(", {} {}", one.is_review ? "promoted" : "ended", minute(one.since)));
    });
    if (one.is_review) {
      page.element("p", {},
                   fmt::format("It could not wait: {}. To be reviewed by {}.", one.reason, minute(one.review_due)));
    }
    if (one.missing.empty() && !one.is_review)
      page.element("p", {}, "Nothing is missing but that somebody promotes it.");
    else if (!one.missing.empty())
      lines(page, one.missing);
    for (const auto& waived : one.waived) page.element("p", {}, "waived: " + waived);
    page.element("p", {}, one.whom.empty() ? "For nobody in particular." : "For " + listed(one.whom) + ".");
    if (!one.command.empty()) command(page, one.command);
  });
}

void write_steps(Page& page, const Facts& facts, const std::vector<std::string>& departments) {
  page.element("table", {{"class", "steps"}, {"role", "table"}, {"aria-label", "departments by step"}}, [&] {
    page.element("thead", {{"role", "rowgroup"}}, [&] {
      page.element("tr", {{"role", "row"}}, [&] {
        page.element("th", {{"scope", "col"}, {"role", "columnheader"}}, "department");
        for (const auto step : all_steps) {
          page.element("th", {{"scope", "col"}, {"role", "columnheader"}}, [&] {
            page.element("b", {}, to_string(step));
            page.text(" ");
            page.element("small", {}, question_of(step));
          });
        }
      });
    });
    page.element("tbody", {{"role", "rowgroup"}}, [&] {
      for (const auto& department : departments) {
        page.element("tr", {{"role", "row"}}, [&] {
          page.element("th", {{"scope", "row"}, {"role", "rowheader"}}, [&] { department_link(page, department); });
          for (const auto step : all_steps) {
            const auto standing = standing_of(facts, department, step);
            page.element("td", {{"role", "cell"}}, [&] {
              page.element("span", {{"class", "label"}, {"aria-hidden", "true"}}, to_string(step));
              page.element("div", {{"class", "value"}}, [&] {
                badge(page, standing.tone, standing.says, standing.link);
                if (!standing.more.empty()) page.element("small", {}, standing.more);
              });
            });
          }
        });
      }
    });
  });
}

Tone tone_of(const history::RunRow& run) {
  if (run.failed > 0) return Tone::bad;
  if (!run.complete || run.undecided > 0) return Tone::unknown;
  return run.passed > 0 ? Tone::good : Tone::plain;
}

std::string promoted_text(const history::RunRow& run) {
  std::vector<std::string> texts;
  for (const auto& one : run.promoted)
    texts.push_back(fmt::format("{}, serial {}{}", one.department, one.serial, one.published ? "" : " (replaced)"));
  return listed(texts, "; ");
}

void write_runs(Page& page, const std::vector<history::RunRow>& runs) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& run : runs) {
    rows.push_back({[&page, &run] { run_link(page, run.id); },
                    [&page, &run] {
                      page.element("span", {{"class", "number"}}, minute(run.started));
                    },
                    [&page, &run] {
                      page.text(run.scenario);
                      if (!run.title.empty() && run.title != run.scenario) page.element("small", {}, run.title);
                    },
                    [&page, &run] {
                      badge(page, tone_of(run), run.result);
                      if (!run.complete) page.element("small", {}, "not complete");
                    },
                    [&page, &run] {
                      page.text(
                          fmt::format("{} passed, {} failed, {} undecided", run.passed, run.failed, run.undecided));
                      page.element("small", {},
                                   counted(run.candidates, "patch", "patches") + " in " +
                                       counted(run.departments, "department", "departments"));
                    },
                    [&page, &run] {
                      page.element("span", {{"class", "number"}}, reports::html::duration_text(run.duration_ms));
                    },
                    [&page, &run] { page.text(run.promoted.empty() ? "nothing" : promoted_text(run)); }});
  }
  table(page, "runs", {"run", "begun", "scenario", "result", "verdicts", "took", "promoted"}, rows);
}

void write_open_runs(Page& page, const History& history) {
  std::vector<std::string> sentences;
  for (const auto& open : history.newest.open)
    sentences.push_back(fmt::format("Run {}, begun {} by {}, has no end: it is under way, or was killed.", open.id,
                                    minute(open.begun), open.by));
  for (const auto& one : history.left_out) {
    if (one.unfinished && std::ranges::count(history.newest.open, one.folder, &history::OpenRun::id) == 0)
      sentences.push_back(fmt::format("Run {} has no record: it is under way, or was killed.", one.folder));
  }
  if (!sentences.empty()) lines(page, sentences);
}

}  // namespace patchlab::process::page
