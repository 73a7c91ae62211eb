// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks::database {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_identifier(std::string_view name) {
  return !name.empty() && name.size() <= 63 && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

bool is_table_name(std::string_view name) {
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return is_identifier(name);
  return is_identifier(name.substr(0, dot)) && is_identifier(name.substr(dot + 1));
}

}  // namespace

Table read_table(JsonReader& reader) {
  Table table;
  table.name = reader.text("table", [](const std::string& name) {
    return is_table_name(name)
               ? ""
               : fmt::format("'{}' must be a name of letters, digits and _, also \"schema.table\"", name);
  });
  table.column = reader.text("column", [](const std::string& name) {
    return is_identifier(name) ? "" : fmt::format("'{}' must be a name of letters, digits and _", name);
  });
  return table;
}

}  // namespace patchlab::checks::database
