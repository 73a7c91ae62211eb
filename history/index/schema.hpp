// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace patchlab::history {

// One of history/index/schema/*.sql, as it is.
struct SchemaPart {
  std::int64_t number = 0;
  std::string text;
};
// By number, from 1 on without gaps.
[[nodiscard]] const std::vector<SchemaPart>& schema_parts();
// Of the newest: what an index made by this program is of.
[[nodiscard]] std::int64_t schema_version();
// One by one, without comments and without the semicolon.
[[nodiscard]] std::vector<std::string> statements_in(const std::string& text);
struct SchemaTable {
  std::string name;
  std::vector<std::string> columns;
};
// In the order in which they are made.
[[nodiscard]] std::vector<SchemaTable> schema_tables();

}  // namespace patchlab::history
