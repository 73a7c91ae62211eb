// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/brief/brief.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/printable.hpp"
#include "reports/record/effect.hpp"
#include "reports/record/queries.hpp"
#include "reports/record/summary.hpp"

namespace patchlab::reports {
namespace {

// Rows of one outcome that are written out; the others are counted. A chat takes a few thousand characters.
constexpr std::size_t most_rows = 15;

struct BriefRow {
  Outcome outcome = Outcome::not_reached;
  std::string what;
  std::string where;
  std::string why;
};

struct Brief {
  RunSummary summary;
  std::vector<BriefRow> rows;
};

std::string counted_rest(std::size_t count) { return fmt::format("and {} more: see report.html", count); }

void add_held(Brief& brief, std::size_t departments) {
  const auto& held = brief.summary.held;
  for (std::size_t i = 0; i < std::min(held.size(), most_rows); ++i) {
    const auto& one = held[i];
    brief.rows.push_back({one.outcome, fmt::format("{} ({})", one.candidate, one.severity),
                          departments_text(one.departments, departments),
                          one.why.empty() ? one.text : fmt::format("{}: {}", one.text, one.why)});
  }
  if (held.size() > most_rows)
    brief.rows.push_back({held[most_rows].outcome, counted_rest(held.size() - most_rows), {}, {}});
}

// Whatever stands against the run beside verdicts, and the checks by which candidates were convicted.
void add_against(Brief& brief, const std::vector<RunFact>& facts) {
  std::size_t count = 0;
  Outcome outcome = Outcome::error;
  for (const auto& fact : facts) {
    if (!fact.stands_against() || fact.is_part() || fact.kind == FactKind::verdict) continue;
    if (fact.kind == FactKind::check && fact.code == "candidate-fails") continue;
    if (++count > most_rows) {
      outcome = fact.outcome;
      continue;
    }
    auto what = std::string(to_string(fact.kind));
    if (!fact.subject.empty()) what += " " + fact.subject;
    brief.rows.push_back({fact.outcome, what, fact.department, fact.sentence});
  }
  if (count > most_rows) brief.rows.push_back({outcome, counted_rest(count - most_rows), {}, {}});
}

// Whether what passed does what it is for.
void add_effects(Brief& brief, const RunRecord& record) {
  const auto lines = effect_lines(record);
  for (std::size_t i = 0; i < std::min(lines.size(), most_rows); ++i) {
    brief.rows.push_back({Outcome::pass, lines[i].candidate,
                          departments_text(lines[i].departments, record.departments.size()), lines[i].sentence});
  }
  if (lines.size() > most_rows) brief.rows.push_back({Outcome::pass, counted_rest(lines.size() - most_rows), {}, {}});
}

Brief brief_of(const RunRecord& record, const Decisions& decisions) {
  const auto facts = facts_of_run(record, decisions);
  Brief brief{summary_of(record, decisions, facts), {}};
  add_held(brief, record.departments.size());
  add_against(brief, facts);
  std::size_t passed = 0;
  std::size_t skipped = 0;
  for (const auto& candidate : record.candidates) {
    bool any_pass = false;
    bool all_good = true;
    for (const auto& department : record.departments) {
      const auto* verdict = find_verdict(department, candidate.id);
      any_pass = any_pass || (verdict != nullptr && verdict->outcome == Outcome::pass);
      all_good =
          all_good && verdict != nullptr && (verdict->outcome == Outcome::pass || verdict->outcome == Outcome::skipped);
    }
    passed += all_good && any_pass;
    skipped += all_good && !any_pass && !record.departments.empty();
  }
  const auto candidates = [](std::size_t count) { return fmt::format("{} candidate{}", count, count == 1 ? "" : "s"); };
  if (passed > 0) brief.rows.push_back({Outcome::pass, candidates(passed), "wherever they apply", {}});
  add_effects(brief, record);
  if (skipped > 0) brief.rows.push_back({Outcome::skipped, candidates(skipped), "apply nowhere", {}});
  return brief;
}

// "Promoted in engineering, finance. Not promoted: stale in mail."
std::string decided(const RunSummary& summary, std::size_t departments) {
  std::string text;
  for (const auto& decision : summary.decisions) {
    text += fmt::format("{}{} in {}.", text.empty() ? "" : " ", decision.text,
                        departments_text(decision.departments, departments));
  }
  return text;
}

std::string task_text(const SummaryTask& task, std::size_t departments) {
  return task.departments.empty() ? task.text
                                  : fmt::format("{}: {}", departments_text(task.departments, departments), task.text);
}

std::string as_of(const Decisions& decisions) {
  std::string newest;
  for (const auto& decision : decisions) newest = std::max(newest, decision.as_of);
  return newest;
}

const char* nothing_to_do(const RunSummary& summary) {
  return summary.held.empty() ? "nothing" : "nothing: what is held back stays out of production";
}

// One line in which no character means anything to a reader of Markdown, nor becomes a link by itself. CommonMark 2.4:
// any ASCII punctuation may have a backslash in front.
std::string marked_down(const std::string& text) {
  constexpr std::string_view acting = "\\`*_{}[]<>#|!~&$()+=";
  const auto line = printable(text);
  std::string escaped;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool link = (line[i] == ':' && line.compare(i, 3, "://") == 0) ||
                      (line[i] == '.' && i >= 3 && line.compare(i - 3, 3, "www") == 0) || line[i] == '@';
    if (link || acting.find(line[i]) != std::string_view::npos) escaped += '\\';
    escaped += line[i];
  }
  return escaped;
}

// As code; within, nothing has a meaning but as many backticks as it began with.
std::string code(const std::string& text) {
  auto line = printable(text);
  std::ranges::replace(line, '`', '\'');
  return "`" + line + "`";
}

}  // namespace

std::string markdown_summary(const RunRecord& record, const Decisions& decisions, const RunChanges& changes) {
  const auto brief = brief_of(record, decisions);
  const auto departments = record.departments.size();
  auto text = fmt::format("## {}: {}\n\nRun {}{}, exit code {}.", marked_down(title_of(record)),
                          marked_down(brief.summary.headline), code(record.id),
                          record.scenario_title.empty() ? "" : " of " + marked_down(record.scenario_name),
                          number(brief.summary.code));
  if (const auto made = decided(brief.summary, departments); !made.empty())
    text += fmt::format(" Decided{}: {}", as_of(decisions).empty() ? "" : " as of " + marked_down(as_of(decisions)),
                        marked_down(made));
  if (!changes.since.empty()) text += "\n\nNew " + marked_down(to_string(changes));
  text += "\n\n**To do:** ";
  if (brief.summary.tasks.empty()) text += nothing_to_do(brief.summary);
  text += "\n";
  for (const auto& task : brief.summary.tasks) {
    text += fmt::format("- {}\n", marked_down(task_text(task, departments)));
    for (const auto& command : task.commands) text += fmt::format("  - {}\n", code(command.line));
  }
  text += "\n| Outcome | What | Where | Why |\n|---|---|---|---|\n";
  for (const auto& row : brief.rows)
    text += fmt::format("| {} | {} | {} | {} |\n", to_string(row.outcome), marked_down(row.what),
                        marked_down(row.where), marked_down(row.why));
  return text;
}

std::string text_summary(const RunRecord& record, const Decisions& decisions, const RunChanges& changes) {
  const auto brief = brief_of(record, decisions);
  const auto departments = record.departments.size();
  auto text =
      printable_format("{}: {}\nrun {}{}, exit code {}\n", title_of(record), brief.summary.headline, record.id,
                       record.scenario_title.empty() ? "" : " of " + record.scenario_name, number(brief.summary.code));
  if (const auto made = decided(brief.summary, departments); !made.empty())
    text += printable_format("decided{}: {}\n", as_of(decisions).empty() ? "" : " as of " + as_of(decisions), made);
  if (!changes.since.empty()) text += printable_format("new {}\n", to_string(changes));
  text += "\nTo do:\n";
  if (brief.summary.tasks.empty()) text += fmt::format("  {}\n", nothing_to_do(brief.summary));
  for (const auto& task : brief.summary.tasks) {
    text += printable_format("  {}\n", task_text(task, departments));
    for (const auto& command : task.commands) text += printable_format("    {}\n", command.line);
  }
  text += "\n";
  for (const auto& row : brief.rows) {
    text += printable_format("{:<12} {}", std::string(to_string(row.outcome)), row.what);
    if (!row.where.empty()) text += printable_format(", {}", row.where);
    if (!row.why.empty()) text += printable_format(": {}", row.why);
    text += "\n";
  }
  if (const auto cost = cost_of_state(record)) text += fmt::format("\n{}\n", to_string(*cost));
  return text;
}

}  // namespace patchlab::reports
