// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/assess/decision_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/importance.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

struct Column {
  Fact fact;
  std::size_t place;
};

constexpr std::string_view heads =
    "In KEV, Publicly Exposed or Asset Exposure, Automatable, Technical Impact, Importance";

// "In KEV v1.0.0 (cisa)"
std::optional<Fact> fact_of(std::string_view head) {
  const auto name = lower_case(head);
  if (name.starts_with("in kev")) return Fact::exploited;
  if (name.starts_with("publicly exposed") || name.starts_with("asset exposure")) return Fact::exposed;
  if (name.starts_with("automatable")) return Fact::automatable;
  if (name.starts_with("technical impact")) return Fact::total_impact;
  if (name.starts_with("importance")) return Fact::importance;
  return std::nullopt;
}

FactValue value_of(Fact fact, std::string_view word) {
  const auto words = words_of(fact);
  const auto found = std::ranges::find(words, lower_case(word));
  return found == words.end() ? FactValue() : static_cast<std::size_t>(found - words.begin());
}

// "14 days": nothing where no day is named.
std::optional<int> days_in(std::string_view timeline) {
  int days = 0;
  const auto [end, code] = std::from_chars(timeline.data(), timeline.data() + timeline.size(), days);
  const auto rest = timeline.substr(static_cast<std::size_t>(end - timeline.data()));
  if (code != std::errc() || days < 0 || days > 3650) return std::nullopt;
  return rest.starts_with(" day") ? std::optional(days) : std::nullopt;
}

bool may_be(const DecisionRow& row, const Facts& facts) {
  return std::ranges::all_of(
      all_facts, [&](Fact fact) { return !row.facts[fact] || !facts[fact] || row.facts[fact] == facts[fact]; });
}

int weight(const DecisionRow& row) { return row.days.value_or(std::numeric_limits<int>::max()); }
std::size_t against(const DecisionRow& row) {
  std::size_t sum = 0;
  for (const auto& value : row.facts.values) sum += value.value_or(0);
  return sum;
}

}  // namespace

const char* to_string(Fact fact) {
  switch (fact) {
    case Fact::exploited: return "exploited";
    case Fact::exposed: return "exposed";
    case Fact::automatable: return "automatable";
    case Fact::total_impact: return "impact";
    case Fact::importance: return "importance";
  }
  return "";
}

std::span<const char* const> words_of(Fact fact) {
  static constexpr std::array yes_or_no{"no", "yes"};
  static constexpr std::array impacts{"partial", "total"};
  switch (fact) {
    case Fact::exploited:
    case Fact::exposed:
    case Fact::automatable: return yes_or_no;
    case Fact::total_impact: return impacts;
    case Fact::importance: return importance_words;
  }
  return {};
}

const char* value_text(Fact fact, FactValue value) {
  const auto words = words_of(fact);
  return value && *value < words.size() ? words[*value] : "unknown";
}

const char* to_string(TableNamedBy who) {
  switch (who) {
    case TableNamedBy::nobody: return "nobody";
    case TableNamedBy::command: return "command";
    case TableNamedBy::policy: return "policy";
  }
  return "";
}

Result<DecisionTable> parse_decision_table(const std::string& text, const std::string& file_name) {
  std::size_t number = 0;
  const auto wrong = [&](const std::string& what) {
    return configuration_error(
        fmt::format("{}:{}: {}", printable(file_name), std::max<std::size_t>(number, 1), printable(what)),
        "docs/process/assess.md says what a decision table is");
  };
  DecisionTable table;
  table.digest = sha256(text);
  std::vector<Column> columns;
  std::size_t width = 0;
  std::set<std::vector<std::size_t>> seen;
  std::size_t needed = 1;  // rows
  // Spreadsheets put a byte order mark in front.
  const std::string_view written = text.starts_with("\xef\xbb\xbf") ? std::string_view(text).substr(3) : text;
  for (const auto whole : split(written, '\n')) {
    ++number;
    const auto line = trimmed(whole);
    if (line.empty()) continue;
    if (line.find('"') != std::string_view::npos) return wrong("quotation marks are not read");
    const auto cells = split(line, ',');
    if (width == 0) {
      width = cells.size();
      if (width < 3 || lower_case(trimmed(cells[0])) != "row") return wrong("must begin with the heads 'row,...'");
      for (std::size_t i = 1; i + 1 < width; ++i) {
        const auto fact = fact_of(trimmed(cells[i]));
        if (!fact) return wrong(fmt::format("'{}' is nothing that is known; known: {}", cells[i], heads));
        if (std::ranges::count(columns, *fact, &Column::fact) > 0) return wrong(fmt::format("'{}' twice", cells[i]));
        columns.push_back({*fact, i});
        needed *= words_of(*fact).size();
      }
      table.title = trimmed(cells.back());
      continue;
    }
    if (cells.size() != width) return wrong(fmt::format("has {} cells, and the head has {}", cells.size(), width));
    DecisionRow row;
    row.id = trimmed(cells[0]);
    row.timeline = trimmed(cells.back());
    row.days = days_in(row.timeline);
    if (row.id.empty() || row.timeline.empty()) return wrong("a row needs a name and an outcome");
    std::vector<std::size_t> key;
    for (const auto& [fact, place] : columns) {
      const auto value = value_of(fact, trimmed(cells[place]));
      if (!value) return wrong(fmt::format("'{}' must be {}", cells[place], fmt::join(words_of(fact), " or ")));
      row.facts[fact] = value;
      key.push_back(*value);
    }
    if (!seen.insert(key).second) return wrong("the same facts stand in a row above");
    table.rows.push_back(std::move(row));
  }
  if (table.rows.size() != needed)
    return wrong(fmt::format("there are {} rows, and {} combinations of facts", table.rows.size(), needed));
  return table;
}

Decision decide(const DecisionTable& table, const Facts& facts) {
  Decision decision;
  decision.facts = facts;
  const DecisionRow* worst = nullptr;
  std::set<std::string> timelines;
  for (const auto& row : table.rows) {
    if (!may_be(row, facts)) continue;
    timelines.insert(row.timeline);
    if (worst == nullptr || weight(row) < weight(*worst) ||
        (weight(row) == weight(*worst) && against(row) > against(*worst)))
      worst = &row;
  }
  if (worst != nullptr) decision.row = *worst;
  decision.settled = timelines.size() == 1;
  return decision;
}

}  // namespace patchlab::process
