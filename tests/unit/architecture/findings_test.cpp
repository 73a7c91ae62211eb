// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>
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
  static const std::regex test(R"(TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".cpp") continue;
    const auto text = read_file(entry.path()).value();
    // The expression is slow, and most of a file is no beginning of a test.
    for (auto at = text.find("TEST"); at != std::string::npos; at = text.find("TEST", at + 1)) {
      std::smatch match;
      const auto piece = text.substr(at, 300);
      if (std::regex_search(piece, match, test, std::regex_constants::match_continuous))
        names.insert(fmt::format("{}.{}", match[1].str(), match[2].str()));
    }
  }
  return names;
}

// A name may end early, or stand for a whole suite: "Lock.*", "InputRules.Paths*".
bool is_there(const std::set<std::string>& names, const std::string& named) {
  return std::ranges::any_of(names, [&](const auto& name) { return ::fnmatch(named.c_str(), name.c_str(), 0) == 0; });
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
