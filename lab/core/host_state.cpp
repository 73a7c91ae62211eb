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
}  // namespace

void to_json(Json& json, const HostState& state) {
  json = {{"services", state.services},
          {"listeners", state.listeners},
          {"addresses", state.addresses},
          {"error_kinds", state.error_kinds}};
}

HostState host_state_from_json(const Json& json) {
  HostState state;
  if (json.is_object() && json.contains("services") && json["services"].is_object()) {
    for (const auto& [name, status] : json["services"].items()) {
      if (status.is_string()) state.services[name] = status.get<std::string>();
    }
  }
  state.listeners = texts(json, "listeners");
  state.addresses = texts(json, "addresses");
  state.error_kinds = texts(json, "error_kinds");
  return state;
}

}  // namespace patchlab
