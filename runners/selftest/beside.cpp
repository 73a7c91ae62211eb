// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/beside.hpp"

#include <fmt/format.h>

#include "lab/core/files.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "runners/scenario/check_lists.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

Result<std::vector<checks::CheckSpec>> read_role(const fs::path& folder, const fs::path& file) {
  PATCHLAB_ASSIGN(const auto json, read_json_file(file));
  std::vector<JsonProblem> problems;
  std::vector<checks::CheckSpec> found;
  CheckLists lists(folder, problems, CheckLists::Missing::is_a_problem);
  if (!json.is_object() || json.empty()) problems.push_back({"", "must be an object of lists of checks, by set"});
  const Json none = Json::object();
  for (const auto& [set, list] : (json.is_object() ? json : none).items()) {
    if (!is_scenario_name(set)) problems.push_back({"/" + set, fmt::format("'{}' {}", set, scenario_name_rule)});
    const Json machine{{"checks", list}};
    JsonReader reader(machine, "/" + set, problems);
    for (auto& check : lists.read(reader, {}).checks) {
      check.id = set + "/" + check.id;
      found.push_back(std::move(check));
    }
    reader.finish();
  }
  if (!problems.empty()) return problems_error(file.string(), problems);
  return found;
}

}  // namespace

Result<Beside> read_beside(const fs::path& folder) {
  Beside beside;
  PATCHLAB_ASSIGN(const auto files, entries_of(folder));
  for (const auto& file : files) {
    if (file.extension() != ".json") continue;
    PATCHLAB_ASSIGN(beside[file.stem().string()], read_role(folder, file));
  }
  if (beside.empty()) return configuration_error(fmt::format("'{}' has no ROLE.json", folder.string()));
  return beside;
}

}  // namespace patchlab::runners
