// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/command/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace patchlab::checks::command_kind {
namespace {

Protocol protocol_of(const std::string& word) {
  if (word == "tap") return Protocol::tap;
  return word == "json-lines" ? Protocol::json_lines : Protocol::nagios;
}

}  // namespace

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.program = reader.text("program", not_empty("the file of a program, relative to the scenario"));
  parameters.arguments = reader.texts_or_empty("arguments");
  parameters.output = protocol_of(reader.text_or("output", "nagios", [](const std::string& word) -> std::string {
    if (word == "nagios" || word == "tap" || word == "json-lines") return "";
    return fmt::format("'{}' is nothing that a program says: nagios, tap or json-lines", word);
  }));
  if (reader.has("port")) parameters.port = static_cast<std::uint16_t>(reader.integer("port", 1, 65535));
  parameters.warning_passes = reader.boolean_or("warning_passes", false);
  if (parameters.warning_passes && parameters.output != Protocol::nagios)
    reader.problem("warning_passes", "is for the output 'nagios': other programs do not warn");
  return parameters;
}

std::map<std::string, std::string> facts_for(const Target& target, const Parameters& parameters,
                                             Milliseconds deadline) {
  std::map<std::string, std::string> facts{
      {"address", target.address},
      {"client", target.client_address},
      {"interface", target.interface},
      {"machine", target.machine},
      {"role", target.role},
      {"deadline_ms", std::to_string(deadline.count())},
      {"deadline_s", std::to_string(std::max<std::int64_t>(1, deadline.count() / 1000))}};
  if (parameters.port) facts["port"] = std::to_string(*parameters.port);
  return facts;
}

std::string filled_in(const std::string& argument, const std::map<std::string, std::string>& facts) {
  std::string text;
  for (std::size_t at = 0; at < argument.size();) {
    const auto end = argument[at] == '{' ? argument.find('}', at) : std::string::npos;
    const auto fact = end == std::string::npos ? facts.end() : facts.find(argument.substr(at + 1, end - at - 1));
    if (fact == facts.end()) {
      text += argument[at++];
      continue;
    }
    text += fact->second;
    at = end + 1;
  }
  return text;
}

}  // namespace patchlab::checks::command_kind
