// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lab/core/printable.hpp"
#include "lab/core/shell_words.hpp"
#include "process/page/pages.hpp"
#include "process/page/pieces.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {
namespace {

using reports::html::counted;

std::size_t pages_for(std::size_t all) { return std::max<std::size_t>(1, (all + on_a_page - 1) / on_a_page); }

// Each candidate in each department.
void write_verdicts(Page& page, const history::RunDetails& details) {
  std::vector<std::string> departments, candidates;
  std::map<std::pair<std::string, std::string>, const history::RunVerdict*> verdicts;
  for (const auto& one : details.verdicts) {
    if (std::ranges::count(departments, one.department) == 0) departments.push_back(one.department);
    if (std::ranges::count(candidates, one.candidate) == 0) candidates.push_back(one.candidate);
    verdicts[{one.candidate, one.department}] = &one;
  }
  if (candidates.empty()) {
    nothing(page, "This run has no verdict about any patch.");
    return;
  }
  auto headings = std::vector<std::string>{"patch"};
  headings.insert(headings.end(), departments.begin(), departments.end());
  std::vector<std::vector<Cell>> rows;
  for (const auto& id : candidates) {
    auto& row = rows.emplace_back();
    const auto* any = &*std::ranges::find(details.verdicts, id, &history::RunVerdict::candidate);
    row.push_back([&page, any] {
      candidate_link(page, any->candidate);
      page.text(" ");
      severity(page, any->severity);
      if (!any->title.empty()) page.element("small", {}, any->title);
    });
    for (const auto& department : departments) {
      const auto found = verdicts.find({id, department});
      const auto* verdict = found == verdicts.end() ? nullptr : found->second;
      row.push_back([&page, verdict] {
        if (verdict == nullptr) {
          page.element("span", {{"class", "muted"}}, "not in it");
          return;
        }
        outcome_badge(page, verdict->outcome);
        if (!verdict->failed.empty()) page.element("small", {}, "breaks " + verdict->failed);
        if (!verdict->together_with.empty()) page.element("small", {}, "together with " + verdict->together_with);
        if (!verdict->reason.empty() && verdict->outcome != "pass" && verdict->reason != verdict->failed)
          page.element("small", {}, verdict->reason);
        if (!verdict->effect.empty()) page.element("small", {}, verdict->effect);
        if (!verdict->known_from.empty()) page.element("small", {}, "known from run " + verdict->known_from);
      });
    }
  }
  table(page, "verdicts", headings, rows);
}

void write_changes(Page& page, const Known<history::ChangesAnswer>& changes) {
  if (!changes) {
    not_known(page, changes.why);
    return;
  }
  if (changes->good.empty()) {
    nothing(page, "There is no earlier good run of this scenario to compare with.");
    return;
  }
  page.element("p", {}, [&] {
    page.text("Since run ");
    run_link(page, changes->good);
    page.text(
        fmt::format(" of {}, {} in between.", minute(changes->good_started), counted(changes->between, "run", "runs")));
  });
  if (changes->changes.empty()) {
    nothing(page, "Nothing that is recorded is other.");
    return;
  }
  constexpr std::size_t most = 40;
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < std::min(most, changes->changes.size()); ++i) {
    const auto& change = changes->changes[i];
    const auto text = [&page](const std::string& value) {
      page.text(value.empty() ? "not there" : reports::html::shortened(value, 200));
    };
    rows.push_back({[&page, &change] { page.text(change.what); }, [&page, &change] { page.text(change.where); },
                    [&page, &change] { page.text(change.name); }, [&change, text] { text(change.before); },
                    [&change, text] { text(change.now); }});
  }
  table(page, "changes", {"what", "where", "name", "before", "now"}, rows);
  if (changes->changes.size() > most)
    nothing(page, fmt::format("{} more: patchlab history changed", changes->changes.size() - most));
}

}  // namespace

std::string runs_page(const Facts& facts, const Reader& reader, const RunsView& view) {
  const auto lead = view.scenario.empty() ? counted(view.answer.of, "run", "runs") + " in the index, the newest first."
                                          : fmt::format("{} of scenario {}, the newest first.",
                                                        counted(view.answer.of, "run", "runs"), view.scenario);
  return framed({"Runs", "runs", lead, facts, reader.name}, [&](Page& page) {
    section(page, "runs", view.scenario.empty() ? "All scenarios" : view.scenario, "", [&] {
      if (facts.history && facts.history->scenarios.size() > 1) {
        page.element("p", {{"class", "pages"}}, [&] {
          page.element("a", {{"href", "/runs"}}, "all scenarios");
          for (const auto& name : facts.history->scenarios)
            page.element("a", {{"href", "/runs?scenario=" + name}}, name);
        });
      }
      if (view.answer.runs.empty())
        nothing(page, view.answer.of == 0 ? "No run is in the index." : "There is no such page of them.");
      else
        write_runs(page, view.answer.runs);
      if (facts.history && view.page == 1) write_open_runs(page, *facts.history);
      pager(page, view.scenario.empty() ? "/runs?page=" : "/runs?scenario=" + view.scenario + "&page=", view.page,
            pages_for(view.answer.of));
    });
  });
}

std::string run_page(const Facts& facts, const Reader& reader, const RunView& view) {
  const auto& run = view.details.run;
  return framed(
      {"Run " + run.id, "runs", run.title.empty() ? run.scenario : run.title, facts, reader.name}, [&](Page& page) {
        section(page, "result", "What came of it", "", [&] {
          page.element("p", {},
                       [&] { badge(page, tone_of(run), run.result + (run.complete ? "" : ", not complete")); });
          page.element("dl", {{"class", "facts"}}, [&] {
            fact(page, "scenario", run.scenario);
            fact(page, "begun", minute(run.started));
            fact(page, "took", reports::html::duration_text(run.duration_ms));
            fact(page, "verdicts",
                 fmt::format("{} passed, {} failed, {} undecided", run.passed, run.failed, run.undecided));
            fact(page, "promoted", run.promoted.empty() ? "nothing" : promoted_text(run));
            fact(page, "patchlab", run.tool + (run.accelerator.empty() ? "" : ", machines on " + run.accelerator));
            fact(page, "ledger", run.line == 0 ? "no line names its end" : fmt::format("line {}", run.line));
            fact(page, "folder", run.has_folder ? "is there" : "is gone; the record is known from the ledger");
          });
          command(page, fmt::format("patchlab report {} --format html --runs {} --stage {} >report.html", run.id,
                                    shell_word(facts.runs), shell_word(facts.stage)));
        });
        section(page, "verdicts", "Verdicts", "", [&] { write_verdicts(page, view.details); });
        section(page, "decisions", "What was decided about it", "Lines of the ledger, in its order.", [&] {
          if (!facts.history || !facts.history->has_ledger) {
            not_known(page, "the stage has no ledger");
          } else if (view.details.lines.empty()) {
            nothing(page, "No line of the ledger is about it.");
          } else {
            std::vector<std::vector<Cell>> rows;
            for (const auto& line : view.details.lines) {
              rows.push_back({[&page, &line] { page.text(std::to_string(line.seq)); },
                              [&page, &line] { page.text(minute(line.time)); },
                              [&page, &line] { page.text(line.kind); }, [&page, &line] { page.text(line.by); },
                              [&page, &line] { page.text(line.department.empty() ? "all" : line.department); },
                              [&page, &line] {
                                page.text(line.reason);
                                if (!line.ticket.empty()) page.element("small", {}, line.ticket);
                              }});
            }
            table(page, "lines of the ledger", {"line", "when", "what", "by", "department", "why"}, rows);
          }
        });
        section(page, "changes", "What is other than in the last good run", "",
                [&] { write_changes(page, view.changes); });
        section(page, "machines", "Machines", "", [&] {
          std::vector<std::vector<Cell>> rows;
          for (const auto& one : view.details.machines) {
            rows.push_back({[&page, &one] { page.text(one.machine); },
                            [&page, &one] { department_link(page, one.department); },
                            [&page, &one] { page.text(one.role); }, [&page, &one] { page.text(one.golden); }});
          }
          if (rows.empty())
            nothing(page, "The record names no machine.");
          else
            table(page, "machines", {"machine", "department", "role", "golden"}, rows);
        });
      });
}

std::string candidates_page(const Facts& facts, const Reader& reader, const CandidatesView& view) {
  return framed(
      {"Patches", "candidates",
       counted(view.answer.of, "candidate", "candidates") + " that runs tested, those tested last first.", facts,
       reader.name},
      [&](Page& page) {
        section(page, "candidates", "Tested", "", [&] {
          std::vector<std::vector<Cell>> rows;
          for (const auto& one : view.answer.candidates) {
            rows.push_back(
                {[&page, &one] {
                   candidate_link(page, one.id);
                   if (!one.title.empty()) page.element("small", {}, one.title);
                 },
                 [&page, &one] { severity(page, one.severity.empty() ? "unknown" : one.severity); },
                 [&page, &one] { page.text(one.kind); }, [&page, &one] { page.text(one.month); },
                 [&page, &one] {
                   const auto tone = one.failed > 0      ? Tone::bad
                                     : one.undecided > 0 ? Tone::unknown
                                     : one.passed > 0    ? Tone::good
                                                         : Tone::plain;
                   badge(page, tone,
                         fmt::format("{} passed, {} failed, {} undecided", one.passed, one.failed, one.undecided));
                 }});
          }
          if (rows.empty())
            nothing(page, view.answer.of == 0 ? "No run tested a candidate." : "There is no such page of them.");
          else
            table(page, "candidates", {"candidate", "severity", "kind", "last tested", "verdicts"}, rows);
          pager(page, "/candidates?page=", view.page, pages_for(view.answer.of));
        });
      });
}

}  // namespace patchlab::process::page
