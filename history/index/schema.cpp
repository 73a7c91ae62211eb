// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/schema.hpp"

#include <sstream>

#include "lab/core/text.hpp"

namespace patchlab::history {

std::int64_t schema_version() { return schema_parts().back().number; }

std::vector<std::string> statements_in(const std::string& text) {
  std::string bare;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) bare += line.substr(0, line.find("--")) + "\n";
  std::vector<std::string> statements;
  for (const auto part : split(bare, ';')) {
    const auto statement = trimmed(part, " \t\r\n");
    if (!statement.empty()) statements.emplace_back(statement);
  }
  return statements;
}

std::vector<SchemaTable> schema_tables() {
  constexpr std::string_view makes = "create table ";
  std::vector<SchemaTable> tables;
  for (const auto& part : schema_parts()) {
    for (const auto& statement : statements_in(part.text)) {
      if (!statement.starts_with(makes)) continue;
      // A column in each line between the first one and that of the key.
      auto lines = split(statement, '\n');
      SchemaTable table{std::string(split(lines.front().substr(makes.size()), ' ').front()), {}};
      for (std::size_t i = 1; i < lines.size(); ++i) {
        const std::string column(split(trimmed(lines[i]), ' ').front());
        if (column == "primary") break;
        table.columns.push_back(column);
      }
      tables.push_back(std::move(table));
    }
  }
  return tables;
}

}  // namespace patchlab::history
