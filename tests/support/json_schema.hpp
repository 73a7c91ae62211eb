// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <string>
#include <unordered_map>
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
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    return type == "null" && value.is_null();
  }

  const Json& referred(const Json& reference) {
    const auto& text = reference.get_ref<const std::string&>();
    auto& target = referred_[text];
    if (target == nullptr) target = &root_.at(Json::json_pointer(text.substr(1)));
    return *target;
  }

  // Compiled once and asked once: those who try thousands of mistakes ask the same of the same texts.
  static bool is_found(const std::string& expression, const std::string& text) {
    struct Asked {
      std::regex compiled;
      std::unordered_map<std::string, bool> answers;
    };
    static std::unordered_map<std::string, Asked> asked;
    auto found = asked.find(expression);
    if (found == asked.end()) {
      std::regex compiled(expression, std::regex::ECMAScript | std::regex::nosubs);
      found = asked.emplace(expression, Asked{std::move(compiled), {}}).first;
    }
    const auto [answer, is_new] = found->second.answers.try_emplace(text, false);
    if (is_new) answer->second = std::regex_search(text, found->second.compiled);
    return answer->second;
  }

  static bool is_expression(const std::string& text) {
    try {
      const std::regex compiled(text);
      return true;
    } catch (const std::regex_error&) {
      return false;
    }
  }

  void validate(const Json& schema, const Json& value, const std::string& pointer) {
    if (schema.is_boolean()) {
      if (schema == false) problem(pointer, "is not allowed");
      return;
    }
    for (const auto& [keyword, rule] : schema.items()) apply(schema, keyword, rule, value, pointer);
  }

  void apply(const Json& schema, const std::string& keyword, const Json& rule, const Json& value,
             const std::string& pointer) {
    if (keyword == "description" || keyword == "default") return;
    if (keyword == "$ref") return validate(referred(rule), value, pointer);
    if (keyword == "type") {
      const auto fits = [&](const Json& type) { return has_type(value, type); };
      if (rule.is_array() ? std::ranges::none_of(rule, fits) : !fits(rule))
        problem(pointer, "is not of type " + rule.dump());
      return;
    }
    if (keyword == "const" && value != rule) return problem(pointer, "is not " + rule.dump());
    if (keyword == "enum" && std::ranges::count(rule, value) == 0)
      return problem(pointer, "is not one of " + rule.dump());
    if (keyword == "required" || keyword == "properties" || keyword == "additionalProperties" ||
        keyword == "patternProperties" || keyword == "propertyNames" || keyword == "minProperties") {
      return of_object(schema, keyword, rule, value, pointer);
    }
    if (keyword == "items" || keyword == "minItems" || keyword == "uniqueItems" || keyword == "contains")
      return of_list(keyword, rule, value, pointer);
    if (keyword == "minimum" || keyword == "maximum") return of_number(keyword, rule, value, pointer);
    if (keyword == "pattern" || keyword == "format" || keyword == "minLength" || keyword == "maxLength")
      return of_text(keyword, rule, value, pointer);
    if (keyword == "anyOf" || keyword == "oneOf" || keyword == "allOf" || keyword == "not" || keyword == "if")
      return combined(schema, keyword, rule, value, pointer);
    static const std::set<std::string> known{"$schema", "$defs", "$id",     "title",    "description", "type",
                                             "const",   "enum",  "default", "examples", "then",        "else"};
    if (!known.contains(keyword)) problem(pointer, "the schema uses the unknown keyword " + keyword);
  }

  void of_object(const Json& schema, const std::string& keyword, const Json& rule, const Json& value,
                 const std::string& pointer) {
    if (!value.is_object()) return;
    if (keyword == "required") {
      for (const auto& name : rule) {
        if (!value.contains(name.get<std::string>())) problem(pointer, "lacks " + name.dump());
      }
    } else if (keyword == "minProperties") {
      if (value.size() < rule.get<std::size_t>()) problem(pointer, "has too few members");
    } else if (keyword == "propertyNames") {
      for (const auto& [name, member] : value.items()) validate(rule, name, pointer + "/" + name);
    } else if (keyword != "additionalProperties" || schema.contains(keyword)) {
      for (const auto& [name, member] : value.items()) of_member(schema, keyword, name, member, pointer + "/" + name);
    }
  }

  void of_member(const Json& schema, const std::string& keyword, const std::string& name, const Json& member,
                 const std::string& at) {
    static const Json nothing = Json::object();
    const auto of = [&schema](const char* key) -> const Json& {
      const auto found = schema.find(key);
      return found == schema.end() ? nothing : *found;
    };
    const auto& properties = of("properties");
    bool is_known = properties.contains(name);
    if (is_known && keyword == "properties") validate(properties.at(name), member, at);
    for (const auto& [pattern, rule] : of("patternProperties").items()) {
      if (!is_found(pattern, name)) continue;
      is_known = true;
      if (keyword == "patternProperties") validate(rule, member, at);
    }
    if (!is_known && keyword == "additionalProperties") validate(schema.at(keyword), member, at);
  }

  void of_list(const std::string& keyword, const Json& rule, const Json& value, const std::string& pointer) {
    if (!value.is_array()) return;
    if (keyword == "items") {
      for (std::size_t i = 0; i < value.size(); ++i) validate(rule, value[i], fmt::format("{}/{}", pointer, i));
    } else if (keyword == "minItems") {
      if (value.size() < rule.get<std::size_t>()) problem(pointer, "has too few elements");
    } else if (keyword == "contains") {
      if (std::ranges::none_of(value, [&](const Json& element) { return accepts(rule, element); }))
        problem(pointer, "lacks an element that fits " + rule.dump());
    } else if (rule == true && std::set<Json>(value.begin(), value.end()).size() != value.size()) {
      problem(pointer, "has the same element twice");
    }
  }

  void of_number(const std::string& keyword, const Json& rule, const Json& value, const std::string& pointer) {
    if (!value.is_number()) return;
    if (keyword == "minimum" && value < rule) problem(pointer, "is too small");
    if (keyword == "maximum" && value > rule) problem(pointer, "is too large");
  }

  void of_text(const std::string& keyword, const Json& rule, const Json& value, const std::string& pointer) {
    if (!value.is_string()) return;
    const auto& text = value.get_ref<const std::string&>();
    if (keyword == "pattern" && !is_found(rule, text)) problem(pointer, "does not match " + rule.dump());
    if (keyword == "minLength" && text.size() < rule.get<std::size_t>()) problem(pointer, "is too short");
    if (keyword == "maxLength" && text.size() > rule.get<std::size_t>()) problem(pointer, "is too long");
    if (keyword != "format") return;
    // Many validators take no notice of formats: what has one that we rely on has a pattern as well.
    if (rule == "regex" && !is_expression(text)) problem(pointer, "is no regular expression");
    if (rule != "regex" && rule != "ipv4") problem(pointer, "the schema uses the unknown format " + rule.dump());
  }

  void combined(const Json& schema, const std::string& keyword, const Json& rule, const Json& value,
                const std::string& pointer) {
    if (keyword == "allOf") {
      for (const auto& part : rule) validate(part, value, pointer);
    } else if (keyword == "if") {
      const auto* branch = accepts(rule, value) ? "then" : "else";
      if (schema.contains(branch)) validate(schema.at(branch), value, pointer);
    } else if (keyword == "not") {
      if (accepts(rule, value)) problem(pointer, "fits what is not allowed");
    } else {
      const auto fitting = std::ranges::count_if(rule, [&](const Json& part) { return accepts(part, value); });
      if (fitting == 0) problem(pointer, "fits none of the alternatives");
      if (fitting > 1 && keyword == "oneOf") problem(pointer, "fits more than one alternative");
    }
  }

  bool accepts(const Json& rule, const Json& value) {
    const auto before = problems_.size();
    validate(rule, value, "");
    const bool well = problems_.size() == before;
    problems_.resize(before);
    return well;
  }

  const Json& root_;
  std::map<std::string, const Json*> referred_;
  std::vector<std::string> problems_;
};

}  // namespace patchlab::tests
