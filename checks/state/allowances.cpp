// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/allowances.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

namespace patchlab::checks::state {
namespace {

// libstdc++ reads and matches by recursion: neither a long expression nor a long line from a guest may cost the stack.
constexpr std::size_t longest_matched = 1024;
constexpr std::size_t longest_expression = 1000;
constexpr std::size_t deepest_groups = 32;
constexpr std::size_t most_states = 5000;
constexpr std::size_t longest_shown = 80;

// How much an expression grows when its counted repetitions are written out, as the library does; or why not.
class Measured {
 public:
  explicit Measured(std::string_view text) : text_(text) {
    if (text_.size() > longest_expression) says(fmt::format("is longer than {} characters", longest_expression));
    for (at_ = 0; at_ < text_.size() && trouble_.empty();) take();
  }
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  void says(std::string why) { trouble_ = std::move(why); }

  void take() {
    switch (text_[at_]) {
      case '(':
        groups_.push_back({total_, last_});
        total_ = last_ = 0;
        if (groups_.size() > deepest_groups) says(fmt::format("has groups more than {} deep", deepest_groups));
        ++at_;
        return;
      case ')':
        ++at_;
        if (groups_.empty()) return;  // the library says what is wrong with it
        last_ = total_ + 1;
        total_ = groups_.back().total + last_;
        groups_.pop_back();
        return check();
      case '{': return repeat();
      case '[': return atom(end_of_class());
      case '\\': return atom(at_ + 2);
      default: return atom(at_ + 1);
    }
  }
  void atom(std::size_t end) {
    at_ = end;
    last_ = 1;
    ++total_;
    check();
  }
  [[nodiscard]] std::size_t end_of_class() const {
    auto end = at_ + 1;
    while (end < text_.size() && text_[end] != ']') end += text_[end] == '\\' ? 2 : 1;
    return end + 1;
  }
  void repeat() {
    std::size_t number = 0, most = 1;
    for (++at_; at_ < text_.size() && text_[at_] != '}'; ++at_) {
      const char c = text_[at_];
      number = c >= '0' && c <= '9'
                   ? std::min<std::size_t>(number * 10 + static_cast<std::size_t>(c - '0'), most_states)
                   : 0;
      most = std::max(most, number);
    }
    ++at_;
    total_ += last_ * (most - 1);
    last_ *= most;
    check();
  }
  void check() {
    if (total_ > most_states) says(fmt::format("repeats more than can be matched ({} states)", most_states));
  }

  struct Group {
    std::size_t total;
    std::size_t last;
  };
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t total_ = 0;  // of the group that is open
  std::size_t last_ = 0;   // of the last atom or group, which a repetition repeats
  std::vector<Group> groups_;
  std::string trouble_;
};

// By breadth: by depth, which is the default, "(a+)+b" takes longer than anybody waits. What is captured is not asked.
std::optional<std::regex> compiled(const std::string& expression, std::string& trouble) {
  if (const Measured measured(expression); !measured.trouble().empty()) {
    trouble = measured.trouble();
    return std::nullopt;
  }
  try {
    return std::regex(expression, std::regex::ECMAScript | std::regex::nosubs | std::regex_constants::__polynomial);
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
  if (kind == log_kind) return &allowances.error_kinds;
  if (kind == "installed") return &allowances.installed;
  if (kind == "fact" || kind == "effect") return &allowances.facts;
  return nullptr;
}

bool is_of_a_file(const std::string& kind) {
  constexpr std::array<std::string_view, 5> kinds{"file", "set-uid", "capability", "acl", "world-writable"};
  return std::ranges::count(kinds, std::string_view(kind)) > 0;
}

std::string trouble_with(const std::string& expression) {
  std::string trouble;
  if (compiled(expression, trouble)) return {};
  return fmt::format("'{}' is not a regular expression that can be used: {}", expression.substr(0, longest_shown),
                     trouble);
}

// [{"match": "/etc/cups/.*", "why": "..."}], and with a kind: of any other.
enum class Kind { of_files, named };
std::vector<AllowedFinding> read_findings(JsonReader& reader, const std::string& key, Kind kind,
                                          std::vector<JsonProblem>& problems) {
  std::vector<AllowedFinding> found;
  if (!reader.has(key)) return found;
  const auto& list = reader.raw(key);
  if (!list.is_array()) {
    reader.problem(key, "must be a list of objects with 'match' and 'why'");
    return found;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    JsonReader entry(list[i], fmt::format("{}/{}", reader.at(key), i), problems);
    AllowedFinding allowed;
    if (kind == Kind::named) {
      allowed.kind = entry.text("kind", [](const std::string& word) {
        if (word.empty()) return std::string("must say of which kind the difference is");
        return is_of_a_file(word) ? std::string("differences of files are allowed under 'files'") : std::string();
      });
    }
    allowed.match = entry.text("match", [](const std::string& expression) {
      return expression.empty() ? std::string("an empty expression accepts nothing; leave it out")
                                : trouble_with(expression);
    });
    allowed.why = entry.text("why", [](const std::string& why) {
      return why.empty() ? std::string("must say why this may change") : std::string();
    });
    entry.finish();
    found.push_back(std::move(allowed));
  }
  return found;
}

Json findings_json(const std::vector<AllowedFinding>& findings) {
  auto json = Json::array();
  for (const auto& one : findings) {
    json.push_back({{"match", one.match}, {"why", one.why}});
    if (!one.kind.empty()) json.back()["kind"] = one.kind;
  }
  return json;
}

std::vector<std::string> read_expressions(JsonReader& reader, const std::string& key) {
  return reader.texts_or_empty(key, [](const std::string& expression) {
    if (expression.empty()) return std::string("an empty expression accepts nothing; leave it out");
    return trouble_with(expression);
  });
}

}  // namespace

bool Allowances::covers(const StateDifference& difference) const {
  const bool of_a_file = is_of_a_file(difference.kind);
  if (std::ranges::any_of(of_a_file ? files : findings, [&](const auto& allowed) {
        return (of_a_file || allowed.kind == difference.kind) && matches(allowed.match, difference.item);
      }))
    return true;
  const auto* expressions = expressions_for(*this, difference.kind);
  return expressions != nullptr && std::any_of(expressions->begin(), expressions->end(), [&](const auto& expression) {
           return matches(expression, difference.item);
         });
}

Allowances read_allowances(const Json& json, const std::string& pointer, std::vector<JsonProblem>& problems) {
  JsonReader reader(json, pointer, problems);
  Allowances allowances;
  allowances.services = read_expressions(reader, "services");
  allowances.listeners = read_expressions(reader, "listeners");
  allowances.addresses = read_expressions(reader, "addresses");
  allowances.error_kinds = read_expressions(reader, "error_kinds");
  allowances.installed = read_expressions(reader, "installed");
  allowances.facts = read_expressions(reader, "facts");
  allowances.files = read_findings(reader, "files", Kind::of_files, problems);
  allowances.findings = read_findings(reader, "findings", Kind::named, problems);
  reader.finish();
  return allowances;
}

void to_json(Json& json, const Allowances& allowances) {
  json = {{"services", allowances.services},          {"listeners", allowances.listeners},
          {"addresses", allowances.addresses},        {"error_kinds", allowances.error_kinds},
          {"installed", allowances.installed},        {"facts", allowances.facts},
          {"files", findings_json(allowances.files)}, {"findings", findings_json(allowances.findings)}};
}

}  // namespace patchlab::checks::state
