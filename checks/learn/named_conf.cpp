// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/learn/named_conf.hpp"

#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr std::size_t deepest = 20;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<std::vector<NamedStatement>> block(std::size_t depth) {
    std::vector<NamedStatement> statements;
    NamedStatement current;
    for (;;) {
      const auto word = next();
      switch (kind_) {
        case Kind::word: current.words.push_back(word); break;
        case Kind::begin: {
          if (depth == deepest) return guest_error("the configuration of named has blocks that stand too deep");
          PATCHLAB_ASSIGN(current.block, block(depth + 1));
          break;
        }
        case Kind::semicolon:
          if (!current.words.empty() || !current.block.empty()) statements.push_back(std::move(current));
          current = {};
          break;
        case Kind::end:
        case Kind::nothing:
          if ((kind_ == Kind::end) != (depth > 0))
            return guest_error("the brackets in the configuration of named do not match");
          if (!current.words.empty()) statements.push_back(std::move(current));
          return statements;
      }
    }
  }

 private:
  enum class Kind { word, begin, end, semicolon, nothing };

  [[nodiscard]] bool is_at(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  void skip_to_behind(std::string_view what) {
    const auto found = text_.find(what, at_);
    at_ = found == std::string_view::npos ? text_.size() : found + what.size();
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (is_at("//") || is_at("#"))
        skip_to_behind("\n");
      else if (is_at("/*"))
        skip_to_behind("*/");
      else if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
        ++at_;
      else
        return;
    }
  }

  std::string next() {
    skip_blanks();
    if (at_ == text_.size()) {
      kind_ = Kind::nothing;
      return {};
    }
    const char c = text_[at_];
    if (c == '{' || c == '}' || c == ';') {
      kind_ = c == '{' ? Kind::begin : c == '}' ? Kind::end : Kind::semicolon;
      ++at_;
      return {};
    }
    kind_ = Kind::word;
    return c == '"' ? quoted() : bare();
  }

  std::string bare() {
    const auto end = std::min(text_.find_first_of(" \t\r\n{};\"", at_), text_.size());
    const auto word = text_.substr(at_, end - at_);
    at_ = end;
    return std::string(word);
  }

  std::string quoted() {
    std::string word;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      word += text_[at_];
    }
    if (at_ < text_.size()) ++at_;
    return word;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Kind kind_ = Kind::nothing;
};

std::string value_of(const NamedStatement& statement, std::string_view key) {
  for (const auto& inner : statement.block) {
    if (inner.words.size() > 1 && inner.words[0] == key) return inner.words[1];
  }
  return {};
}

std::string newer_word(const std::string& type) {
  return type == "master" ? "primary" : type == "slave" ? "secondary" : type;
}

void add_zones(const std::vector<NamedStatement>& statements, const std::string& view, NamedServer& server) {
  for (const auto& statement : statements) {
    const auto& words = statement.words;
    if (words.size() < 2 || words[0] != "zone" || (words.size() > 2 && upper_case(words[2]) != "IN")) continue;
    auto name = lower_case(words[1]);
    if (name.ends_with('.')) name.pop_back();
    server.zones.push_back({name, newer_word(value_of(statement, "type")), value_of(statement, "file"), view});
  }
}

}  // namespace

Result<std::vector<NamedStatement>> parse_named_conf(std::string_view text) { return Reader(text).block(0); }

NamedServer named_server(const std::vector<NamedStatement>& statements) {
  NamedServer server;
  add_zones(statements, {}, server);
  for (const auto& statement : statements) {
    if (statement.words.empty()) continue;
    if (statement.words[0] == "options") server.directory = value_of(statement, "directory");
    if (statement.words[0] == "view" && statement.words.size() > 1)
      add_zones(statement.block, statement.words[1], server);
  }
  return server;
}

}  // namespace patchlab::checks::learn
