// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/allowances.hpp"

#include <fmt/format.h>

#include <regex>

namespace patchlab::checks::state {
namespace {

// libstdc++ matches by recursion over the text: a long line from a guest must not cost the stack.
constexpr std::size_t longest_matched = 1024;

std::optional<std::regex> compiled(const std::string& expression, std::string& trouble) {
  try {
    return std::regex(expression, std::regex::ECMAScript);
  } catch (const std::regex_error& error) {
    trouble = error.what();
    return std::nullopt;
  }
}

bool matches(const std::string& expression, const std::string& item) {
  std::string ignored;
  const auto pattern = compiled(expression, ignored);
  return pattern && std::regex_match(item.substr(0, longest_matched), *pattern);
}

const std::vector<std::string>* expressions_for(const Allowances& allowances, const std::string& kind) {
  if (kind == "service") return &allowances.services;
  if (kind == "listener") return &allowances.listeners;
  if (kind == "address") return &allowances.addresses;
  if (kind == "error-log") return &allowances.error_kinds;
  if (kind == "installed") return &allowances.installed;
  if (kind == "fact" || kind == "effect") return &allowances.facts;
  return nullptr;
}

std::vector<std::string> read_expressions(JsonReader& reader, const std::string& key,
                                          std::vector<JsonProblem>& problems) {
  auto expressions = reader.texts_or_empty(key);
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    std::string trouble;
    if (!compiled(expressions[i], trouble)) {
      problems.push_back({fmt::format("{}/{}", reader.at(key), i),
                          fmt::format("'{}' is not a regular expression: {}", expressions[i], trouble)});
    }
  }
  return expressions;
}

}  // namespace

bool Allowances::covers(const StateDifference& difference) const {
  const auto* expressions = expressions_for(*this, difference.kind);
  return expressions != nullptr && std::any_of(expressions->begin(), expressions->end(), [&](const auto& expression) {
           return matches(expression, difference.item);
         });
}

Allowances read_allowances(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Allowances allowances;
  allowances.services = read_expressions(reader, "services", problems);
  allowances.listeners = read_expressions(reader, "listeners", problems);
  allowances.addresses = read_expressions(reader, "addresses", problems);
  allowances.error_kinds = read_expressions(reader, "error_kinds", problems);
  allowances.installed = read_expressions(reader, "installed", problems);
  allowances.facts = read_expressions(reader, "facts", problems);
  reader.finish();
  return allowances;
}

void to_json(Json& json, const Allowances& allowances) {
  json = {{"services", allowances.services},   {"listeners", allowances.listeners},
          {"addresses", allowances.addresses}, {"error_kinds", allowances.error_kinds},
          {"installed", allowances.installed}, {"facts", allowances.facts}};
}

}  // namespace patchlab::checks::state
