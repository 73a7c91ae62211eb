// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/lab_cache.hpp"

#include <fmt/format.h>

#include <limits>
#include <map>

#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "snapshots/store/expected_saving.hpp"

namespace patchlab::cli {
namespace {

using snapshots::StateStore;

struct Line {
  StateStore::Entry entry;
  const char* what = "";  // "kept", "damaged", "removed"
  std::string why;        // it was removed
};

std::string age_of(std::chrono::system_clock::time_point when, const Clock& clock) {
  const auto hours = std::chrono::floor<std::chrono::hours>(clock.wall() - when).count();
  return hours < 48 ? fmt::format("{} h", hours) : fmt::format("{} days", hours / 24);
}

std::string used_of(const snapshots::StoredState& state, const Clock& clock) {
  if (state.uses == 0) return state.made_in ? "never" : "not counted";  // an older version kept it
  return fmt::format("{}, last {} ago", state.uses == 1 ? "once" : fmt::format("{} times", state.uses),
                     age_of(state.used, clock));
}

Json json_of(const std::vector<Line>& lines, const Clock& clock) {
  Json states = Json::array();
  for (const auto& [entry, what, why] : lines) {
    Json one{{"key", to_valid_utf8(entry.state.key)}, {"state", what}};
    if (!why.empty()) one["why"] = to_valid_utf8(why);
    if (!entry.damage.empty()) {
      one["damage"] = to_valid_utf8(entry.damage);
    } else {
      one["purpose"] = entry.state.purpose;
      one["run"] = entry.state.run;
      one["bytes"] = entry.state.bytes();
      one["room"] = entry.state.room();
      one["made"] = rfc3339(entry.state.made);
      one["used"] = rfc3339(entry.state.used);
      one["uses"] = entry.state.uses;
      const auto saving = snapshots::expected_saving(entry.state, clock.wall());
      if (saving.made_in) one["made_in_ms"] = saving.made_in->count();
      one["likelihood"] = saving.likelihood;
      one["saves_s_per_gib"] = saving.seconds_per_gib();
    }
    states.push_back(std::move(one));
  }
  return {{"states", states}};
}

std::string text_of(const std::vector<Line>& lines, const Clock& clock) {
  if (lines.empty()) return "no state of a machine is kept\n";
  std::vector<std::vector<Cell>> rows{{{"STATE", {}},
                                       {"WHAT FOR", {}},
                                       {"MIB", {}},
                                       {"MADE BEFORE", {}},
                                       {"BY RUN", {}},
                                       {"USED", {}},
                                       {"SAVES", {}},
                                       {"", {}}}};
  for (const auto& [entry, what, why] : lines) {
    const auto& state = entry.state;
    std::vector<Cell> row{{state.key.substr(0, 12), {}}};
    if (entry.damage.empty()) {
      row.push_back({state.purpose, {}});
      row.push_back({std::to_string(state.room() >> 20U), {}});
      row.push_back({age_of(state.made, clock), {}});
      row.push_back({state.run, {}});
      row.push_back({used_of(state, clock), {}});
      row.push_back({snapshots::expected_saving(state, clock.wall()).words(), {}});
    } else {
      row.insert(row.end(), {{entry.damage, {}}, {"", {}}, {"", {}}, {"", {}}, {"", {}}, {"", {}}});
    }
    row.push_back({why.empty() ? what : fmt::format("{}: {}", what, why), {}});
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
  std::map<std::string, std::string> gone;  // why, by key
  if (wanted.most_mib || wanted.most_hours) {
    std::optional<Milliseconds> age;
    if (wanted.most_hours) age = std::chrono::hours(*wanted.most_hours);
    auto trimmed = store.trim(wanted.most_mib ? *wanted.most_mib << 20U : all, age);
    if (!trimmed) return report(trimmed.error());
    for (auto& one : *trimmed) gone.emplace(one.key, std::move(one.why));
  }
  std::vector<Line> lines;
  for (auto& entry : *entries) {
    const char* what = entry.damage.empty() ? "kept" : "damaged";
    const auto removed = gone.find(entry.state.key);
    if (removed != gone.end()) what = "removed";
    lines.push_back({std::move(entry), what, removed == gone.end() ? std::string() : removed->second});
  }
  if (wanted.json)
    say_json("lab-cache", json_of(lines, clock));
  else
    write_out(text_of(lines, clock));
  return ExitCode::ok;
}

}  // namespace patchlab::cli
