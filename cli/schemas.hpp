// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

namespace patchlab::cli {

// The schema of a document that is read or printed here; the files are in cli/schemas, scenarios and reports/record.
struct SchemaFile {
  std::string_view name;  // "doctor": of documents that say "schema": "patchlab/doctor/v1"
  std::string_view text;  // the whole file
};
[[nodiscard]] const std::vector<SchemaFile>& schema_files();  // sorted by name

}  // namespace patchlab::cli
