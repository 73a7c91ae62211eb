// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/ansible.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "patches/deb/control.hpp"

namespace patchlab::promotion {
namespace {

// deb-version(7), and nothing that a template or a shell could read.
bool is_version(std::string_view text) {
  return !text.empty() && text.size() <= 256 && text[0] >= '0' && text[0] <= '9' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '+' ||
                  c == '-' || c == '~' || c == ':';
         });
}

}  // namespace

std::string anchored(std::string_view text) {
  constexpr std::string_view acting = R"(\^$.|?*+()[]{}-/# )";
  std::string expression = "^";
  for (const char c : text) {
    if (acting.find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  return expression + "$";
}

Result<Json> ansible_variables(const Handoff& handoff, const std::vector<DebianPackage>& packages) {
  if (!is_scenario_name(handoff.department))
    return configuration_error(
        fmt::format("the name of the department '{}' {}", printable(handoff.department), scenario_name_rule));
  Json names = Json::array();
  Json versions = Json::object();
  for (const auto& package : packages) {
    if (!patches::is_package_name(package.name) || !is_version(package.version) ||
        !patches::is_architecture(package.architecture))
      return configuration_error(
          fmt::format("'{}' in version '{}' for '{}' cannot be written for Ansible", printable(package.name),
                      printable(package.version), printable(package.architecture)),
          "take it from an export --to apt");
    const auto known = patches::known_package_name(package.name);
    if (versions.contains(known) && versions[known] != package.version)
      return configuration_error(fmt::format("package '{}' was promoted in two versions", known),
                                 "take it from an export --to apt");
    if (!versions.contains(known)) names.push_back(known + "=" + package.version);
    versions[known] = package.version;
  }
  Json accept = Json::array();
  Json kbs = Json::array();
  std::set<std::string> seen;
  for (const auto& candidate : handoff.candidates) {
    if (candidate.kind == "deb") continue;
    if (candidate.kb.empty())
      return configuration_error(
          fmt::format("'{}' has no KB number, and win_updates knows updates by nothing else", candidate.id),
          "take it from an export --to files");
    if (!seen.insert(candidate.kb).second) continue;
    accept.push_back(anchored(candidate.kb));
    kbs.push_back(candidate.kb);
  }
  if (names.empty() && accept.empty())
    return configuration_error("nothing would be in the lists, which means everything to win_updates");
  return Json{{"patchlab_department", handoff.department},
              {"patchlab_serial", handoff.serial},
              {"patchlab_promotion", handoff.promotion},
              {"patchlab_not_after", handoff.not_after},
              {"patchlab_not_before", handoff.window ? handoff.window->opens : ""},
              {"patchlab_ring", handoff.ring ? handoff.ring->name : ""},
              {"patchlab_ring_machines", handoff.ring ? handoff.ring->machines : std::vector<std::string>()},
              {"patchlab_ring_others", handoff.ring ? handoff.ring->others : std::vector<std::string>()},
              {"patchlab_packages", std::move(names)},
              {"patchlab_versions", std::move(versions)},
              {"patchlab_accept_list", std::move(accept)},
              {"patchlab_kbs", std::move(kbs)}};
}

}  // namespace patchlab::promotion
