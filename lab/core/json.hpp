// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

namespace patchlab {

using Json = nlohmann::json;

// One trouble in a document: where (JSON pointer, RFC 6901) and what, with what is allowed.
struct JsonProblem {
  std::string pointer;
  std::string message;
  bool operator==(const JsonProblem&) const = default;
};

// What is wrong with a text, with what is allowed; empty when nothing is.
using TextRule = std::function<std::string(const std::string&)>;
// For texts that may be anything but empty; `why` says what such a text is for.
[[nodiscard]] TextRule not_empty(std::string why);

// Reads one JSON object strictly: every key must be asked for, types must match, and all problems are collected instead
// of only the first. A problem with a key that is missing is one of the object, so every pointer is one that is in the
// file; of what is inside something that is no object nothing more is said. Use: JsonReader reader(json, "", problems);
// auto name = reader.text("name"); ...; reader.finish(); `finish` reports the keys nobody asked for, together with the
// allowed ones.
class JsonReader {
 public:
  JsonReader(const Json& object, std::string pointer, std::vector<JsonProblem>& problems);

  [[nodiscard]] bool has(const std::string& key);
  // Required values: a missing key or a wrong type is a problem, and a default comes back.
  std::string text(const std::string& key);
  // Empty, after one problem, when it is missing, no text, or wrong.
  std::string text(const std::string& key, const TextRule& rule);
  std::int64_t integer(const std::string& key, std::int64_t least, std::int64_t most);
  // Optional values with a default.
  std::string text_or(const std::string& key, std::string other);
  // `other` too, after one problem, when it is wrong; `other` itself is not asked about.
  std::string text_or(const std::string& key, std::string other, const TextRule& rule);
  std::int64_t integer_or(const std::string& key, std::int64_t other, std::int64_t least, std::int64_t most);
  bool boolean_or(const std::string& key, bool other);
  std::vector<std::string> texts_or_empty(const std::string& key);
  // All texts of the list; each that is wrong is a problem at its place in it.
  std::vector<std::string> texts_or_empty(const std::string& key, const TextRule& rule);
  // The raw value, null when absent; the caller reads it with `at(key)` as its pointer.
  const Json& raw(const std::string& key);
  // The reader of an object inside; required. Of anything else it reports the wrong type, and finds nothing in it.
  [[nodiscard]] JsonReader object(const std::string& key);

  [[nodiscard]] std::string at(const std::string& key) const;  // pointer of a member
  void problem(const std::string& key, std::string message);
  void problem(const std::string& key, std::size_t index, std::string message);  // of an element of a list
  void finish();

 private:
  const Json* find(const std::string& key);
  const Json& object_;
  std::string pointer_;
  std::vector<JsonProblem>& problems_;
  std::set<std::string> asked_;
};

// How deep lists and objects may stand in each other. Copying, comparing and printing a value recurse.
inline constexpr std::size_t deepest_json = 100;
// Whether texts may hold a NUL: names and paths end there for the system, though not for us. `any` is for what a
// program wrote down of others (records, ledgers, answers).
enum class JsonTexts { without_nul, any };
// The only way that JSON from outside comes in. An error names file, line, column and pointer of everything that is
// wrong: keys given twice (all of them), numbers out of range, depth.
[[nodiscard]] Result<Json> parse_json(const std::string& text, const std::string& file_name,
                                      JsonTexts texts = JsonTexts::without_nul);
// Comments become blanks, so that every problem is still reported at its line and column.
enum class JsonComments {
  to_end_of_line,  // "// ..."
  of_kea,          // "# ..." and "/* ... */" as well
};
[[nodiscard]] std::string without_comments(std::string text, JsonComments kinds = JsonComments::to_end_of_line);
// For lines between processes, where what is no JSON is somebody else's print: a
// discarded value then.
[[nodiscard]] Json json_in(const std::string& text);
[[nodiscard]] Result<Json> read_json_file(const std::filesystem::path& path, JsonTexts texts = JsonTexts::without_nul);
// "file: /pointer: message" lines as one configuration error.
[[nodiscard]] Error problems_error(const std::string& file_name, const std::vector<JsonProblem>& problems);
// Valid UTF-8 whatever came in (guest output is bytes): bad sequences become U+FFFD, so that dump() cannot throw.
[[nodiscard]] std::string to_valid_utf8(std::string_view bytes);
// dump(2)-style text with a final newline; keys sorted (nlohmann's default map).
[[nodiscard]] std::string pretty(const Json& json);

void to_json(Json& json, const Error& error);
[[nodiscard]] Error error_from_json(const Json& json);

}  // namespace patchlab
