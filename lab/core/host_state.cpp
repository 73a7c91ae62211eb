// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/host_state.hpp"

namespace patchlab {
namespace {
std::vector<std::string> texts(const Json& json, const char* key) {
  std::vector<std::string> found;
  const auto member = json.is_object() ? json.find(key) : json.end();
  if (member == json.end() || !member->is_array()) return found;
  for (const auto& element : *member) {
    if (element.is_string()) found.push_back(element.get<std::string>());
  }
  return found;
}

std::map<std::string, std::string> pairs(const Json& json, const char* key) {
  std::map<std::string, std::string> found;
  const auto member = json.is_object() ? json.find(key) : json.end();
  if (member == json.end() || !member->is_object()) return found;
  for (const auto& [name, value] : member->items()) {
    if (value.is_string()) found[name] = value.get<std::string>();
  }
  return found;
}
}  // namespace

void to_json(Json& json, const HostState& state) {
  json = {{"services", state.services},       {"listeners", state.listeners}, {"addresses", state.addresses},
          {"error_kinds", state.error_kinds}, {"facts", state.facts},         {"absent_sources", state.absent_sources}};
}

HostState host_state_from_json(const Json& json) {
  HostState state;
  state.services = pairs(json, "services");
  state.listeners = texts(json, "listeners");
  state.addresses = texts(json, "addresses");
  state.error_kinds = texts(json, "error_kinds");
  state.facts = pairs(json, "facts");
  state.absent_sources = pairs(json, "absent_sources");
  return state;
}

}  // namespace patchlab
