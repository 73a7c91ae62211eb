// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

using Reach = RegistryQuestion::Reach;
constexpr RegistryQuestion own_policy{
    "firewall-machine", "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy", "",
    Reach::tree, Absence::impossible};
constexpr RegistryQuestion domain_policy{"firewall-policy", "HKLM\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall", "",
                                         Reach::tree, Absence::of_key};

// "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=80|Name=Web|": canonical, and without what only people read
// ([MS-FASP] 2.2.37). Empty: no such thing.
std::string rule_text(std::string_view data) {
  std::multiset<std::string> conditions;
  std::string action;
  std::string direction;
  bool is_active = true;
  if (!data.starts_with('v')) return {};
  for (auto bar = data.find('|'); bar != std::string_view::npos; bar = data.find('|')) {
    data.remove_prefix(bar + 1);
    const auto field = data.substr(0, data.find('|'));
    const auto equals = field.find('=');
    if (equals == std::string_view::npos) continue;
    const auto name = field.substr(0, equals);
    const auto value = field.substr(equals + 1);
    if (name == "Action")
      action = lower_case(value);
    else if (name == "Dir")
      direction = lower_case(value);
    else if (name == "Active")
      is_active = lower_case(value) == "true";
    else if (name != "Name" && name != "Desc" && name != "EmbedCtxt")
      conditions.emplace(field);
  }
  if (action.empty() || direction.empty()) return {};
  auto text = fmt::format("{}; {}; {};", is_active ? "active" : "inactive", action, direction);
  for (const auto& condition : conditions) text += " " + condition;
  return text;
}

std::string below(const std::string& path, std::string_view root) {
  const auto at = path.find(root);
  if (at == std::string::npos) return {};
  const auto rest = path.substr(at + root.size());
  return rest.empty() ? std::string{} : rest.substr(1);
}

Result<void> read_policy(const Sections& found, const RegistryQuestion& question, std::string_view root,
                         const std::string& prefix, Rows& rows) {
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, question));
  for (const auto& key : keys) {
    const auto place = below(key.path, root);
    // Those that an app brings for each user who logs on, and what the system keeps for itself.
    if (place.starts_with("RestrictedServices\\AppIso") || place.starts_with("RestrictedInterfaces")) continue;
    const auto parent = place.substr(0, place.find('\\'));
    const bool holds_rules = place == "FirewallRules" || place.starts_with("RestrictedServices");
    const bool is_open = place.find("GloballyOpenPorts") != std::string::npos ||
                         place.find("AuthorizedApplications") != std::string::npos;
    for (const auto& [name, data] : key.values) {
      if (holds_rules) {
        const auto text = rule_text(data);
        if (text.empty())
          return guest_error(fmt::format("the firewall's rule '{}' is not understood: '{}'", name, shortened(data)));
        // Those of the system's services only refuse more.
        rows[place == "FirewallRules" ? "firewall-rule" : "firewall-service-rule"][prefix + name] = text;
      } else if (is_open) {
        rows["firewall-rule"][fmt::format("{}{} {}", prefix, parent, name)] = "active; allow; in; " + data;
      } else {
        rows["firewall-profile"][fmt::format("{}{} {}", prefix, place.empty() ? "all" : place, name)] = data;
      }
    }
  }
  return {};
}

Result<void> read_firewall(const Sections& found, Rows& rows) {
  PATCHLAB_TRY(read_policy(found, own_policy, "\\FirewallPolicy", "", rows));
  return read_policy(found, domain_policy, "\\WindowsFirewall", "by policy: ", rows);
}

}  // namespace

Collector firewall_collector() {
  return {"firewall",
          {"firewall-rule", "firewall-service-rule", "firewall-profile"},
          {own_policy, domain_policy},
          {},
          read_firewall};
}

}  // namespace patchlab::lab::guest::windows
