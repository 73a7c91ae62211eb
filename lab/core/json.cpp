// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/files.hpp"

namespace patchlab {
namespace {
const Json null_json;

std::string escape_token(const std::string& key) {
  std::string token;
  for (const char c : key) {
    if (c == '~')
      token += "~0";
    else if (c == '/')
      token += "~1";
    else
      token += c;
  }
  return token;
}
}  // namespace

JsonReader::JsonReader(const Json& object, std::string pointer, std::vector<JsonProblem>& problems)
    : object_(object.is_object() ? object : null_json), pointer_(std::move(pointer)), problems_(problems) {
  if (!object.is_object()) {
    problems_.push_back({pointer_, fmt::format("must be an object, found {}", object.type_name())});
  }
}

std::string JsonReader::at(const std::string& key) const { return pointer_ + "/" + escape_token(key); }
void JsonReader::problem(const std::string& key, std::string message) {
  problems_.push_back({at(key), std::move(message)});
}

void JsonReader::problem(const std::string& key, std::size_t index, std::string message) {
  problems_.push_back({fmt::format("{}/{}", at(key), index), std::move(message)});
}

const Json* JsonReader::find(const std::string& key) {
  asked_.insert(key);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

bool JsonReader::has(const std::string& key) { return find(key) != nullptr; }

const Json& JsonReader::raw(const std::string& key) {
  const auto* value = find(key);
  return value == nullptr ? null_json : *value;
}

JsonReader JsonReader::object(const std::string& key) { return {raw(key), at(key), problems_}; }

std::string JsonReader::text(const std::string& key) {
  const auto* value = find(key);
  if (value == nullptr) {
    if (object_.is_object()) problem(key, "is required (text)");
    return {};
  }
  return text_or(key, {});
}

std::string JsonReader::text_or(const std::string& key, std::string other) {
  const auto* value = find(key);
  if (value == nullptr) return other;
  if (!value->is_string()) {
    problem(key, fmt::format("must be text, found {}", value->type_name()));
    return other;
  }
  return value->get<std::string>();
}

std::int64_t JsonReader::integer(const std::string& key, std::int64_t least, std::int64_t most) {
  if (find(key) == nullptr) {
    if (object_.is_object()) problem(key, fmt::format("is required (a whole number from {} to {})", least, most));
    return least;
  }
  return integer_or(key, least, least, most);
}

std::int64_t JsonReader::integer_or(const std::string& key, std::int64_t other, std::int64_t least, std::int64_t most) {
  const auto* value = find(key);
  if (value == nullptr) return other;
  const bool whole = value->is_number_integer() &&
                     (!value->is_number_unsigned() || value->get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
  if (!whole || value->get<std::int64_t>() < least || value->get<std::int64_t>() > most) {
    problem(key, fmt::format("must be a whole number from {} to {}, found {}", least, most, value->dump()));
    return other;
  }
  return value->get<std::int64_t>();
}

bool JsonReader::boolean_or(const std::string& key, bool other) {
  const auto* value = find(key);
  if (value == nullptr) return other;
  if (!value->is_boolean()) {
    problem(key, fmt::format("must be true or false, found {}", value->dump()));
    return other;
  }
  return value->get<bool>();
}

std::vector<std::string> JsonReader::texts_or_empty(const std::string& key) {
  const auto* value = find(key);
  if (value == nullptr) return {};
  if (!value->is_array()) {
    problem(key, fmt::format("must be a list of texts, found {}", value->type_name()));
    return {};
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < value->size(); ++i) {
    const auto& element = (*value)[i];
    if (element.is_string())
      texts.push_back(element.get<std::string>());
    else
      problems_.push_back({fmt::format("{}/{}", at(key), i), "must be text"});
  }
  return texts;
}

void JsonReader::finish() {
  if (!object_.is_object()) return;
  for (const auto& [key, value] : object_.items()) {
    if (!asked_.contains(key)) problem(key, fmt::format("unknown key; allowed here: {}", fmt::join(asked_, ", ")));
  }
}

Result<Json> parse_json(const std::string& text, const std::string& file_name) {
  std::vector<std::set<std::string>> open_objects;
  std::string duplicate;
  const auto watch = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end && !open_objects.empty()) open_objects.pop_back();
    if (event == Json::parse_event_t::key && !open_objects.empty() &&
        !open_objects.back().insert(parsed.get<std::string>()).second) {
      duplicate = parsed.get<std::string>();
    }
    return true;
  };
  try {
    auto json = Json::parse(text, watch);
    if (!duplicate.empty())
      return configuration_error(fmt::format("{}: key '{}' is given twice", file_name, duplicate));
    return json;
  } catch (const Json::parse_error& trouble) {
    const auto end = std::min(text.size(), trouble.byte > 0 ? trouble.byte - 1 : 0);
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    const auto line_start = text.rfind('\n', end > 0 ? end - 1 : 0);
    const auto column = line_start == std::string::npos ? end + 1 : end - line_start;
    return configuration_error(fmt::format("{}:{}:{}: not valid JSON: {}", file_name, line, column, trouble.what()));
  }
}

Result<Json> read_json_file(const std::filesystem::path& path) {
  PATCHLAB_ASSIGN(const auto text, read_file(path, 64U << 20U));
  return parse_json(text, path.string());
}

Error problems_error(const std::string& file_name, const std::vector<JsonProblem>& problems) {
  std::string message;
  for (const auto& problem : problems) {
    if (!message.empty()) message += '\n';
    message += fmt::format("{}: {}: {}", file_name, problem.pointer.empty() ? "/" : problem.pointer, problem.message);
  }
  return configuration_error(std::move(message));
}

std::string to_valid_utf8(std::string_view bytes) {
  if (std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return std::string(bytes);
  return Json::parse(Json(std::string(bytes)).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

std::string pretty(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

void to_json(Json& json, const Error& error) {
  json = {{"class", to_string(error.error_class)}, {"message", error.message}};
  if (!error.hint.empty()) json["hint"] = error.hint;
}

Error error_from_json(const Json& json) {
  return {error_class_from(json.value("class", "bug")).value_or(ErrorClass::bug), json.value("message", ""),
          json.value("hint", "")};
}

}  // namespace patchlab
