// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/notify/failed_units.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;

constexpr const char* schema = "patchlab/failed-unit/v1";
constexpr std::uintmax_t largest = 64U << 10U;

fs::path folder_in(const fs::path& outbox) { return outbox / "units"; }

Result<FailedUnit> read_unit(const fs::path& file) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, largest));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, file.string(), JsonTexts::any));
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  if (reader.text("schema") != schema) reader.problem("schema", fmt::format("must be \"{}\"", schema));
  FailedUnit unit;
  unit.unit = reader.text("unit");
  unit.invocation = reader.text("invocation");
  unit.result = reader.text_or("result", "");
  reader.finish();
  if (!problems.empty()) return problems_error(file.string(), problems);
  return unit;
}

}  // namespace

Result<void> write_down(const fs::path& outbox, const FailedUnit& unit) {
  PATCHLAB_TRY(create_folders(folder_in(outbox)));
  const auto name = sha256(unit.unit + "\n" + unit.invocation) + ".json";
  const Json json{{"schema", schema}, {"unit", unit.unit}, {"invocation", unit.invocation}, {"result", unit.result}};
  return write_file_atomically(folder_in(outbox) / name, pretty(json), 0600);
}

Result<FailedUnits> written_down(const fs::path& outbox) {
  FailedUnits found;
  if (status_of(folder_in(outbox)).type() == fs::file_type::not_found) return found;
  PATCHLAB_ASSIGN(auto files, entries_of(folder_in(outbox)));
  std::ranges::sort(files);
  for (auto& file : files) {
    // What somebody writes just now, or was killed over, has another name.
    if (file.extension() != ".json" || !is_sha256(file.stem().string())) continue;
    auto unit = read_unit(file);
    if (!unit) {
      found.broken.push_back(unit.error().message);
      continue;
    }
    found.units.push_back(std::move(*unit));
    found.files.push_back(std::move(file));
  }
  return found;
}

}  // namespace patchlab::process
