// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/scrub_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "lab/core/json.hpp"
#include "lab/core/text.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr std::array<NameKind, 10> kinds{NameKind::host, NameKind::domain, NameKind::user, NameKind::other,
                                         NameKind::ipv4, NameKind::ipv6,   NameKind::mac,  NameKind::sid,
                                         NameKind::guid, NameKind::key};
constexpr std::array<std::string_view, 7> forms{"ipv4", "ipv6", "mac", "sid", "key", "mail", "event"};

class RulesReading {
 public:
  ScrubRules read(const Json& json) {
    ScrubRules rules;
    JsonReader reader(json, "", problems);
    if (reader.text("schema") != "patchlab/recording-rules/v1")
      reader.problem("schema", "must be patchlab/recording-rules/v1");
    each(reader, "take", [&](JsonReader& one) {
      rules.take.push_back({id(one), kind(one), from(one), one.text("after", not_empty("what the name stands behind")),
                            static_cast<std::size_t>(one.integer_or("skip", 0, 0, 9)),
                            one.text("until", not_empty("the characters that end it")), one.text_or("needs", "")});
    });
    each(reader, "forms", [&](JsonReader& one) {
      const auto form = one.text("form");
      if (std::ranges::find(forms, form) == forms.end())
        one.problem("form", fmt::format("'{}' is none of ipv4, ipv6, mac, sid, key, mail, event", form));
      rules.forms.push_back({id(one), form, from(one)});
    });
    each(reader, "words", [&](JsonReader& one) {
      rules.words.push_back({kind(one), one.text("text", [](const std::string& text) {
                               return text.size() < 3 ? std::string("must have three characters at least")
                                                      : std::string{};
                             })});
    });
    for (const auto& word : reader.texts_or_empty("keep")) rules.keep.insert(lower_case(word));
    reader.finish();
    return rules;
  }

  std::vector<JsonProblem> problems;

 private:
  template <class Read>
  void each(JsonReader& reader, const std::string& key, const Read& read) {
    const auto& list = reader.raw(key);
    if (list.is_null()) return;
    if (!list.is_array()) return reader.problem(key, "must be a list");
    for (std::size_t i = 0; i < list.size(); ++i) {
      JsonReader one(list[i], fmt::format("{}/{}", reader.at(key), i), problems);
      read(one);
      one.finish();
    }
  }
  std::string id(JsonReader& reader) {
    auto id = reader.text("id", not_empty("the rule's name in the list of what was replaced"));
    if (!ids_.insert(id).second) reader.problem("id", fmt::format("'{}' stands there twice", id));
    return id;
  }
  static NameKind kind(JsonReader& reader) {
    const auto word = reader.text("kind");
    const auto* const found = std::ranges::find_if(kinds, [&](auto one) { return word == to_string(one); });
    if (found == kinds.end()) reader.problem("kind", fmt::format("'{}' is no kind of name", word));
    return found == kinds.end() ? NameKind::other : *found;
  }
  static std::set<std::string> from(JsonReader& reader) {
    const auto list = reader.texts_or_empty("from");
    return {list.begin(), list.end()};
  }

  std::set<std::string> ids_;
};

}  // namespace

const char* to_string(NameKind kind) {
  switch (kind) {
    case NameKind::host: return "host";
    case NameKind::domain: return "domain";
    case NameKind::user: return "user";
    case NameKind::other: return "name";
    case NameKind::ipv4: return "ipv4";
    case NameKind::ipv6: return "ipv6";
    case NameKind::mac: return "mac";
    case NameKind::sid: return "sid";
    case NameKind::guid: return "guid";
    case NameKind::key: return "key";
  }
  return "?";
}

Result<ScrubRules> read_scrub_rules(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto json, read_json_file(file));
  RulesReading reading;
  auto rules = reading.read(json);
  if (!reading.problems.empty()) return problems_error(file.string(), reading.problems);
  return rules;
}

}  // namespace patchlab::lab::guest::recording
