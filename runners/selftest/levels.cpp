// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/levels.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::runners {
namespace {

constexpr const char* levels_schema = "patchlab/levels/v1";

bool contains(const std::vector<std::string>& ids, const std::string& id) { return std::ranges::count(ids, id) > 0; }

RoleLevel& level_of(std::vector<RoleLevel>& roles, const std::string& role) {
  const auto known = std::ranges::find(roles, role, &RoleLevel::role);
  return known == roles.end() ? roles.emplace_back(RoleLevel{.role = role}) : *known;
}

std::string sentence_of(const RoleLevel& role) {
  if (role.compared == 0) return fmt::format("level of {}: nothing of it could be compared", printable(role.role));
  auto text =
      fmt::format("level of {}: {} of {} faults found, as recorded", printable(role.role), role.found, role.compared);
  if (role.is_below())
    text = fmt::format("below its level: {} found {} of {} faults, {} were found before", printable(role.role),
                       role.found, role.compared, role.recorded);
  else if (role.found > role.recorded)
    text = fmt::format("level of {}: {} of {} faults found, {} before", printable(role.role), role.found, role.compared,
                       role.recorded);
  if (!role.lost.empty()) text += fmt::format("; found before and missed now: {}", fmt::join(role.lost, ", "));
  if (!role.gained.empty()) text += fmt::format("; found for the first time: {}", fmt::join(role.gained, ", "));
  return text;
}

}  // namespace

Result<Levels> read_levels(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto json, read_json_file(file));
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  (void)reader.text("schema", [](const std::string& schema) {
    return schema == levels_schema ? "" : fmt::format("must be '{}'", levels_schema);
  });
  Levels levels;
  const Json& roles = reader.raw("roles");
  if (!roles.is_object()) reader.problem("roles", "must be an object of what was found, by role");
  const Json none = Json::object();
  for (const auto& [role, recorded] : (roles.is_object() ? roles : none).items()) {
    JsonReader of_role(recorded, "/roles/" + role, problems);
    auto& level = levels[role];
    level = {of_role.texts_or_empty("found"), of_role.texts_or_empty("missed")};
    const Json& times = of_role.raw("seconds");
    JsonReader of_times(times.is_null() ? none : times, "/roles/" + role + "/seconds", problems);
    for (const auto& [id, seconds] : (times.is_object() ? times : none).items())
      level.seconds[id] = of_times.integer(id, 0, 86400);
    of_times.finish();
    for (const auto& id : level.found) {
      if (contains(level.missed, id))
        of_role.problem("found", fmt::format("'{}' cannot be found and missed", printable(id)));
    }
    of_role.finish();
  }
  reader.finish();
  if (!problems.empty()) return problems_error(file.string(), problems);
  return levels;
}

std::map<std::string, std::int64_t> seconds_of(const Levels& levels) {
  std::map<std::string, std::int64_t> all;
  for (const auto& [role, level] : levels) all.insert(level.seconds.begin(), level.seconds.end());
  return all;
}

LevelsComparison compared_with(const Levels& levels, const SelftestResult& result) {
  LevelsComparison comparison;
  for (const auto& fault : result.faults) {
    if (!tells_something(fault)) comparison.untold.push_back(fault.id);
    if (fault.expected == Expected::clean) continue;  // it must not fail, whatever it did before
    auto& role = level_of(comparison.roles, fault.role);
    if (!tells_something(fault)) continue;
    const auto recorded = levels.find(fault.role);
    const bool was_found = recorded != levels.end() && contains(recorded->second.found, fault.id);
    const bool was_missed = recorded != levels.end() && contains(recorded->second.missed, fault.id);
    if (!was_found && !was_missed) {
      comparison.unrecorded.push_back(fault.id);
      continue;
    }
    const bool is_found = is_as_expected(fault);
    ++role.compared;
    role.recorded += was_found ? 1 : 0;
    role.found += is_found ? 1 : 0;
    if (was_found && !is_found) role.lost.push_back(fault.id);
    if (!was_found && is_found) role.gained.push_back(fault.id);
  }
  return comparison;
}

std::vector<std::string> sentences_of(const LevelsComparison& comparison) {
  std::vector<std::string> all;
  for (const auto& role : comparison.roles) all.push_back(sentence_of(role));
  if (!comparison.unrecorded.empty())
    all.push_back(fmt::format("no level is recorded of {}", fmt::join(comparison.unrecorded, ", ")));
  if (!comparison.untold.empty())
    all.push_back(
        fmt::format("neither found nor missed, as nothing is known of it: {}", fmt::join(comparison.untold, ", ")));
  return all;
}

Json levels_json(const LevelsComparison& comparison) {
  Json roles = Json::array();
  for (const auto& role : comparison.roles) {
    roles.push_back({{"role", role.role},
                     {"compared", role.compared},
                     {"recorded", role.recorded},
                     {"found", role.found},
                     {"below", role.is_below()},
                     {"lost", role.lost},
                     {"gained", role.gained}});
  }
  return {{"roles", roles}, {"unrecorded", comparison.unrecorded}, {"untold", comparison.untold}};
}

ExitCode exit_code_for(const SelftestResult& result, const LevelsComparison& comparison) {
  const auto plain = exit_code_for(result);
  if (plain == ExitCode::error) return plain;
  const bool is_below = std::ranges::any_of(comparison.roles, &RoleLevel::is_below);
  const bool false_alarm = std::ranges::any_of(result.faults, [](const auto& fault) {
    return fault.expected == Expected::clean && fault.found == Found::failed;
  });
  if (is_below || false_alarm || result.controls.failed > 0) return ExitCode::candidate_fails;
  const bool nothing_compared =
      std::ranges::all_of(comparison.roles, [](const auto& role) { return role.compared == 0; });
  const bool clean_told = std::ranges::any_of(
      result.faults, [](const auto& fault) { return fault.expected == Expected::clean && tells_something(fault); });
  if (!comparison.untold.empty() || (nothing_compared && !clean_told)) return ExitCode::not_tested;
  return ExitCode::ok;
}

}  // namespace patchlab::runners
