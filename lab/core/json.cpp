// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"

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

TextRule not_empty(std::string why) {
  return [why = std::move(why)](const std::string& text) { return text.empty() ? "must not be empty: " + why : ""; };
}

JsonReader::JsonReader(const Json& object, std::string pointer, std::vector<JsonProblem>& problems)
    : object_(object.is_object() ? object : null_json), pointer_(std::move(pointer)), problems_(problems) {
  if (!object.is_object()) {
    problems_.push_back({pointer_, fmt::format("must be an object, found {}", object.type_name())});
  }
}

std::string JsonReader::at(const std::string& key) const { return pointer_ + "/" + escape_token(key); }
void JsonReader::problem(const std::string& key, std::string message) {
  if (!object_.is_object()) return;
  if (object_.contains(key))
    problems_.push_back({at(key), std::move(message)});
  else
    problems_.push_back({pointer_, fmt::format("'{}' {}", key, message)});
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

JsonReader JsonReader::object(const std::string& key) {
  const bool missing = !has(key);
  JsonReader inside(raw(key), at(key), problems_);
  if (missing) {
    problems_.pop_back();  // "found null", of a place that is not in the file
    problem(key, "is required (an object)");
  }
  return inside;
}

std::string JsonReader::text(const std::string& key) {
  const auto* value = find(key);
  if (value == nullptr) {
    problem(key, "is required (text)");
    return {};
  }
  return text_or(key, {});
}

std::string JsonReader::text(const std::string& key, const TextRule& rule) {
  if (find(key) != nullptr) return text_or(key, {}, rule);
  return text(key);
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

std::string JsonReader::text_or(const std::string& key, std::string other, const TextRule& rule) {
  const auto* value = find(key);
  if (value == nullptr || !value->is_string()) return text_or(key, std::move(other));
  auto text = value->get<std::string>();
  auto trouble = rule(text);
  if (trouble.empty()) return text;
  problem(key, std::move(trouble));
  return other;
}

std::int64_t JsonReader::integer(const std::string& key, std::int64_t least, std::int64_t most) {
  if (find(key) == nullptr) {
    problem(key, fmt::format("is required (a whole number from {} to {})", least, most));
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
      problems_.push_back({fmt::format("{}/{}", at(key), i), fmt::format("must be text, found {}", element.dump())});
  }
  return texts;
}

std::vector<std::string> JsonReader::texts_or_empty(const std::string& key, const TextRule& rule) {
  const auto& list = raw(key);
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
    if (!list[i].is_string()) continue;
    if (auto trouble = rule(list[i].get<std::string>()); !trouble.empty()) problem(key, i, std::move(trouble));
  }
  return texts_or_empty(key);
}

void JsonReader::finish() {
  if (!object_.is_object()) return;
  for (const auto& [key, value] : object_.items()) {
    if (asked_.contains(key)) continue;
    const auto meant = did_you_mean(key, {asked_.begin(), asked_.end()});
    problem(key, fmt::format("unknown key; allowed here: {}{}", fmt::join(asked_, ", "),
                             meant.empty() ? meant : "; " + meant));
  }
}

namespace {

// Counts what the parser took, since it tells nobody where it is when all is well.
class CountedText {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountedText(const char* at, std::size_t* taken) : at_(at), taken_(taken) {}
  reference operator*() const { return *at_; }
  CountedText& operator++() {
    ++at_;
    ++*taken_;
    return *this;
  }
  CountedText operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountedText& other) const { return at_ == other.at_; }
  bool operator!=(const CountedText& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* taken_;
};

std::string place_in(const std::string& text, const std::string& file_name, std::size_t end) {
  end = std::min(end, text.size());
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
  const auto line_start = end == 0 ? std::string::npos : text.rfind('\n', end - 1);
  const auto column = line_start == std::string::npos ? end + 1 : end - line_start;
  return fmt::format("{}:{}:{}", file_name, line, column);
}

// "[json.exception.parse_error.101] parse error at line 3, column 17: syntax error ...": from the last colon of its
// head on. The place is said by us.
std::string without_head(std::string what) {
  if (what.starts_with('[')) what.erase(0, std::min(what.find("] ") + 2, what.size()));
  if (what.starts_with("parse error at ")) what.erase(0, std::min(what.find(": ") + 2, what.size()));
  return what;
}

// Builds the value. nlohmann's own builder keeps the last of equal keys without a word, and takes any depth: printing,
// copying and comparing it then recurse until the stack is used up.
class JsonBuilder final : public nlohmann::json_sax<Json> {
 public:
  JsonBuilder(const std::string& text, const std::string& file_name, JsonTexts texts, const std::size_t& taken)
      : text_(text), file_name_(file_name), texts_(texts), taken_(taken) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& /*as_written*/) override { return add(value); }
  bool binary(binary_t& /*value*/) override { return false; }  // no JSON text has one
  bool string(string_t& value) override {
    look_at(value, "the text");
    return add(std::move(value));
  }
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    auto& level = levels_.back();
    if (level.node->contains(value))
      problem(pointer() + "/" + escape_token(value), "key '" + value + "' is given twice");
    level.key = std::move(value);
    look_at(level.key, "the key");
    return problems_ < most_problems;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& trouble) override {
    problems_ = most_problems;  // what stands behind it cannot be judged
    says("", position > 0 ? position - 1 : 0, "not valid JSON: " + without_head(trouble.what()));
    return false;
  }

  [[nodiscard]] const std::string& troubles() const { return troubles_; }
  [[nodiscard]] Json take() { return std::move(root_); }

 private:
  struct Level {
    Json* node;
    std::string key;  // of an object: the one whose value comes next
  };
  static constexpr std::size_t most_problems = 50;

  Json* place(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    auto& level = levels_.back();
    if (level.node->is_array()) {
      level.node->push_back(std::move(value));
      return &level.node->back();
    }
    auto& member = (*level.node)[level.key];
    member = std::move(value);
    return &member;
  }
  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json container) {
    if (levels_.size() >= deepest_json) {
      says("", taken_, fmt::format("is nested more than {} deep", deepest_json));
      return false;
    }
    levels_.push_back({place(std::move(container)), {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }

  // Of the container that is open.
  [[nodiscard]] std::string pointer() const {
    std::string pointer;
    for (std::size_t i = 0; i + 1 < levels_.size(); ++i) {
      const auto& level = levels_[i];
      pointer += "/" + (level.node->is_array() ? std::to_string(level.node->size() - 1) : escape_token(level.key));
    }
    return pointer;
  }
  void look_at(const std::string& value, const char* what) {
    if (texts_ == JsonTexts::any || value.find('\0') == std::string::npos) return;
    auto place = pointer();
    if (!levels_.empty() && levels_.back().node->is_array()) place += "/" + std::to_string(levels_.back().node->size());
    if (!levels_.empty() && !levels_.back().node->is_array()) place += "/" + escape_token(levels_.back().key);
    problem(place, fmt::format("{} has a NUL character (\\u0000) in it, which no name or path can have", what));
  }
  void problem(const std::string& pointer, const std::string& message) {
    if (++problems_ <= most_problems) says(pointer + ": ", taken_ > 0 ? taken_ - 1 : 0, message);
  }
  void says(const std::string& pointer, std::size_t position, const std::string& message) {
    troubles_ += fmt::format("{}{}: {}{}", troubles_.empty() ? "" : "\n", place_in(text_, file_name_, position),
                             printable(pointer), printable(message));
  }

  const std::string& text_;
  const std::string& file_name_;
  JsonTexts texts_;
  const std::size_t& taken_;
  Json root_;
  std::vector<Level> levels_;
  std::string troubles_;
  std::size_t problems_ = 0;
};

}  // namespace

Result<Json> parse_json(const std::string& text, const std::string& file_name, JsonTexts texts) {
  if (trimmed(text, " \t\r\n").empty())
    return configuration_error(fmt::format("{}: is empty, and no JSON", printable(file_name)));
  const auto shown = printable(file_name);
  // For the parser it would be the end, and nobody would see what stands behind it.
  if (const auto nul = text.find('\0'); nul != std::string::npos)
    return configuration_error(fmt::format("{}: not valid JSON: a NUL byte", place_in(text, shown, nul)));
  std::size_t taken = 0;
  JsonBuilder builder(text, shown, texts, taken);
  const bool whole =
      Json::sax_parse(CountedText(text.data(), &taken), CountedText(text.data() + text.size(), &taken), &builder);
  if (!whole || !builder.troubles().empty()) return configuration_error(builder.troubles());
  return builder.take();
}

std::string without_comments(std::string text, JsonComments kinds) {
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_text && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_text = !in_text;
    } else if (in_text) {
      continue;
    } else if (text.compare(i, 2, "//") == 0 || (kinds == JsonComments::of_kea && text[i] == '#')) {
      for (; i < text.size() && text[i] != '\n'; ++i) text[i] = ' ';
    } else if (kinds == JsonComments::of_kea && text.compare(i, 2, "/*") == 0) {
      const auto close = text.find("*/", i + 2);
      const auto end = close == std::string::npos ? text.size() : close + 2;
      for (; i < end; ++i) {
        if (text[i] != '\n') text[i] = ' ';
      }
      --i;
    }
  }
  return text;
}

Json json_in(const std::string& text) {
  auto json = parse_json(text, "line", JsonTexts::any);
  return json ? std::move(json).value() : Json(Json::value_t::discarded);
}

Result<Json> read_json_file(const std::filesystem::path& path, JsonTexts texts) {
  PATCHLAB_ASSIGN(const auto text, read_file(path, 64U << 20U));
  return parse_json(text, path.string(), texts);
}

Error problems_error(const std::string& file_name, const std::vector<JsonProblem>& problems) {
  std::string message;
  for (const auto& problem : problems) {
    if (!message.empty()) message += '\n';
    message += fmt::format("{}: {}: {}", printable(file_name),
                           problem.pointer.empty() ? "/" : printable(problem.pointer), printable(problem.message));
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
  const auto text = [&](const char* key) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    return found == json.end() || !found->is_string() ? std::string() : found->get<std::string>();
  };
  return {error_class_from(text("class")).value_or(ErrorClass::bug), text("message"), text("hint")};
}

}  // namespace patchlab
