// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/assess/decision_table.hpp"

#include <gmock/gmock.h>

#include <random>

#include "lab/core/files.hpp"
#include "lab/core/importance.hpp"
#include "lab/core/text.hpp"

namespace patchlab::process {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path shipped =
    std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "policies" / "cisa-bod-26-04.csv";

DecisionTable table() { return parse_decision_table(read_file(shipped).value(), "shipped").value(); }

std::string trouble(const std::string& text) {
  const auto read = parse_decision_table(text, "t.csv");
  return read ? "" : read.error().message;
}

TEST(DecisionTable, OfCisaHasItsSixteenRows) {
  const auto read = table();
  ASSERT_EQ(read.rows.size(), 16U);
  EXPECT_EQ(read.title, "CISA BOD 26-04 Remediation Timelines");
  EXPECT_EQ(read.rows[0].timeline, "fix on system upgrade");
  EXPECT_EQ(read.rows[0].days, std::nullopt);
  EXPECT_EQ(read.rows[8].days, 14);
  EXPECT_EQ(read.rows[15].timeline, "3 days & forensic investigation");
  EXPECT_EQ(read.rows[15].days, 3);
}

TEST(DecisionTable, MayHaveAByteOrderMarkInFront) {
  const auto text = read_file(shipped).value();
  EXPECT_EQ(trouble("\xef\xbb\xbf" + text), "");
  EXPECT_NE(trouble("\xef\xbb\xbf\xef\xbb\xbf" + text), "");
}

// What the table says, found by text and not by us: the rows as lines that begin so, of all values that an unknown one
// may have; the fewest days of them.
TEST(DecisionTable, DecidesAsItsTextDoesForAnyFacts) {
  std::map<std::string, std::string> by_facts;
  const auto text = read_file(shipped).value();
  for (const auto line : split(text, '\n')) {
    const auto cells = split(line, ',');
    if (cells.size() == 6 && cells[0] != "row")
      by_facts[fmt::format("{},{},{},{}", cells[1], cells[2], cells[3], cells[4])] = std::string(cells[5]);
  }
  ASSERT_EQ(by_facts.size(), 16U);
  const auto days = [](const std::string& timeline) { return timeline[0] == 'f' ? 100000 : std::stoi(timeline); };
  std::mt19937 random(7);
  const auto read = table();
  std::size_t unsettled = 0, unknown = 0;
  for (int i = 0; i < 200; ++i) {
    const std::array<unsigned long, 4> picked{random() % 3, random() % 3, random() % 3, random() % 3};
    Facts facts;
    std::set<std::string> possible{""};
    for (std::size_t k = 0; k < picked.size(); ++k) {
      const std::vector<std::string> words =
          k == 3 ? std::vector<std::string>{"partial", "total"} : std::vector<std::string>{"no", "yes"};
      if (picked[k] < 2) facts.values[k] = picked[k] == 1;
      unknown += picked[k] == 2 ? 1 : 0;
      std::set<std::string> longer;
      for (const auto& begin : possible) {
        for (std::size_t w = 0; w < 2; ++w) {
          if (picked[k] == 2 || picked[k] == w) longer.insert(begin + (begin.empty() ? "" : ",") + words[w]);
        }
      }
      possible = longer;
    }
    std::set<std::string> timelines;
    int fewest = 1000000;
    for (const auto& one : possible) {
      timelines.insert(by_facts.at(one));
      fewest = std::min(fewest, days(by_facts.at(one)));
    }
    const auto decision = decide(read, facts);
    EXPECT_EQ(days(decision.row.timeline), fewest);
    EXPECT_TRUE(timelines.contains(decision.row.timeline));
    EXPECT_EQ(decision.settled, timelines.size() == 1);
    EXPECT_EQ(decision.facts, facts);
    // All that is unknown counts as the worse value.
    std::string worst;
    for (std::size_t k = 0; k < picked.size(); ++k) {
      const bool bad = picked[k] != 0;
      worst += (k == 0 ? "" : ",") + std::string(k == 3 ? (bad ? "total" : "partial") : bad ? "yes" : "no");
    }
    EXPECT_EQ(decision.row.timeline, by_facts.at(worst));
    unsettled += decision.settled ? 0 : 1;
  }
  EXPECT_GT(unsettled, 20U);
  EXPECT_GT(unknown, 100U);
}

TEST(DecisionTable, IsTakenAsTheSsvcProjectWritesThem) {
  auto text = read_file(shipped).value();
  text.replace(0, text.find('\n'),
               "row,In KEV v1.0.0 (cisa),Asset Exposure v1.0.0 (cisa),Automatable v2.0.0,Technical Impact v1.0.0,CISA "
               "BOD 26-04 Remediation Timelines v1.0.0 (cisa)");
  const auto read = parse_decision_table(text, "t.csv");
  ASSERT_TRUE(read) << trouble(text);
  EXPECT_EQ(read->rows, table().rows);
}

TEST(DecisionTable, OfAnOrganisationMayAskForLess) {
  const auto read = parse_decision_table("row,In KEV,What we do\nb,yes,1 day\na,no,next window\n", "t.csv").value();
  Facts facts;
  facts[Fact::automatable] = true;
  EXPECT_EQ(decide(read, facts).row.id, "b");
  EXPECT_FALSE(decide(read, facts).settled);
  facts[Fact::exploited] = false;
  EXPECT_EQ(decide(read, facts).row.id, "a");
  EXPECT_TRUE(decide(read, facts).settled);
}

// What has three values is asked for by three rows; unknown is the worst of them.
TEST(DecisionTable, MayAskHowImportantAMachineIs) {
  const std::string head = "row,In KEV,Importance,What we do\n";
  const auto read = parse_decision_table(head +
                                             "a,no,low,next cycle\nb,no,medium,30 days\nc,no,high,14 days\n"
                                             "d,yes,low,14 days\ne,yes,medium,3 days\nf,yes,high,1 day\n",
                                         "t.csv");
  ASSERT_TRUE(read) << read.error().message;
  Facts facts;
  facts[Fact::exploited] = false;
  EXPECT_EQ(decide(*read, facts).row.id, "c") << "nobody said how important it is";
  EXPECT_FALSE(decide(*read, facts).settled);
  std::string rows;
  for (const auto importance : {Importance::low, Importance::medium, Importance::high}) {
    facts[Fact::importance] = static_cast<std::size_t>(importance);
    EXPECT_TRUE(decide(*read, facts).settled);
    EXPECT_STREQ(value_text(Fact::importance, facts[Fact::importance]), to_string(importance));
    rows += decide(*read, facts).row.id;
  }
  EXPECT_EQ(rows, "abc");
  facts[Fact::importance].reset();
  facts[Fact::exploited].reset();
  EXPECT_EQ(decide(*read, facts).row.id, "f");
  EXPECT_STREQ(value_text(Fact::importance, {}), "unknown");
  EXPECT_THAT(trouble(head + "a,no,low,1 day\n"), HasSubstr("there are 1 rows, and 6 combinations"));
  EXPECT_THAT(trouble(head + "a,no,critical,1 day\n"), HasSubstr("'critical' must be low or medium or high"));
}

TEST(DecisionTable, ThatIsNotWholeIsRefusedWithItsLine) {
  EXPECT_THAT(trouble(""), HasSubstr("t.csv:1: "));
  EXPECT_THAT(trouble("In KEV,x,y\n"), HasSubstr("t.csv:1: must begin with the heads 'row,...'"));
  EXPECT_THAT(trouble("row,System Exposure,y\n"), HasSubstr("t.csv:1: 'System Exposure' is nothing that is known"));
  EXPECT_THAT(trouble("row,In KEV,In KEV,y\n"), HasSubstr("'In KEV' twice"));
  const std::string head = "row,In KEV,x\n";
  EXPECT_THAT(trouble(head + "a,yes,1 day\n"), HasSubstr("there are 1 rows, and 2 combinations"));
  EXPECT_THAT(trouble(head + "a,yes,1 day\nb,yes,2 days\n"), HasSubstr("t.csv:3: the same facts stand in a row above"));
  EXPECT_THAT(trouble(head + "a,maybe,1 day\n"), HasSubstr("t.csv:2: 'maybe' must be no or yes"));
  EXPECT_THAT(trouble(head + "a,yes\n"), HasSubstr("t.csv:2: has 2 cells, and the head has 3"));
  EXPECT_THAT(trouble(head + "a,yes,\"1 day\"\n"), HasSubstr("quotation marks are not read"));
  EXPECT_THAT(trouble(head + "a,yes,\n"), HasSubstr("a row needs a name and an outcome"));
}

}  // namespace
}  // namespace patchlab::process
