// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "process/page/pages.hpp"
#include "process/page/pieces.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {
namespace {

using reports::html::counted;

// What is worth a row: neither installed nor for other machines.
bool is_shown(const ScannedItem& item) {
  return item.status != "installed" && item.status != "not-applicable" && item.status != "superseded";
}

void write_missing(Page& page, const Facts& facts, const std::string& name) {
  if (!facts.scan) {
    not_known(page, facts.scan.why);
    return;
  }
  std::vector<std::vector<Cell>> rows;
  bool is_in_it = false;
  for (const auto& item : facts.scan->items) {
    if (item.department != name) continue;
    is_in_it = true;
    if (!is_shown(item)) continue;
    rows.push_back({[&page, &item] {
                      if (item.item.empty())
                        page.text("the machine as a whole");
                      else
                        candidate_link(page, item.item);
                    },
                    [&page, &item] { page.text(item.machine); },
                    [&page, &item] {
                      badge(page,
                            item.status == "unknown" ? Tone::unknown
                            : item.is_exploited()    ? Tone::bad
                                                     : Tone::waits,
                            item.status);
                      if (!item.why.empty()) page.element("small", {}, item.why);
                    },
                    [&page, &item] { page.text(item.due.empty() ? "no date" : item.due); },
                    [&page, &item] {
                      severity(page, item.severity);
                      if (item.vulnerabilities.empty()) return;
                      const auto& worst = item.vulnerabilities.front();
                      page.element("small", {},
                                   fmt::format("{}{}{}", worst.cve.empty() ? "no name" : worst.cve,
                                               worst.exploited_since.empty() ? "" : ", exploited",
                                               item.vulnerabilities.size() == 1
                                                   ? std::string()
                                                   : fmt::format(" and {} more", item.vulnerabilities.size() - 1)));
                    }});
  }
  if (!is_in_it)
    not_known(page, fmt::format("the scan of {} names no machine of it", facts.scan->day));
  else if (rows.empty() && scan_says_all(facts))
    nothing(page, fmt::format("Nothing, by the scan of {}.", facts.scan->day));
  else if (rows.empty())
    not_known(page, fmt::format("the scan of {} saw nothing missing, and does not know everything or is old",
                                facts.scan->day));
  else
    table(page, "missing updates", {"update", "machine", "status", "due", "severity"}, rows);
}

void write_production(Page& page, const Facts& facts, const std::string& name) {
  if (!facts.production) {
    not_known(page, facts.production.why);
    return;
  }
  const auto found = std::ranges::find(*facts.production, name, &ProductionDepartment::department);
  if (found == facts.production->end()) {
    nothing(page, "Nothing was promoted in it.");
    return;
  }
  page.element("p", {}, [&] {
    page.text(fmt::format("Serial {} of run ", found->serial));
    run_link(page, found->run);
    if (found->emergency) page.text(", through the emergency lane");
    if (!found->rejected.empty()) page.text(", rejected since " + minute(found->rejected));
    page.text(".");
  });
  if (found->machines.empty()) {
    not_known(page, "no machine has reported; patchlab deploy record");
    return;
  }
  std::vector<std::vector<Cell>> rows;
  for (const auto& machine : found->machines) {
    rows.push_back({[&page, &machine] { page.text(machine.machine); },
                    [&page, &machine] {
                      const auto tone = machine.outcome == "differs"                               ? Tone::bad
                                        : machine.outcome == "as-promoted" && machine.has_reported ? Tone::good
                                                                                                   : Tone::unknown;
                      badge(page, tone, machine.outcome);
                      if (!machine.has_reported) page.element("small", {}, "not on what is promoted now");
                    },
                    [&page, &machine] { page.text(minute(machine.observed)); },
                    [&page, &machine] { page.text(std::to_string(machine.serial)); },
                    [&page, &machine] {
                      if (machine.says.empty())
                        page.text("nothing");
                      else
                        lines(page, machine.says);
                    }});
  }
  table(page, "machines of production", {"machine", "state", "observed", "serial", "remarks"}, rows);
}

void write_images(Page& page, const Facts& facts, const std::string& name) {
  if (!facts.images) {
    not_known(page, facts.images.why);
    return;
  }
  std::vector<std::vector<Cell>> rows;
  for (const auto& line : *facts.images) {
    if (line.department != name) continue;
    for (auto version = line.versions.rbegin(); version != line.versions.rend(); ++version) {
      const auto* one = &*version;
      const bool is_first = version == line.versions.rbegin();
      rows.push_back({[&page, &line] { page.text(line.machine); },
                      [&page, one] { page.text(fmt::format("{}{}", one->number, one->dropped ? ", dropped" : "")); },
                      [&page, one] {
                        for (const auto& id : one->candidates) {
                          if (&id != &one->candidates.front()) page.text(", ");
                          candidate_link(page, id);
                        }
                      },
                      [&page, one] { page.text(one->serial == 0 ? "not said" : std::to_string(one->serial)); },
                      [&page, one] { page.text(fmt::format("{} by {}", minute(one->made), one->by)); },
                      [&page, &line, is_first] { page.text(is_first ? line.starts_from : std::string()); }});
    }
  }
  if (rows.empty())
    nothing(page, "Nothing was put into them: its machines start from the images of their recipes, or from domains.");
  else
    table(page, "versions of golden images", {"machine", "version", "with", "serial", "made", "starts from"}, rows);
}

void write_trend(Page& page, const Facts& facts, const std::string& name) {
  if (!facts.history) {
    not_known(page, facts.history.why);
    return;
  }
  std::vector<const history::TrendRow*> months;
  for (const auto& row : facts.history->trend.rows) {
    if (row.department == name) months.push_back(&row);
  }
  constexpr std::size_t most = 12;
  if (months.empty()) {
    nothing(page, "No run tested it.");
    return;
  }
  if (months.size() > most) months.erase(months.begin(), months.end() - most);
  std::ranges::reverse(months);
  std::vector<std::vector<Cell>> rows;
  for (const auto* row : months) {
    rows.push_back({[&page, row] { page.text(row->month); },
                    [&page, row] {
                      const auto success = row->success();
                      page.text(success ? fmt::format("{:.1f} %", *success * 100) : std::string("not known"));
                    },
                    [&page, row] { page.text(std::to_string(row->passed)); },
                    [&page, row] { page.text(std::to_string(row->failed)); },
                    [&page, row] { page.text(std::to_string(row->undecided)); }});
  }
  table(page, "success by month", {"month", "success", "passed", "failed", "undecided"}, rows);
}

void write_checks(Page& page, const Facts& facts, const std::string& name) {
  if (!facts.history) {
    not_known(page, facts.history.why);
    return;
  }
  std::vector<std::vector<Cell>> rows;
  for (const auto& check : facts.history->flaky) {
    if (check.department != name) continue;
    rows.push_back({[&page, &check] { page.text(check.machine + "/" + check.check); },
                    [&page, &check] { page.text(std::to_string(check.asked)); },
                    [&page, &check] { page.text(std::to_string(check.asked_again)); },
                    [&page, &check] { page.text(std::to_string(check.disagreed)); },
                    [&page, &check] {
                      const auto most = check.at_most();
                      page.text(most ? fmt::format("{:.1f} %", *most * 100) : std::string("not known"));
                    }});
  }
  if (rows.empty())
    nothing(page, facts.history->checks == 0 ? "No check was asked in these months."
                                             : "None of its checks had to be asked again or disagreed with itself.");
  else
    table(page, "flaky checks", {"check", "asked", "again", "disagreed", "at most"}, rows);
}

}  // namespace

std::string departments_page(const Facts& facts, const Reader& reader) {
  return framed({"Departments", "departments", "What each lacks, tests and has.", facts, reader.name}, [&](Page& page) {
    section(page, "steps", "The six steps", "", [&] {
      const auto names = departments_of(facts);
      if (!facts.stale.empty())
        not_known(page, facts.stale);
      else if (names.empty())
        nothing(page, "No department is known yet.");
      else
        write_steps(page, facts, names);
    });
  });
}

std::string department_page(const Facts& facts, const Reader& reader, const std::string& name) {
  return framed({name, "departments", "A department.", facts, reader.name}, [&](Page& page) {
    section(page, "steps", "The six steps", "", [&] { write_steps(page, facts, {name}); });
    if (facts.waiting && std::ranges::count(*facts.waiting, name, &WaitingSet::department) > 0) {
      section(page, "waiting", "What waits for people", "", [&] {
        page.element("ul", {{"class", "cards"}}, [&] {
          for (const auto& one : *facts.waiting) {
            if (one.department == name)
              write_waiting_set(page, one, !reader.name.empty() && std::ranges::count(one.whom, reader.name) > 0);
          }
        });
      });
    }
    section(page, "missing", "What is missing", "Of its golden machines, worst first.",
            [&] { write_missing(page, facts, name); });
    section(page, "production", "What its machines have", "", [&] { write_production(page, facts, name); });
    section(page, "images", "Golden images", "What was put into them of what was promoted and deployed.",
            [&] { write_images(page, facts, name); });
    section(page, "success", "How often patches pass", "Passed, of those that passed or failed.",
            [&] { write_trend(page, facts, name); });
    section(page, "checks", "Checks that cannot be trusted yet",
            facts.history && !facts.history->flaky_since.empty() ? "Since " + facts.history->flaky_since + "." : "",
            [&] { write_checks(page, facts, name); });
  });
}

}  // namespace patchlab::process::page
