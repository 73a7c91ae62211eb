// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

// What people and programs get wrong in a document, made from a right one.
namespace patchlab::tests {

// Every place of a document, one of each sort: names that people chose (the members of what `is_named` says) and
// numbers in lists make no difference, the "kind" of an object does.
using IsNamed = std::function<bool(const std::string& sort)>;
inline void collect_places(const Json& value, const std::string& at, const std::string& sort, const IsNamed& is_named,
                           std::map<std::string, std::string>& places) {
  if (!places.emplace(sort, at).second && !value.is_structured()) return;
  if (value.is_object()) {
    const auto kind = value.contains("kind") && value["kind"].is_string() ? value["kind"].get<std::string>() : "";
    for (const auto& [key, member] : value.items()) {
      collect_places(member, (Json::json_pointer(at) / key).to_string(),
                     sort + "/" + (is_named(sort) ? "*" : kind + key), is_named, places);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      collect_places(value[i], fmt::format("{}/{}", at, i), sort + "/*", is_named, places);
  }
}

inline std::vector<Json> mistakes_for(const Json& value) {
  if (value.is_string()) return {5, "", "x"};
  if (value.is_number()) return {"5", -1, 1, std::uint64_t{1} << 63U};
  if (value.is_boolean()) return {nullptr, 1};
  if (value.is_array()) return {nullptr, Json::array(), Json::array({5})};
  return {nullptr, Json::object(), Json::array()};
}

// The document with one thing wrong, or missing, or too much, at a place of it; each is told with what it is.
inline void with_each_mistake(const Json& json, const std::string& at,
                              const std::function<void(const Json& wrong, const std::string& what)>& tell) {
  const Json::json_pointer pointer(at);
  const auto& value = json.at(pointer);
  for (const auto& mistake : mistakes_for(value)) {
    auto wrong = json;
    wrong[pointer] = mistake;
    tell(wrong, fmt::format("{} = {}", at, mistake.dump()));
  }
  if (!value.is_object()) return;
  auto wrong = json;
  wrong[pointer]["no such key"] = 1;
  tell(wrong, at + " has an unknown key");
  for (const auto& [key, member] : value.items()) {
    wrong = json;
    wrong[pointer].erase(key);
    tell(wrong, fmt::format("{} lacks {}", at, key));
  }
}

}  // namespace patchlab::tests
