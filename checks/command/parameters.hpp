// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checks/check.hpp"

namespace patchlab::checks::command_kind {

enum class Protocol { nagios, tap, json_lines };

struct Parameters {
  std::string program;  // as the scenario names it
  std::vector<std::string> arguments;
  Protocol output = Protocol::nagios;
  std::optional<std::uint16_t> port;
  bool warning_passes = false;
};

[[nodiscard]] Parameters read_parameters(JsonReader& reader);

// By the name between the braces (as variables see execute.cpp): address, client, interface, machine,
// role, deadline_s (whole seconds, at least 1), deadline_ms, and port when there is one.
[[nodiscard]] std::map<std::string, std::string> facts_for(const Target& target, const Parameters& parameters,
                                                           Milliseconds deadline);
// Braces around other words stay as they are, {port} as well when there is none.
[[nodiscard]] std::string filled_in(const std::string& argument, const std::map<std::string, std::string>& facts);

}  // namespace patchlab::checks::command_kind
