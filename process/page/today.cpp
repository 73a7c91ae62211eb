// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/printable.hpp"
#include "process/page/monday.hpp"
#include "process/page/pages.hpp"
#include "process/page/parts.hpp"
#include "process/page/pieces.hpp"
#include "reports/html/parts.hpp"

namespace patchlab::process::page {
namespace {

using reports::html::counted;

bool waits_for(const WaitingSet& one, const Reader& reader) {
  return !reader.name.empty() && std::ranges::count(one.whom, reader.name) > 0;
}

void write_waiting(Page& page, const Facts& facts, const Reader& reader) {
  const auto hint = reader.name.empty() ? "What people have to decide. Each command is to be signed with your own key."
                                        : "What people have to decide; what waits for you comes first.";
  section(page, "waiting", reader.name.empty() ? "What waits for people" : "What waits for me", hint, [&] {
    if (!facts.waiting) {
      not_known(page, facts.waiting.why);
      return;
    }
    auto sets = *facts.waiting;
    std::ranges::stable_sort(sets, {}, [&](const WaitingSet& one) {
      return std::pair(!waits_for(one, reader), !(one.is_review && one.is_late));
    });
    if (sets.empty()) nothing(page, "Nothing waits.");
    nothing(page, fmt::format("Looked at {}.", counted(facts.waiting_runs, "newest run", "newest runs")));
    if (!sets.empty()) {
      page.element("ul", {{"class", "cards"}}, [&] {
        for (const auto& one : sets) write_waiting_set(page, one, waits_for(one, reader));
      });
    }
    if (!facts.waiting_notes.empty()) lines(page, facts.waiting_notes);
  });
}

void write_monday(Page& page, const Facts& facts) {
  section(page, "monday", "Overdue, at risk, blocked",
          "What a department lacks and somebody has to decide about: patchlab queue --monday.", [&] {
            const auto monday = monday_of(facts);
            std::vector<std::vector<Cell>> rows;
            for (const auto& row : monday.rows) {
              rows.push_back(
                  {[&page, &row] { candidate_link(page, row.update); },
                   [&page, &row] {
                     department_link(page, row.department);
                     if (!row.machines.empty())
                       page.element("small", {}, fmt::format("{}", fmt::join(row.machines, ", ")));
                   },
                   [&page, &row] { badge(page, row.overdue || row.blocked ? Tone::bad : Tone::waits, words_of(row)); },
                   [&page, &row] { page.text(row.due.empty() ? "no date" : row.due); },
                   [&page, &row] { lines(page, row.why); }, [&page, &row] { words(page, row.next); }});
            }
            if (!rows.empty())
              table(page, "what is overdue, at risk or blocked",
                    {"update", "department", "state", "due", "why", "what to do"}, rows);
            else if (monday.not_known.empty())
              nothing(page, fmt::format("Nothing, by the scan of {}.", monday.scan_day));
            for (const auto& one : monday.not_known) not_known(page, one);
          });
}

void write_matrix(Page& page, const Facts& facts) {
  section(page, "steps", "The six steps", "How each department stands, from what is missing to what its machines have.",
          [&] {
            const auto departments = departments_of(facts);
            if (!facts.stale.empty()) return not_known(page, facts.stale);
            if (departments.empty()) {
              nothing(page, "No department is known yet: run 'patchlab scan' and 'patchlab run'.");
              return;
            }
            write_steps(page, facts, departments);
          });
}

Tone tone_of(Health health) {
  switch (health) {
    case Health::ok: return Tone::good;
    case Health::warning: return Tone::waits;
    case Health::critical: return Tone::bad;
    case Health::unknown: return Tone::unknown;
  }
  return Tone::unknown;
}

void write_lab(Page& page, const Facts& facts) {
  section(page, "lab", "The lab itself", "Whether what does all this works: patchlab health.", [&] {
    if (facts.health.empty()) {
      not_known(page, "nobody looked");
      return;
    }
    page.element("dl", {{"class", "facts"}}, [&] {
      for (const auto& one : facts.health) {
        fact(page, one.name, [&] {
          badge(page, tone_of(one.health), to_string(one.health));
          page.text(" " + one.says);
        });
      }
    });
  });
}

void write_newest(Page& page, const Facts& facts) {
  section(page, "newest", "The newest runs", "", [&] {
    if (!facts.history) {
      not_known(page, facts.history.why);
      return;
    }
    const auto& newest = facts.history->newest;
    if (newest.runs.empty())
      nothing(page, "No run is in the index.");
    else
      write_runs(page, newest.runs);
    write_open_runs(page, *facts.history);
    if (newest.of > newest.runs.size()) {
      page.element("p", {}, [&] {
        page.element("a", {{"href", "/runs"}}, "All " + counted(newest.of, "run", "runs"));
      });
    }
  });
}

}  // namespace

std::string today_page(const Facts& facts, const Reader& reader) {
  return framed({"Today", "today", "What waits, and how each department stands.", facts, reader.name}, [&](Page& page) {
    write_waiting(page, facts, reader);
    write_monday(page, facts);
    write_matrix(page, facts);
    write_lab(page, facts);
    write_newest(page, facts);
  });
}

std::string refusal_page(const Facts& facts, unsigned status, const std::string& code, const std::string& text) {
  const auto* title = status == 404   ? "There is no such page"
                      : status == 401 ? "You are not signed in"
                                      : "This cannot be shown";
  return framed({title, "", "", facts, "", false}, [&](Page& page) {
    section(page, "why", "Why", "", [&] {
      page.element("p", {}, [&] {
        page.element("code", {}, code);
        page.text(": " + text);
      });
      page.element("p", {}, [&] {
        page.text("Go on with ");
        page.element("a", {{"href", "/"}}, "what waits today");
        page.text(".");
      });
    });
  });
}

}  // namespace patchlab::process::page
