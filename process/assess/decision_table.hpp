// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

// What is due when: rows of a table that an organisation can read and replace, and no formula.
namespace patchlab::process {

// What a decision looks at, of one vulnerability on one machine.
enum class Fact { exploited, exposed, automatable, total_impact, importance };
inline constexpr std::array<Fact, 5> all_facts{Fact::exploited, Fact::exposed, Fact::automatable, Fact::total_impact,
                                               Fact::importance};
[[nodiscard]] const char* to_string(Fact fact);
// Its values as words, the worst last: "no" and "yes", of an impact "partial" and "total", of the importance of a
// machine lab/core/importance.hpp.
[[nodiscard]] std::span<const char* const> words_of(Fact fact);

// Index of the word; what is yes or no converts: the worse value is `true`. Nothing: nobody said.
using FactValue = std::optional<std::size_t>;
// Its word, or "unknown".
[[nodiscard]] const char* value_text(Fact fact, FactValue value);

struct Facts {
  std::array<FactValue, all_facts.size()> values;
  [[nodiscard]] FactValue& operator[](Fact fact) { return values.at(static_cast<std::size_t>(fact)); }
  [[nodiscard]] FactValue operator[](Fact fact) const { return values.at(static_cast<std::size_t>(fact)); }
  bool operator==(const Facts&) const = default;
};

struct DecisionRow {
  std::string id;           // "11"
  Facts facts;              // nothing: the table does not ask for it
  std::string timeline;     // "3 days & forensic investigation"
  std::optional<int> days;  // that it begins with; nothing: no day is named, as in "fix on system upgrade"
  bool operator==(const DecisionRow&) const = default;
};

// Who said that this table decides. A policy goes before a command, which may only name the same bytes.
enum class TableNamedBy {
  nobody,  // it is the shipped one
  command,
  policy,
};
[[nodiscard]] const char* to_string(TableNamedBy who);  // "policy"

struct TableOrigin {
  std::string file;  // its name, without folders
  TableNamedBy named_by = TableNamedBy::nobody;
  std::string policy;  // id of the policy that names it
  bool operator==(const TableOrigin&) const = default;
};

struct DecisionTable {
  std::string title;   // the head of its last column
  std::string digest;  // SHA-256 of the file
  std::vector<DecisionRow> rows;
  TableOrigin origin{};  // who chose it fills this
};

// A CSV file as the SSVC project publishes them: "row", a column for each fact that is asked for (In KEV, Publicly
// Exposed or Asset Exposure, Automatable, Technical Impact, Importance; versions behind the names are not looked at),
// and the outcome. Exactly one row for each combination; anything else is a configuration error with its line.
[[nodiscard]] Result<DecisionTable> parse_decision_table(const std::string& text, const std::string& file_name);

struct Decision {
  DecisionRow row;
  Facts facts;           // as far as they are known
  bool settled = false;  // whatever the unknown facts are, the timeline is this one
};
// Unknown counts as the worse value: of the rows that may be the one, that with the fewest days; among equals the one
// with more facts against it.
[[nodiscard]] Decision decide(const DecisionTable& table, const Facts& facts);

}  // namespace patchlab::process
