// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <regex>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

// The part of JSON Schema 2020-12 that our own schemas use; an unknown keyword is a problem, so that a schema cannot
// quietly say more than the tests look at.
namespace patchlab::tests {

class SchemaValidator {
 public:
  explicit SchemaValidator(const Json& schema) : root_(schema) {}

  [[nodiscard]] std::vector<std::string> problems(const Json& value) {
    problems_.clear();
    validate(root_, value, "");
    return problems_;
  }

 private:
  void problem(const std::string& pointer, const std::string& text) { problems_.push_back(pointer + ": " + text); }

  static bool has_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    return type == "null" && value.is_null();
  }

  void validate(const Json& schema, const Json& value, const std::string& pointer) {
    for (const auto& [keyword, rule] : schema.items()) apply(schema, keyword, rule, value, pointer);
  }

  void apply(const Json& schema, const std::string& keyword, const Json& rule, const Json& value,
             const std::string& pointer) {
    if (keyword == "$ref")
      return validate(root_.at(Json::json_pointer(rule.get<std::string>().substr(1))), value, pointer);
    if (keyword == "type" && !has_type(value, rule))
      return problem(pointer, "is not of type " + rule.get<std::string>());
    if (keyword == "const" && value != rule) return problem(pointer, "is not " + rule.dump());
    if (keyword == "enum" && std::ranges::count(rule, value) == 0)
      return problem(pointer, "is not one of " + rule.dump());
    if (keyword == "minimum" && value < rule) return problem(pointer, "is too small");
    if (keyword == "maximum" && value > rule) return problem(pointer, "is too large");
    if (keyword == "pattern" && value.is_string() &&
        !std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>()))) {
      return problem(pointer, "does not match " + rule.dump());
    }
    if (keyword == "required") return require(rule, value, pointer);
    if (keyword == "properties" || keyword == "additionalProperties") return members(schema, keyword, value, pointer);
    if (keyword == "items") return items(rule, value, pointer);
    if (keyword == "anyOf") return any_of(rule, value, pointer);
    static const std::set<std::string> known{"$schema", "$defs",   "$id",     "title",   "description",
                                             "type",    "const",   "enum",    "minimum", "maximum",
                                             "pattern", "default", "examples"};
    if (!known.contains(keyword)) problem(pointer, "the schema uses the unknown keyword " + keyword);
  }

  void require(const Json& names, const Json& value, const std::string& pointer) {
    for (const auto& name : names) {
      if (!value.contains(name.get<std::string>())) problem(pointer, "lacks " + name.dump());
    }
  }

  void members(const Json& schema, const std::string& keyword, const Json& value, const std::string& pointer) {
    if (!value.is_object()) return;
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, member] : value.items()) {
      const auto at = pointer + "/" + name;
      if (properties.contains(name)) {
        if (keyword == "properties") validate(properties.at(name), member, at);
      } else if (keyword == "additionalProperties") {
        const auto& others = schema.at("additionalProperties");
        if (others == false)
          problem(at, "is not allowed");
        else if (others.is_object())
          validate(others, member, at);
      }
    }
  }

  void items(const Json& rule, const Json& value, const std::string& pointer) {
    if (!value.is_array()) return;
    for (std::size_t i = 0; i < value.size(); ++i) validate(rule, value[i], fmt::format("{}/{}", pointer, i));
  }

  void any_of(const Json& rules, const Json& value, const std::string& pointer) {
    for (const auto& rule : rules) {
      if (SchemaValidator branch(root_); branch.accepts(rule, value)) return;
    }
    problem(pointer, "fits none of the alternatives");
  }

  bool accepts(const Json& rule, const Json& value) {
    validate(rule, value, "");
    return problems_.empty();
  }

  const Json& root_;
  std::vector<std::string> problems_;
};

}  // namespace patchlab::tests
