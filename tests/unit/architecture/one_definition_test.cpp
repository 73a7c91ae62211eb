// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

// Two types of one name in one namespace link without a word, and one program then has members of the other
// ([basic.def.odr]): compilers see one file, and linkers no types.
namespace patchlab {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

// Of C++, without comments, literals and lines of the preprocessor.
std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  const auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  bool begins_line = true;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const auto rest = text.substr(at);
    const auto up_to = [&](std::size_t end, std::size_t more) {
      return end == std::string_view::npos ? text.size() : end + more;
    };
    if (c == '\n') begins_line = true;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
      continue;
    }
    if (rest.starts_with("//")) {
      at = up_to(text.find('\n', at), 0);
    } else if (rest.starts_with("/*")) {
      at = up_to(text.find("*/", at), 2);
    } else if (c == '#' && begins_line) {
      do at = up_to(text.find('\n', at + 1), 0);
      while (at < text.size() && text[at - 1] == '\\');
    } else if (rest.starts_with("R\"")) {
      const auto open = rest.find('(');
      const auto end = ")" + std::string(rest.substr(2, open - 2)) + "\"";
      at = up_to(text.find(end, at), end.size());
    } else if (c == '"' || c == '\'') {
      for (++at; at < text.size() && text[at] != c; ++at) at += text[at] == '\\' ? 1U : 0U;
      ++at;
    } else if (is_word(c)) {
      std::size_t size = 1;
      const bool is_number = std::isdigit(static_cast<unsigned char>(c)) != 0;  // 1'000
      while (size < rest.size() && (is_word(rest[size]) || (is_number && rest[size] == '\''))) ++size;
      tokens.push_back(rest.substr(0, size));
      at += size;
    } else {
      const std::size_t size = rest.starts_with("::") || rest.starts_with("[[") || rest.starts_with("]]") ? 2 : 1;
      tokens.push_back(rest.substr(0, size));
      at += size;
    }
    begins_line = false;
  }
  return tokens;
}

bool is_name(std::string_view token) {
  return token.front() == '_' || std::isalpha(static_cast<unsigned char>(token.front())) != 0;
}

// Names of the types that other files could define as well: "patchlab::process::Night".
class Definitions {
 public:
  explicit Definitions(const std::string& text) : tokens_(tokens_of(text)) {
    while (at_ < tokens_.size()) next();
  }
  [[nodiscard]] const std::set<std::string>& names() const { return names_; }
  [[nodiscard]] bool is_balanced() const { return !went_below_ && scopes_.empty(); }

 private:
  enum class Kind { of_all, of_this_file };
  struct Scope {
    Kind kind;
    std::string name;
  };

  [[nodiscard]] std::string_view look(std::size_t ahead) const {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : std::string_view(";");
  }
  void next() {
    const auto token = look(0);
    if (token == "namespace") return enter_namespace();
    if (token == "struct" || token == "class" || token == "union" || token == "enum") return enter_type();
    if (token == "{") scopes_.push_back({Kind::of_this_file, {}});
    if (token == "}") {
      went_below_ = went_below_ || scopes_.empty();
      if (!scopes_.empty()) scopes_.pop_back();
    }
    ++at_;
  }
  void enter_namespace() {
    std::string name;
    for (++at_; is_name(look(0)) || look(0) == "::"; ++at_) {
      if (look(0) != "inline") name += look(0);
    }
    if (look(0) != "{") return;  // an alias
    scopes_.push_back({name.empty() ? Kind::of_this_file : Kind::of_all, name});
    ++at_;
  }
  void enter_type() {
    if (look(0) == "enum" && (look(1) == "class" || look(1) == "struct")) ++at_;
    ++at_;
    if (look(0) == "[[") {
      while (look(0) != "]]" && look(0) != ";") ++at_;
      ++at_;
    }
    if (!is_name(look(0))) return;
    std::string name(look(0));
    for (++at_; look(0) == "::"; at_ += 2) name += "::" + std::string(look(1));
    if (look(0) == "<") {  // a specialisation: its arguments belong to its name
      int depth = 0;
      do {
        depth += look(0) == "<" ? 1 : look(0) == ">" ? -1 : 0;
        name += look(0);
        ++at_;
      } while (depth > 0 && look(0) != ";" && look(0) != "{");
    }
    if (look(0) == "final") ++at_;
    if (look(0) == ":") {
      while (look(0) != "{" && look(0) != ";" && look(0) != ")") ++at_;
    }
    if (look(0) != "{") return;  // only named
    std::string whole;
    for (const auto& scope : scopes_) whole += scope.name + "::";
    const auto is_of_all = [](const Scope& scope) { return scope.kind == Kind::of_all; };
    if (std::ranges::all_of(scopes_, is_of_all)) names_.insert(whole + name);
    scopes_.push_back({Kind::of_all, name});
    ++at_;
  }

  std::vector<std::string_view> tokens_;
  std::size_t at_ = 0;
  std::vector<Scope> scopes_;
  std::set<std::string> names_;
  bool went_below_ = false;
};

using Places = std::map<std::string, std::set<std::string>>;  // type: files

std::vector<std::string> defined_twice(const Places& places) {
  std::vector<std::string> twice;
  for (const auto& [name, files] : places) {
    std::string all;
    for (const auto& file : files) all += (all.empty() ? "" : ", ") + file;
    if (files.size() > 1) twice.push_back(name + ": " + all);
  }
  return twice;
}

// Tests, too: what they share is linked into many of them.
TEST(OneDefinition, NoTypeIsDefinedTwiceInANamespace) {
  const fs::path root = PATCHLAB_SOURCE_DIR;
  Places places;
  for (const char* folder : {"cli", "lab", "snapshots", "patches", "checks", "runners", "promotion", "reports",
                             "history", "process", "tests"}) {
    for (const auto& file : entries_below(root / folder).value()) {
      if (file.extension() != ".cpp" && file.extension() != ".hpp") continue;
      const auto name = file.lexically_relative(root).string();
      const auto text = read_file(file).value();
      const Definitions definitions(text);
      EXPECT_TRUE(definitions.is_balanced()) << name << ": what is read of it is not all of it";
      for (const auto& type : definitions.names()) places[type].insert(name);
    }
  }
  EXPECT_THAT(defined_twice(places), IsEmpty()) << "give one of them another name, or its folder a namespace";
  EXPECT_GT(places.size(), 1000U);
}

TEST(OneDefinition, WouldNoticeATypeThatIsDefinedTwice) {
  const auto twice = [](const std::string& one, const std::string& other) {
    Places places;
    const Definitions in_one(one), in_other(other);
    for (const auto& type : in_one.names()) places[type].insert("a.hpp");
    for (const auto& type : in_other.names()) places[type].insert("b.cpp");
    return defined_twice(places);
  };
  const std::string night = "namespace a::b {\nstruct Night { int x = '{'; };\n}\n";
  EXPECT_THAT(twice(night, "namespace a { namespace b { class Night final : public Other<int> {}; } }"),
              ElementsAre("a::b::Night: a.hpp, b.cpp"));
  EXPECT_THAT(twice(night, "namespace a::b { enum class Night : int { one }; }"), ::testing::SizeIs(1));
  EXPECT_THAT(twice(night, "namespace a::b { struct [[nodiscard]] Night {}; }"), ::testing::SizeIs(1));
  EXPECT_THAT(twice("template <class T> struct Of { struct In {}; };", "struct Of { struct In {}; };"),
              ElementsAre("Of: a.hpp, b.cpp", "Of::In: a.hpp, b.cpp"));
  for (const char* other : {
           "namespace a::b { struct Night; enum class Night; Night f(struct Night* night); }",
           "namespace a::b { namespace { struct Night {}; } }",
           "namespace a::b { void f() { struct Night {}; } }",
           "namespace a { struct Night {}; }",
           "namespace a::b { struct X { struct Night {}; }; }",
           "namespace a::b { template <> struct Night<int> {}; }",
           "namespace a::b {\n// struct Night {};\n#define X struct Night { \\\n }\nconst char* s = R\"(struct Night "
           "{)\";\n}",
           "namespace c = a::b; struct Night {};",
       })
    EXPECT_THAT(twice(night, other), IsEmpty()) << other;
}

}  // namespace
}  // namespace patchlab
