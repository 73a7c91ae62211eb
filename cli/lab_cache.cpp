// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/lab_cache.hpp"

#include <fmt/format.h>

#include <limits>
#include <set>

#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "snapshots/store/state_store.hpp"

namespace patchlab::cli {
namespace {

using snapshots::StateStore;

struct Line {
  StateStore::Entry entry;
  const char* what = "";  // "kept", "damaged", "removed"
};

std::string age_of(std::chrono::system_clock::time_point when, const Clock& clock) {
  const auto hours = std::chrono::floor<std::chrono::hours>(clock.wall() - when).count();
  return hours < 48 ? fmt::format("{} h", hours) : fmt::format("{} days", hours / 24);
}

Json json_of(const std::vector<Line>& lines) {
  Json states = Json::array();
  for (const auto& [entry, what] : lines) {
    Json one{{"key", to_valid_utf8(entry.state.key)}, {"state", what}};
    if (!entry.damage.empty()) {
      one["damage"] = to_valid_utf8(entry.damage);
    } else {
      one["purpose"] = entry.state.purpose;
      one["run"] = entry.state.run;
      one["bytes"] = entry.state.bytes();
      one["room"] = entry.state.room();
      one["made"] = rfc3339(entry.state.made);
      one["used"] = rfc3339(entry.state.used);
    }
    states.push_back(std::move(one));
  }
  return {{"states", states}};
}

std::string text_of(const std::vector<Line>& lines, const Clock& clock) {
  if (lines.empty()) return "no state of a machine is kept\n";
  std::vector<std::vector<Cell>> rows{
      {{"STATE", {}}, {"WHAT FOR", {}}, {"MIB", {}}, {"MADE BEFORE", {}}, {"BY RUN", {}}, {"", {}}}};
  for (const auto& [entry, what] : lines) {
    const auto& state = entry.state;
    std::vector<Cell> row{{state.key.substr(0, 12), {}}};
    if (entry.damage.empty()) {
      row.push_back({state.purpose, {}});
      row.push_back({std::to_string(state.room() >> 20U), {}});
      row.push_back({age_of(state.made, clock), {}});
      row.push_back({state.run, {}});
    } else {
      row.insert(row.end(), {{entry.damage, {}}, {"", {}}, {"", {}}, {"", {}}});
    }
    row.push_back({what, {}});
    rows.push_back(std::move(row));
  }
  return table(rows);
}

}  // namespace

ExitCode show_lab_cache(const LabCache& wanted) {
  auto& clock = system_clock_source();
  constexpr auto all = std::numeric_limits<std::uintmax_t>::max();
  const auto cache = own_cache();
  if (!cache) return report(cache.error());
  StateStore store(*cache / "states", all, clock, warn);
  auto entries = store.entries();
  if (!entries) return report(entries.error());
  std::set<std::string> gone;
  if (wanted.most_mib || wanted.most_hours) {
    std::optional<Milliseconds> age;
    if (wanted.most_hours) age = std::chrono::hours(*wanted.most_hours);
    auto trimmed = store.trim(wanted.most_mib ? *wanted.most_mib << 20U : all, age);
    if (!trimmed) return report(trimmed.error());
    gone.insert(trimmed->begin(), trimmed->end());
  }
  std::vector<Line> lines;
  for (auto& entry : *entries) {
    const char* what = entry.damage.empty() ? "kept" : "damaged";
    if (gone.contains(entry.state.key)) what = "removed";
    lines.push_back({std::move(entry), what});
  }
  if (wanted.json)
    say_json("lab-cache", json_of(lines));
  else
    write_out(text_of(lines, clock));
  return ExitCode::ok;
}

}  // namespace patchlab::cli
