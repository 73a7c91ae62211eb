// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <regex>

#include "console.hpp"
#include "lab/core/exit_code.hpp"
#include "lab/core/files.hpp"
#include "program.hpp"
#include "promoted_run.hpp"

namespace patchlab::e2e {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

// What types the tutorial: else the tutorial could not be wrong.
class Console : public ::testing::Test {
 protected:
  [[nodiscard]] std::vector<std::string> wrong(const std::string& block) const {
    return type(typed_in("Text.\n```console\n" + block + "```\n"), folder_.path(), PATCHLAB_PROGRAM,
                std::chrono::seconds(20));
  }
  TemporaryFolder folder_;
};

TEST_F(Console, TypesWhatStandsThereIntoOneShell) {
  EXPECT_THAT(
      wrong("$ mkdir a && cd a\n$ cat >b <<EOF\n$ one\ntwo\nEOF\n$ wc -l <\\\nb\n2\n$ cat b | tail -n 1\ntwo\n"),
      IsEmpty());
  EXPECT_THAT(wrong("$ cd a; pwd\n.../a\n$ patchlab --version\npatchlab ...\n$ false\n$ echo $?\n1\n"), IsEmpty());
}

TEST_F(Console, NoticesWhatIsNotAsShown) {
  EXPECT_THAT(wrong("$ echo one\ntwo\n"), ElementsAre(HasSubstr("--- said:\none")));
  EXPECT_THAT(wrong("$ echo one\n$ true\nnothing\n"), SizeIs(2));
  EXPECT_THAT(wrong("$ printf 'one\\ntwo\\n'\none\n"), SizeIs(1)) << "a line too many";
  EXPECT_THAT(wrong("$ printf 'one\\ntwo\\nthree\\n'\none\n...\nthree\n"), IsEmpty());
  EXPECT_THAT(wrong("$ printf 'one\\ntwo\\nthree\\n'\n...\ntwo\n"), SizeIs(1));
  EXPECT_THAT(wrong("$ echo 'run 7, 12 s'\nrun ..., ... s\n"), IsEmpty());
  EXPECT_THAT(wrong("$ echo 'run 7, 12 min'\nrun ..., ... s\n"), SizeIs(1));
  EXPECT_THAT(wrong("$ false\n"), ElementsAre(HasSubstr("ended with 1, which is not shown")));
  EXPECT_THAT(wrong("$ patchlab run nothing\n...\n$ echo $?\n0\n"), ElementsAre(HasSubstr("--- said:\n78")));
  EXPECT_THAT(wrong("$ exit 3\n$ echo one\none\n"), ElementsAre(HasSubstr("did not come to its end")));
}

// What the how-tos say, typed in a folder with a run and a stage, as they assume.
TEST(HowTo, IsTrueWordForWord) {
  std::size_t seen = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(PATCHLAB_SOURCE_DIR) / "docs/how-to")) {
    const auto typed = typed_in(read_file(entry.path()).value());
    if (typed.empty()) continue;
    seen += typed.size();
    const TemporaryFolder folder;
    make_promoted_run(folder.path());
    // Whatever is answered is a line of the stage's ledger.
    (void)patchlab({"promote", "latest"}, folder.path());
    EXPECT_THAT(type(typed, folder.path(), PATCHLAB_PROGRAM, std::chrono::seconds(60)), IsEmpty()) << entry.path();
  }
  EXPECT_GT(seen, 4U);
}

// Codes in brackets behind this word, as in "exit_codes: [1, 5]".
std::set<int> codes_behind(const std::string& document, const std::string& word) {
  std::set<int> codes;
  const auto at = document.find(word);
  if (at == std::string::npos) return codes;
  static const std::regex number("[0-9]+");
  const auto end = document.find_first_of("])\n", at + word.size());
  const auto list = document.substr(at + word.size(), end - at - word.size());
  for (std::sregex_iterator it(list.begin(), list.end(), number), none; it != none; ++it)
    codes.insert(std::stoi(it->str()));
  return codes;
}

// Each exit code has one colour, and the examples for systemd, Jenkins and GitLab give it that colour.
TEST(HowTo, MapsEveryExitCodeTheSameWay) {
  const auto document = read_file(fs::path(PATCHLAB_SOURCE_DIR) / "docs/how-to/every-night.md").value();
  static const std::regex row(R"(\n\| ([0-9, ]+) \| [^|\n]* \| (green|yellow|red)[^|\n]*\|)");
  std::map<std::string, std::set<int>> colours;
  std::size_t mapped = 0;
  for (std::sregex_iterator it(document.begin(), document.end(), row), none; it != none; ++it) {
    const auto codes = codes_behind((*it)[1].str() + "\n", "");
    mapped += codes.size();
    colours[(*it)[2]].insert(codes.begin(), codes.end());
  }
  std::set<int> all;
  for (const auto& one : exit_codes) all.insert(number(one.code));
  EXPECT_EQ(mapped, all.size()) << "a code is missing, or is there twice";
  auto fine = colours["green"];
  fine.insert(colours["yellow"].begin(), colours["yellow"].end());
  auto everything = fine;
  everything.insert(colours["red"].begin(), colours["red"].end());
  EXPECT_EQ(everything, all);
  // systemd has two colours: what is green is no failure, what is red is one.
  const auto unit = read_file(fs::path(PATCHLAB_SOURCE_DIR) / "packaging/systemd/patchlab-nightly.service").value();
  auto content = codes_behind(unit, "SuccessExitStatus=");
  content.insert(0);
  EXPECT_TRUE(std::ranges::includes(content, colours["green"]));
  EXPECT_TRUE(std::ranges::includes(fine, content));
  EXPECT_EQ(codes_behind(document, "exit_codes: ["), colours["yellow"]);
  EXPECT_EQ(codes_behind(document, "if (code in ["), colours["yellow"]);
  EXPECT_EQ(codes_behind(document, "else if (!(code in ["), colours["green"]);
}

}  // namespace
}  // namespace patchlab::e2e
