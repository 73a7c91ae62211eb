// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <regex>

#include "lab/core/files.hpp"

// docs/findings.md says which test fails when something that was found is broken again. A test that is not there
// proves nothing.
namespace patchlab {
namespace {

using ::testing::IsEmpty;

namespace fs = std::filesystem;

// "Suite.Name" of every test in the sources.
std::set<std::string> tests_in(const fs::path& folder) {
  static const std::regex test(R"(\bTEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".cpp") continue;
    const auto text = read_file(entry.path()).value();
    for (std::sregex_iterator it(text.begin(), text.end(), test), end; it != end; ++it)
      names.insert(fmt::format("{}.{}", (*it)[1].str(), (*it)[2].str()));
  }
  return names;
}

// A name may end early, or stand for a whole suite: "Lock.*", "InputRules.Paths*".
bool is_there(const std::set<std::string>& names, const std::string& named) {
  std::string pattern;
  for (const char c : named) pattern += c == '*' ? std::string("\\w*") : c == '.' ? std::string("\\.") : std::string(1, c);
  const std::regex expression(pattern);
  return std::ranges::any_of(names, [&](const auto& name) { return std::regex_match(name, expression); });
}

TEST(Findings, NameTestsThatAreThere) {
  const fs::path source = PATCHLAB_SOURCE_DIR;
  const auto names = tests_in(source / "tests");
  const auto document = read_file(source / "docs/findings.md").value();
  static const std::regex mention(R"(`([A-Z]\w*\*?\.[A-Z*]\w*\*?)`)");
  std::vector<std::string> missing;
  std::size_t mentions = 0;
  for (std::sregex_iterator it(document.begin(), document.end(), mention), end; it != end; ++it, ++mentions) {
    if (!is_there(names, (*it)[1])) missing.push_back((*it)[1]);
  }
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_GE(mentions, 100U) << "the document was not understood";
}

}  // namespace
}  // namespace patchlab
