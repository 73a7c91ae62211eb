// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/culprit_document.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "tests/support/culprit_peers.hpp"
#include "tests/support/temporary_folder.hpp"

// What docs/culprit-search.md says of goals that nobody measured: never that they are met.
namespace patchlab::runners::tests {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A cell of 8 candidates without lab errors, with ten search trials.
std::string cell(const std::string& kind, double flakes, const std::string& who, double correct, double seconds) {
  return fmt::format("8;{};{};0;{};500;{};0;{};0;0;0;0;10;0;0;10;10;{};{};1;1;0;0;0;0\n", kind, flakes, who, correct,
                     100 - correct, seconds, seconds);
}
std::string all_peers(const std::string& kind, double flakes, double correct, double seconds) {
  std::string text;
  for (const auto& peer : peers()) text += cell(kind, flakes, peer.name, correct, seconds);
  return text;
}
std::string goals_of(const std::string& cells) {
  const test::TemporaryFolder folder;
  write_document(folder.write("cells.csv", cells), folder.path() / "page");
  const auto page = read_file(folder.path() / "page.md").value();
  const auto begin = page.find("## Goals");
  return page.substr(begin, page.find("\n## ", begin + 1) - begin);
}
std::string row_of(const std::string& goals, const std::string& what) {
  const auto at = goals.find("| " + what);
  return at == std::string::npos ? "there is no row '" + what + "' in\n" + goals
                                 : goals.substr(at, goals.find('\n', at) - at);
}

constexpr const char* quiet = "no flakes: modelled seconds";
constexpr const char* noisy = "5 % flakes: the same";
constexpr const char* halving = "one culprit: never more search trials";

TEST(CulpritDocument, DoesNotCallAPeerBeatenThatNeverRan) {
  const auto goals = goals_of(cell("one", 0, "patchlab", 100, 100) + cell("none", 0, "patchlab", 100, 100));
  for (const auto* what : {quiet, noisy, halving, "clean nights"}) {
    EXPECT_THAT(row_of(goals, what), HasSubstr("| not measured | | not measured |"));
    EXPECT_THAT(row_of(goals, what), Not(HasSubstr("yes")));
  }
}

TEST(CulpritDocument, CountsWhereAllPeersRan) {
  const auto ours = cell("one", 0, "patchlab", 100, 100);
  EXPECT_THAT(row_of(goals_of(ours + all_peers("one", 0, 100, 200)), quiet), HasSubstr("0.50 x the cheapest"));
  EXPECT_THAT(row_of(goals_of(ours + all_peers("one", 0, 100, 200)), quiet), HasSubstr("| yes |"));
  EXPECT_THAT(row_of(goals_of(ours + all_peers("one", 0, 100, 50)), quiet), HasSubstr("**no**, in 1 of 1 cells |"));
  // Nothing to be right about, and nobody ran: the cell is left out, and said.
  const auto partly = row_of(goals_of(ours + all_peers("one", 0, 100, 200) + cell("none", 0, "patchlab", 100, 100) +
                                      cell("two", 0, "patchlab", 100, 100)),
                             quiet);
  EXPECT_THAT(partly, HasSubstr("| in 1 of 3 cells; not measured in 2 |"));
  EXPECT_THAT(partly, Not(HasSubstr("yes")));
}

TEST(CulpritDocument, TellsPeersThatWereWrongFromPeersThatNeverRan) {
  const auto noisy_cell = cell("one", 0.05, "patchlab", 100, 100);
  EXPECT_THAT(row_of(goals_of(noisy_cell + all_peers("one", 0.05, 90, 50)), noisy),
              HasSubstr("| no peer is right as often where all of them ran | | yes |"));
  // One that ran and was wrong says nothing of the other six.
  const auto one_of_them = goals_of(noisy_cell + cell("one", 0.05, peers().front().name, 90, 50));
  EXPECT_THAT(row_of(one_of_them, noisy), HasSubstr("| not measured | | not measured |"));
  // One that is cheaper is enough to miss the goal.
  const auto cheaper = goals_of(noisy_cell + cell("one", 0.05, peers().front().name, 100, 50));
  EXPECT_THAT(row_of(cheaper, noisy), HasSubstr("**no**, in 1 of 1 cells |"));
}

// Of 500 runs 3 may be more than 0.5 % by chance; 13 are not.
TEST(CulpritDocument, TellsChanceFromAGoalThatIsMissed) {
  constexpr const char* wrong = "5 % flakes, one or two culprits";
  EXPECT_THAT(
      row_of(goals_of(cell("one", 0.05, "patchlab", 99.4, 100)), wrong),
      HasSubstr("0.60 % of 500, surely below 1.54 % | **no**, in 1 of 1 cells (0 of them by more than chance) |"));
  EXPECT_THAT(row_of(goals_of(cell("one", 0.05, "patchlab", 97.4, 100)), wrong),
              HasSubstr("**no**, in 1 of 1 cells (1 of them by more than chance) |"));
  // That none was seen does not mean that there is none.
  EXPECT_THAT(row_of(goals_of(cell("one", 0.05, "patchlab", 100, 100)), wrong),
              HasSubstr("0.00 % of 500, surely below 0.60 % | yes |"));
}

TEST(CulpritDocument, SaysOfCleanNightsWhatWasSeen) {
  const auto nights = [](int spoiled) { return fmt::format("60;clean night;0.001;0;patchlab;1000;300;{}\n", spoiled); };
  constexpr const char* row = "clean night, 0.1 % flakes";
  EXPECT_THAT(row_of(goals_of(nights(0)), row), HasSubstr("0.00 % of 1000, surely below 0.30 % | | yes |"));
  EXPECT_THAT(row_of(goals_of(nights(11)), row), HasSubstr("| **no** |"));
}

TEST(CulpritDocument, WeighsAPeerThatIsToldSomethingApart) {
  auto cells = cell("one", 0, "patchlab", 100, 100) + all_peers("one", 0, 100, 200);
  const auto told = cells.find(";binary splitting (Hwang);");
  ASSERT_NE(told, std::string::npos);
  cells.replace(cells.find(";200;200;", told), 9, ";50;50;");
  EXPECT_THAT(row_of(goals_of(cells), quiet), HasSubstr("2.00 x the cheapest"));
  EXPECT_THAT(row_of(goals_of(cells), "the same without binary splitting"), HasSubstr("0.50 x the cheapest"));
}

TEST(CulpritDocument, TakesNoLineOfAnOlderVersion) {
  EXPECT_THROW(goals_of("8;one;0;0;patchlab;500;100;0;0;0;0;0;0;10;0;0;10;10;100;100;1;1\n"), std::runtime_error);
}

}  // namespace
}  // namespace patchlab::runners::tests
