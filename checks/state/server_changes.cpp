// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/server_changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "checks/state/compare.hpp"

namespace patchlab::checks::state {
namespace {

constexpr const char* server_kind = "server";
constexpr const char* answers = "answers";
constexpr std::size_t most_of_a_kind = 40;

std::string said_of(const HostState& state, const std::string& name) {
  const auto rows = state.rows.find(server_kind);
  if (rows == state.rows.end()) return {};
  const auto found = rows->second.find(name);
  return found == rows->second.end() ? std::string() : found->second;
}

std::set<std::string> names_in(const HostState& state) {
  std::set<std::string> names;
  if (const auto rows = state.rows.find(server_kind); rows != state.rows.end()) {
    for (const auto& [name, ignored] : rows->second) names.insert(name);
  }
  for (const auto& [name, ignored] : state.absent_sources) names.insert(name);
  return names;
}

// Worse classes come first in their order.
std::vector<StateDifference> bounded(std::vector<StateDifference> all) {
  std::map<std::string, std::vector<StateDifference>> kinds;
  for (auto& one : all) kinds[one.kind].push_back(std::move(one));
  std::vector<StateDifference> kept;
  for (auto& [kind, rows] : kinds) {
    std::ranges::stable_sort(rows, {}, &StateDifference::finding);
    const auto shown = std::min(rows.size(), most_of_a_kind);
    std::move(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(shown), std::back_inserter(kept));
    if (rows.size() > shown)
      kept.push_back({kind, fmt::format("{} more", rows.size() - shown), "", "other", rows[shown].finding,
                      "more of the same kind"});
  }
  return kept;
}

}  // namespace

std::vector<StateDifference> compare_servers(HostState before, HostState after) {
  auto names = names_in(before);
  names.merge(names_in(after));
  for (const auto& name : names) {
    const auto old = said_of(before, name);
    const auto now = said_of(after, name);
    if (old == answers && now == answers) continue;
    const auto forget = [&](auto&& what) {
      for (auto* state : {&before, &after}) what(*state);
    };
    forget([&](HostState& state) {
      std::erase_if(state.rows, [&](const auto& kind) { return kind.first.starts_with(name + "-"); });
    });
    const bool lost_its_asker = after.absent_sources.contains(name);
    const bool was_known = old == answers || (old.empty() && !before.absent_sources.contains(name));
    // Its row tells what happened, or that there is nothing left to ask it with.
    if (was_known && !lost_its_asker) continue;
    if (!old.empty() && old != answers && (now.empty() || now == answers) && !lost_its_asker) continue;
    forget([&](HostState& state) {
      if (const auto rows = state.rows.find(server_kind); rows != state.rows.end()) rows->second.erase(name);
    });
    if (old != answers) after.absent_sources.erase(name);  // nothing is known of it, now as before
  }
  return bounded(compare(before, after, {}));
}

std::map<std::string, std::string> servers_not_asked(const HostState& state) {
  auto found = state.absent_sources;
  if (const auto rows = state.rows.find(server_kind); rows != state.rows.end()) {
    for (const auto& [name, said] : rows->second) {
      if (said != answers) found[name] = said;
    }
  }
  return found;
}

std::string folder_of_settings(const std::string& kind) {
  constexpr std::array<std::pair<std::string_view, const char*>, 12> folders{
      {{"bind-setting", "/etc/bind/"},
       {"cups-setting", "/etc/cups/"},
       {"dovecot-section", "/etc/dovecot/"},
       {"dovecot-setting", "/etc/dovecot/"},
       {"kea-running", "/etc/kea/"},
       {"kea-setting", "/etc/kea/"},
       {"postfix-service", "/etc/postfix/"},
       {"postfix-setting", "/etc/postfix/"},
       {"postgresql-access", "/etc/postgresql/"},
       {"postgresql-access-order", "/etc/postgresql/"},
       {"postgresql-setting", "/etc/postgresql/"},
       {"samba-setting", "/etc/samba/"}}};
  const auto found =
      std::ranges::find(folders, std::string_view(kind), &std::pair<std::string_view, const char*>::first);
  return found == folders.end() ? std::string() : std::string(found->second);
}

}  // namespace patchlab::checks::state
