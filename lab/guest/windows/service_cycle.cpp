// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/service_cycle.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "lab/core/text.hpp"

namespace patchlab::lab::guest::windows {
namespace {

// "Tcpip\0Afd\0RpcSs", as reg prints a list.
std::vector<std::string> listed(std::string_view text) {
  constexpr std::string_view separator = "\\0";
  std::vector<std::string> names;
  for (;;) {
    const auto end = text.find(separator);
    if (const auto name = text.substr(0, end); !name.empty()) names.push_back(lower_case(name));
    if (end == std::string_view::npos) return names;
    text.remove_prefix(end + separator.size());
  }
}

}  // namespace

std::string service_in(const std::string& path) {
  constexpr std::string_view parent = "\\Services\\";
  const auto at = path.find(parent);
  const auto name = at == std::string::npos ? std::string{} : path.substr(at + parent.size());
  return name.find('\\') == std::string::npos ? name : std::string{};
}

bool is_service_name(std::string_view name) {
  return !name.empty() && name.size() <= 256 && std::ranges::none_of(name, [](char c) {
    return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '/' || c == '\\' || c == '\x7F';
  });
}

const ServiceStatus* status_of(const std::map<std::string, ServiceStatus>& states, const std::string& service) {
  const auto found =
      std::ranges::find_if(states, [&](const auto& entry) { return lower_case(entry.first) == lower_case(service); });
  return found == states.end() ? nullptr : &found->second;
}

std::vector<std::string> running_dependents(const std::string& service, const std::vector<RegistryKey>& needs,
                                            const std::map<std::string, ServiceStatus>& states) {
  std::map<std::string, std::vector<std::string>> needed_by;  // lower case
  for (const auto& key : needs) {
    const auto name = service_in(key.path);
    const auto value = key.values.find("DependOnService");
    if (name.empty() || value == key.values.end()) continue;
    const auto* status = status_of(states, name);
    if (status == nullptr || status->state == 1) continue;
    for (const auto& needed : listed(value->second)) needed_by[needed].push_back(name);
  }
  std::vector<std::string> order;
  std::set<std::string> seen{lower_case(service)};
  const std::function<void(const std::string&)> visit = [&](const std::string& name) {
    for (const auto& other : needed_by[lower_case(name)]) {
      if (!seen.insert(lower_case(other)).second) continue;
      visit(other);
      order.push_back(other);
    }
  };
  visit(service);
  return order;
}

}  // namespace patchlab::lab::guest::windows
