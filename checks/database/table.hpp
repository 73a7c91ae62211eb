// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/core/json.hpp"

namespace patchlab::checks::database {

// A table of the site's that a check may write into:
//   table    or schema.table; every other column must have a default
//   column   takes a text of 60 characters
struct Table {
  std::string name;
  std::string column;
};

// Reads its keys only. Both are regular identifiers of SQL, which need no quotes and cannot end a statement.
[[nodiscard]] Table read_table(JsonReader& reader);

}  // namespace patchlab::checks::database
