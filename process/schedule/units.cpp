// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/schedule/units.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

constexpr std::string_view mark =
    "# patchlab schedule install wrote this; it is left alone once it is changed: sha256 ";
constexpr std::string_view prefix = "patchlab-";

std::string part_of(std::string_view name) {
  const auto dot = name.rfind('.');
  return name.starts_with(prefix) ? std::string(name.substr(prefix.size(), dot - prefix.size())) : std::string();
}

// Neither a blank nor anything with a meaning in a unit.
bool is_safe(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._/+@:,=~-").find(c) != std::string_view::npos;
  });
}

Result<void> check(const char* what, const std::string& value, bool is_path) {
  if (is_safe(value) && (!is_path || value.empty() || value.starts_with("/"))) return {};
  return configuration_error(fmt::format("{} '{}' cannot stand in a unit of systemd", what, printable(value)),
                             "letters, digits and . _ / + @ : , = ~ - only: name another one, or a link to it");
}

void replace_all(std::string& text, std::string_view before, std::string_view after) {
  for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + after.size()))
    text.replace(at, before.size(), after);
}

std::string departments_of(const UnitValues& values) {
  std::string words;
  for (const auto& department : values.refresh) words += " --department " + department;
  return words;
}

// A line of the template as it is to be; nothing: it is left out.
std::optional<std::string> line_for(std::string line, const UnitValues& values) {
  if (values.user.empty() && (line.starts_with("User=") || line.starts_with("Wants=network-online") ||
                              line.starts_with("After=network-online") || line.starts_with("ExecStartPre=-+")))
    return std::nullopt;
  if (line == "User=patchlab") return "User=" + values.user;
  if (values.notify.empty() && line.starts_with("OnFailure=")) return std::nullopt;
  if (line.starts_with("#")) return line;
  replace_all(line, "/srv/patchlab", values.folder);
  if (line.starts_with("ExecStart=")) {
    if (line.starts_with("ExecStart=patchlab ")) line.replace(10, 8, values.program);
    replace_all(line, ".schedule/ patchlab ", ".schedule/ " + values.program + " ");
    replace_all(line, " nightly.jsonc", " " + values.scenario);
    replace_all(line, " notify.json", " " + values.notify);
    replace_all(line, " --department finance", departments_of(values));
    replace_all(line, "/usr/share/patchlab/scenarios/faults/levels.json", values.levels);
    // What a line names itself comes before the environment.
    if (const auto feeds = values.environment.find("PATCHLAB_FEEDS"); feeds != values.environment.end())
      replace_all(line, " --feeds feeds", " --feeds " + feeds->second);
  }
  return line;
}

bool is_wanted(std::string_view name, const UnitValues& values) {
  const auto part = part_of(name);
  const auto is_without = [&](std::string_view one) { return std::ranges::count(values.without, one) > 0; };
  if (is_without(part)) return false;
  if (part == "refresh") return !values.refresh.empty();
  // By root alone, and for these two.
  if (part == "lists") return !values.user.empty() && !(is_without("nightly") && is_without("scan"));
  return !values.notify.empty() || (part != "notify" && part != "failed@");
}

std::string text_for(const UnitTemplate& unit, const UnitValues& values) {
  std::string text;
  for (const auto line : split(unit.text, '\n')) {
    if (auto made = line_for(std::string(line), values)) text += *made + "\n";
    if (!line.starts_with("WorkingDirectory=")) continue;
    for (const auto& [name, value] : values.environment) text += fmt::format("Environment={}={}\n", name, value);
  }
  while (text.ends_with("\n\n")) text.pop_back();
  if (!values.nightly.empty() && unit.name == "patchlab-nightly.timer")
    replace_all(text, "OnCalendar=*-*-* 22:00", "OnCalendar=*-*-* " + values.nightly);
  return fmt::format("{}{}\n{}", mark, sha256(text), text);
}

}  // namespace

std::vector<std::string> schedule_parts() {
  std::vector<std::string> parts;
  for (const auto& unit : unit_templates()) {
    if (unit.name.ends_with(".timer")) parts.push_back(part_of(unit.name));
  }
  return parts;
}

Result<std::vector<Unit>> units_of(const UnitValues& values) {
  PATCHLAB_TRY(check("the program", values.program, true));
  PATCHLAB_TRY(check("the scenario", values.scenario, true));
  PATCHLAB_TRY(check("the folder", values.folder, true));
  PATCHLAB_TRY(check("the configuration of notify", values.notify, true));
  PATCHLAB_TRY(check("the file of levels", values.levels, true));
  PATCHLAB_TRY(check("the user", values.user, false));
  PATCHLAB_TRY(check("the time", values.nightly, false));
  for (const auto& department : values.refresh) PATCHLAB_TRY(check("the department", department, false));
  for (const auto& [name, value] : values.environment) {
    PATCHLAB_TRY(check("the variable", name, false));
    PATCHLAB_TRY(check(("the value of " + name).c_str(), value, true));
  }
  std::vector<Unit> units;
  for (const auto& one : unit_templates()) {
    if (is_wanted(one.name, values)) units.push_back({std::string(one.name), text_for(one, values)});
  }
  return units;
}

bool is_ours(std::string_view text) {
  if (!text.starts_with(mark)) return false;
  const auto line = text.find('\n');
  if (line == std::string_view::npos) return false;
  return text.substr(mark.size(), line - mark.size()) == sha256(text.substr(line + 1));
}

UnitState state_of_unit(const std::optional<std::string>& there, const Unit& wanted) {
  if (!there) return UnitState::missing;
  if (*there == wanted.text) return UnitState::as_wanted;
  return is_ours(*there) ? UnitState::older : UnitState::changed;
}

std::string last_value_in(std::string_view unit, std::string_view key) {
  std::string value;
  for (const auto line : split(unit, '\n')) {
    if (line.starts_with(key)) value = trimmed(line.substr(key.size()));
  }
  return value;
}

std::string value_in(std::string_view unit, std::string_view key) {
  for (const auto line : split(unit, '\n')) {
    if (line.starts_with(key)) return std::string(trimmed(line.substr(key.size())));
  }
  return {};
}

}  // namespace patchlab::process
