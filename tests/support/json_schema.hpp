// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
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
    found_ = 0;
    validate(root_, value, "");
    return problems_;
  }

 private:
  enum class Keyword {
    ref,
    type,
    constant,
    enumeration,
    required,
    properties,
    pattern_properties,
    additional_properties,
    property_names,
    min_properties,
    items,
    min_items,
    unique_items,
    contains,
    minimum,
    maximum,
    pattern,
    format,
    min_length,
    max_length,
    all_of,
    any_of,
    one_of,
    negated,
    conditional,
    unknown
  };
  struct Rule {
    Keyword keyword;
    const Json* rule;
    std::string name;  // of an unknown keyword
  };

  // Read once: those who try thousands of mistakes come here as often.
  const std::vector<Rule>& rules_of(const Json& schema) {
    static const std::unordered_map<std::string, Keyword> words{
        {"$ref", Keyword::ref},
        {"type", Keyword::type},
        {"const", Keyword::constant},
        {"enum", Keyword::enumeration},
        {"required", Keyword::required},
        {"properties", Keyword::properties},
        {"patternProperties", Keyword::pattern_properties},
        {"additionalProperties", Keyword::additional_properties},
        {"propertyNames", Keyword::property_names},
        {"minProperties", Keyword::min_properties},
        {"items", Keyword::items},
        {"minItems", Keyword::min_items},
        {"uniqueItems", Keyword::unique_items},
        {"contains", Keyword::contains},
        {"minimum", Keyword::minimum},
        {"maximum", Keyword::maximum},
        {"pattern", Keyword::pattern},
        {"format", Keyword::format},
        {"minLength", Keyword::min_length},
        {"maxLength", Keyword::max_length},
        {"allOf", Keyword::all_of},
        {"anyOf", Keyword::any_of},
        {"oneOf", Keyword::one_of},
        {"not", Keyword::negated},
        {"if", Keyword::conditional}};
    static const std::set<std::string> says_nothing{"$schema", "$defs",    "$id",  "title", "description",
                                                    "default", "examples", "then", "else"};
    const auto [at, is_new] = rules_.try_emplace(&schema);
    if (!is_new) return at->second;
    for (const auto& [name, rule] : schema.items()) {
      if (says_nothing.contains(name)) continue;
      const auto word = words.find(name);
      if (word == words.end())
        at->second.push_back({Keyword::unknown, &rule, name});
      else
        at->second.push_back({word->second, &rule, {}});
    }
    return at->second;
  }

  // What is only tried is told to nobody: its texts are not made.
  template <class Text>
  void problem(const std::string& pointer, const Text& text) {
    ++found_;
    if (tries_ > 0) return;
    if constexpr (std::is_invocable_v<Text>)
      problems_.push_back(pointer + ": " + text());
    else
      problems_.push_back(pointer + ": " + std::string(text));
  }
  template <class Name>
  [[nodiscard]] std::string below(const std::string& pointer, const Name& name) const {
    return tries_ > 0 ? std::string() : fmt::format("{}/{}", pointer, name);
  }
  [[nodiscard]] bool is_decided() const { return tries_ > 0 && found_ > 0; }

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
    for (const auto& one : rules_of(schema)) {
      apply(schema, one, value, pointer);
      if (is_decided()) return;
    }
  }

  void apply(const Json& schema, const Rule& one, const Json& value, const std::string& pointer) {
    const auto& rule = *one.rule;
    switch (one.keyword) {
      case Keyword::ref: return validate(referred(rule), value, pointer);
      case Keyword::type: {
        const auto fits = [&](const Json& type) { return has_type(value, type.get_ref<const std::string&>()); };
        if (rule.is_array() ? std::ranges::none_of(rule, fits) : !fits(rule))
          problem(pointer, [&] { return "is not of type " + rule.dump(); });
        return;
      }
      case Keyword::constant:
        if (value != rule) problem(pointer, [&] { return "is not " + rule.dump(); });
        return;
      case Keyword::enumeration:
        if (std::ranges::find(rule, value) == rule.end())
          problem(pointer, [&] { return "is not one of " + rule.dump(); });
        return;
      case Keyword::required:
      case Keyword::properties:
      case Keyword::pattern_properties:
      case Keyword::additional_properties:
      case Keyword::property_names:
      case Keyword::min_properties:
        if (value.is_object()) of_object(schema, one.keyword, rule, value, pointer);
        return;
      case Keyword::items:
      case Keyword::min_items:
      case Keyword::unique_items:
      case Keyword::contains:
        if (value.is_array()) of_list(one.keyword, rule, value, pointer);
        return;
      case Keyword::minimum:
        if (value.is_number() && value < rule) problem(pointer, "is too small");
        return;
      case Keyword::maximum:
        if (value.is_number() && value > rule) problem(pointer, "is too large");
        return;
      case Keyword::pattern:
      case Keyword::format:
      case Keyword::min_length:
      case Keyword::max_length:
        if (value.is_string()) of_text(one.keyword, rule, value.get_ref<const std::string&>(), pointer);
        return;
      case Keyword::all_of:
      case Keyword::any_of:
      case Keyword::one_of:
      case Keyword::negated:
      case Keyword::conditional: return combined(schema, one.keyword, rule, value, pointer);
      case Keyword::unknown: problem(pointer, "the schema uses the unknown keyword " + one.name);
    }
  }

  void of_object(const Json& schema, Keyword keyword, const Json& rule, const Json& value, const std::string& pointer) {
    if (keyword == Keyword::min_properties) {
      if (value.size() < rule.get<std::size_t>()) problem(pointer, "has too few members");
      return;
    }
    if (keyword == Keyword::required) {
      for (const auto& name : rule) {
        if (!value.contains(name.get_ref<const std::string&>()))
          problem(pointer, [&] { return "lacks " + name.dump(); });
      }
      return;
    }
    for (auto member = value.begin(); member != value.end() && !is_decided(); ++member) {
      const auto& name = member.key();
      const auto at = below(pointer, name);
      if (keyword == Keyword::property_names) {
        validate(rule, name, at);
      } else if (keyword == Keyword::properties) {
        if (const auto known = rule.find(name); known != rule.end()) validate(*known, *member, at);
      } else if (keyword == Keyword::pattern_properties) {
        for (const auto& [pattern, of_pattern] : rule.items()) {
          if (is_found(pattern, name)) validate(of_pattern, *member, at);
        }
      } else if (!is_known(schema, name)) {
        validate(rule, *member, at);
      }
    }
  }

  static bool is_known(const Json& schema, const std::string& name) {
    if (const auto properties = schema.find("properties"); properties != schema.end() && properties->contains(name))
      return true;
    const auto patterns = schema.find("patternProperties");
    if (patterns == schema.end()) return false;
    for (auto one = patterns->begin(); one != patterns->end(); ++one) {
      if (is_found(one.key(), name)) return true;
    }
    return false;
  }

  void of_list(Keyword keyword, const Json& rule, const Json& value, const std::string& pointer) {
    if (keyword == Keyword::items) {
      for (std::size_t i = 0; i < value.size() && !is_decided(); ++i) validate(rule, value[i], below(pointer, i));
    } else if (keyword == Keyword::min_items) {
      if (value.size() < rule.get<std::size_t>()) problem(pointer, "has too few elements");
    } else if (keyword == Keyword::contains) {
      if (std::ranges::none_of(value, [&](const Json& element) { return accepts(rule, element); }))
        problem(pointer, [&] { return "lacks an element that fits " + rule.dump(); });
    } else if (rule == true && std::set<Json>(value.begin(), value.end()).size() != value.size()) {
      problem(pointer, "has the same element twice");
    }
  }

  void of_text(Keyword keyword, const Json& rule, const std::string& text, const std::string& pointer) {
    if (keyword == Keyword::pattern && !is_found(rule.get_ref<const std::string&>(), text))
      problem(pointer, [&] { return "does not match " + rule.dump(); });
    if (keyword == Keyword::min_length && text.size() < rule.get<std::size_t>()) problem(pointer, "is too short");
    if (keyword == Keyword::max_length && text.size() > rule.get<std::size_t>()) problem(pointer, "is too long");
    if (keyword != Keyword::format) return;
    // Many validators take no notice of formats: what has one that we rely on has a pattern as well.
    if (rule == "regex" && !is_expression(text)) problem(pointer, "is no regular expression");
    if (rule != "regex" && rule != "ipv4")
      problem(pointer, [&] { return "the schema uses the unknown format " + rule.dump(); });
  }

  void combined(const Json& schema, Keyword keyword, const Json& rule, const Json& value, const std::string& pointer) {
    if (keyword == Keyword::all_of) {
      for (const auto& part : rule) {
        validate(part, value, pointer);
        if (is_decided()) return;
      }
    } else if (keyword == Keyword::conditional) {
      const auto branch = schema.find(accepts(rule, value) ? "then" : "else");
      if (branch != schema.end()) validate(*branch, value, pointer);
    } else if (keyword == Keyword::negated) {
      if (accepts(rule, value)) problem(pointer, "fits what is not allowed");
    } else {
      const auto fits = [&](const Json& part) { return accepts(part, value); };
      const auto fitting =
          keyword == Keyword::any_of ? (std::ranges::any_of(rule, fits) ? 1 : 0) : std::ranges::count_if(rule, fits);
      if (fitting == 0) problem(pointer, "fits none of the alternatives");
      if (fitting > 1) problem(pointer, "fits more than one alternative");
    }
  }

  bool accepts(const Json& rule, const Json& value) {
    ++tries_;
    const auto before = std::exchange(found_, 0);
    validate(rule, value, "");
    const bool well = std::exchange(found_, before) == 0;
    --tries_;
    return well;
  }

  const Json& root_;
  std::map<std::string, const Json*> referred_;
  std::unordered_map<const Json*, std::vector<Rule>> rules_;
  std::vector<std::string> problems_;
  std::size_t found_ = 0;  // problems of what is looked at
  int tries_ = 0;          // inside of each other
};

}  // namespace patchlab::tests
