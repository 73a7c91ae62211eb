// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/compare.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "checks/state/rules.hpp"
#include "lab/core/debian_version.hpp"

namespace patchlab::checks::state {
namespace {

using Differences = std::vector<StateDifference>;

std::string status_of(const std::map<std::string, std::string>& services, const std::string& name) {
  const auto found = services.find(name);
  return found == services.end() ? "" : found->second;
}

void compare_services(const HostState& before, const HostState& after, Differences& differences) {
  for (const auto& [name, status] : before.services) {
    const auto now = status_of(after.services, name);
    if (status == "running" && now != "running") differences.push_back({"service", name, status, now});
  }
  for (const auto& [name, status] : after.services) {
    const auto earlier = status_of(before.services, name);
    // One that ran is reported above.
    if (status == "failed" && earlier != "failed" && earlier != "running") {
      differences.push_back({"service", name, earlier, status});
    }
  }
}

std::set<std::string> without(const std::vector<std::string>& all, const std::vector<std::string>& removed) {
  std::set<std::string> rest(all.begin(), all.end());
  for (const auto& one : removed) rest.erase(one);
  return rest;
}

// "tcp 0.0.0.0:25 master" -> protocol, address and port, program. Lines in another shape are compared as a whole.
struct Listener {
  std::string line;
  std::string protocol;
  std::string endpoint;
  std::string port;
  std::string program;
};

Listener parsed(const std::string& line) {
  Listener listener{line, {}, {}, {}, {}};
  const auto first = line.find(' ');
  if (first == std::string::npos) return listener;
  const auto second = line.find(' ', first + 1);
  listener.protocol = line.substr(0, first);
  listener.endpoint = line.substr(first + 1, second == std::string::npos ? second : second - first - 1);
  if (second != std::string::npos) listener.program = line.substr(second + 1);
  const auto colon = listener.endpoint.rfind(':');
  if (colon != std::string::npos) listener.port = listener.endpoint.substr(colon + 1);
  return listener;
}

bool same_endpoint(const Listener& a, const Listener& b) {
  return !a.endpoint.empty() && a.protocol == b.protocol && a.endpoint == b.endpoint;
}
bool same_service(const Listener& a, const Listener& b) {
  return !a.port.empty() && a.protocol == b.protocol && a.port == b.port && a.program == b.program;
}

void compare_listeners(const HostState& before, const HostState& after, Differences& differences) {
  std::vector<Listener> gone;
  std::vector<Listener> fresh;
  for (const auto& line : without(before.listeners, after.listeners)) gone.push_back(parsed(line));
  for (const auto& line : without(after.listeners, before.listeners)) fresh.push_back(parsed(line));
  // A pair that is one thing changed reads better than one lost and one gained.
  for (const auto same : {same_endpoint, same_service}) {
    for (auto old = gone.begin(); old != gone.end();) {
      const auto match = std::find_if(fresh.begin(), fresh.end(), [&](const auto& one) { return same(*old, one); });
      if (match == fresh.end()) {
        ++old;
        continue;
      }
      differences.push_back({"listener", old->line, old->line, match->line});
      fresh.erase(match);
      old = gone.erase(old);
    }
  }
  for (const auto& one : gone) differences.push_back({"listener", one.line, one.line, ""});
  for (const auto& one : fresh) differences.push_back({"listener", one.line, "", one.line});
}

std::map<std::string, std::set<std::string>> by_mac(const std::vector<std::string>& addresses) {
  std::map<std::string, std::set<std::string>> grouped;
  for (const auto& line : addresses) {
    const auto blank = line.find(' ');
    auto& of_mac = grouped[line.substr(0, blank)];
    if (blank != std::string::npos) of_mac.insert(line.substr(blank + 1));
  }
  return grouped;
}

void compare_addresses(const HostState& before, const HostState& after, Differences& differences) {
  const auto old = by_mac(before.addresses);
  const auto now = by_mac(after.addresses);
  const auto text = [](const auto& grouped, const std::string& mac) {
    const auto found = grouped.find(mac);
    return found == grouped.end() ? std::string() : fmt::format("{}", fmt::join(found->second, ", "));
  };
  std::set<std::string> macs;
  for (const auto& [mac, ignored] : old) macs.insert(mac);
  for (const auto& [mac, ignored] : now) macs.insert(mac);
  for (const auto& mac : macs) {
    // Matched by MAC, not by device name: names may change without harm, a device without its address may not.
    if (text(old, mac) != text(now, mac)) differences.push_back({"address", mac, text(old, mac), text(now, mac)});
  }
}

void compare_error_kinds(const HostState& before, const HostState& after, const std::set<std::string>& known,
                         Differences& differences) {
  for (const auto& line : without(after.error_kinds, before.error_kinds)) {
    if (!known.contains(line)) differences.push_back({log_kind, line, "", "logged"});
  }
}

void compare_facts(const HostState& before, const HostState& after, Differences& differences) {
  for (const auto& [name, value] : before.facts) {
    const auto now = after.facts.find(name);
    const auto text = now == after.facts.end() ? std::string{} : now->second;
    if (text != value) differences.push_back({"fact", name, value, text});
  }
  for (const auto& [name, value] : after.facts) {
    if (!before.facts.contains(name)) differences.push_back({"fact", name, "", value});
  }
}

// Of what could be seen both times: that a source is gone is a difference of its own.
void compare_rows(const HostState& before, const HostState& after, Differences& differences) {
  static const std::map<std::string, std::string> none;
  const auto rows_of = [](const HostState& state, const std::string& kind) -> const auto& {
    const auto found = state.rows.find(kind);
    return found == state.rows.end() ? none : found->second;
  };
  std::set<std::string> kinds;
  for (const auto* state : {&before, &after}) {
    for (const auto& [kind, rows] : state->rows) kinds.insert(kind);
  }
  for (const auto& kind : kinds) {
    if (before.absent_sources.contains(kind) || after.absent_sources.contains(kind)) continue;
    const auto& old = rows_of(before, kind);
    const auto& now = rows_of(after, kind);
    for (const auto& [id, value] : old) {
      const auto found = now.find(id);
      const auto text = found == now.end() ? std::string() : found->second;
      if (text != value) differences.push_back({kind, id, value, text});
    }
    for (const auto& [id, value] : now) {
      if (!old.contains(id)) differences.push_back({kind, id, "", value});
    }
  }
}

// What the guest could tell by before, and cannot any more.
void compare_sources(const HostState& before, const HostState& after, Differences& differences) {
  for (const auto& [name, why] : after.absent_sources) {
    if (!before.absent_sources.contains(name)) differences.push_back({"fact", "source " + name, "there", why});
  }
}

Differences unexpected(Differences differences, const Allowances& allowances) {
  std::erase_if(differences, [&](const auto& difference) { return allowances.covers(difference); });
  for (auto& difference : differences) difference = classified(std::move(difference));
  std::sort(differences.begin(), differences.end(), [](const auto& a, const auto& b) {
    return std::tie(a.kind, a.item, a.after) < std::tie(b.kind, b.item, b.after);
  });
  return differences;
}

}  // namespace

std::vector<StateDifference> compare(const HostState& before, const HostState& after, const Allowances& allowances,
                                     const std::set<std::string>& known_error_kinds) {
  Differences differences;
  compare_services(before, after, differences);
  compare_listeners(before, after, differences);
  compare_addresses(before, after, differences);
  compare_facts(before, after, differences);
  compare_rows(before, after, differences);
  compare_sources(before, after, differences);
  compare_error_kinds(before, after, known_error_kinds, differences);
  return unexpected(std::move(differences), allowances);
}

InstalledFindings compare_installed(const InstalledSet& baseline, const InstalledSet& expected,
                                    const InstalledSet& found, Restart restart, const Allowances& allowances) {
  const bool outstanding = restart == Restart::outstanding;
  InstalledFindings findings;
  Differences missing;
  const auto widen = [&](const std::string& name, const std::string& before, const std::string& now) {
    if (!findings.widened.empty() || allowances.covers({"installed", name, before, now})) return;
    findings.widened = before.empty() ? fmt::format("'{}' ({}) came along and nobody asked for it", name, now)
                                      : fmt::format("'{}' became {} and nobody asked for it", name, now);
  };
  for (const auto& [name, now] : found) {
    const auto wanted = expected.find(name);
    if (wanted == expected.end()) {
      if (!(outstanding && now == "uninstall pending")) widen(name, "", now);
      continue;
    }
    const auto& version = wanted->second;
    if (is_same_version(now, version) || (outstanding && now == "install pending")) continue;
    if (baseline != expected && now == "superseded") continue;
    const auto before = baseline.find(name);
    if (before != baseline.end() && is_same_version(before->second, version))
      widen(name, version, now);
    else
      missing.push_back({"installed", name, version, now});
  }
  for (const auto& [name, version] : expected) {
    if (!found.contains(name)) missing.push_back({"installed", name, version, ""});
  }
  findings.differences = unexpected(std::move(missing), allowances);
  return findings;
}

InstalledSet after_restart(InstalledSet found) {
  std::erase_if(found, [](const auto& entry) { return entry.second == "uninstall pending"; });
  for (auto& [name, state] : found) {
    if (state == "install pending") state = "installed";
  }
  return found;
}

}  // namespace patchlab::checks::state
