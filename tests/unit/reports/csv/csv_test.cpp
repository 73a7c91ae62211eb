// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/csv/csv.hpp"

#include <gmock/gmock.h>

#include "tests/support/golden.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/waived_decision.hpp"

namespace patchlab::reports {
namespace {
using ::testing::HasSubstr;

TEST(Csv, IsAsReviewed) {
  tests::expect_golden("reports/good.csv",
                       csv_table(tests::good_record(), tests::sample_decisions(tests::good_record())));
}

// A requirement that is met because somebody accepted the failure is neither "met" nor "not-met".
TEST(Csv, HasAnOutcomeForWhatWasWaivedAndARowForAnEmergency) {
  const auto record = tests::good_record();
  auto decisions = tests::waived_decisions(record);
  const auto text = csv_table(record, decisions);
  EXPECT_THAT(text, HasSubstr(",finance/mail/deliver,waived,final-trial-failed,,mail/deliver in after-install ended in "
                              "fail: waived by 'carol' until 2026-12-12T00:00:00.000Z (CHG0043): known limit,"));
  EXPECT_THAT(text, HasSubstr(std::string(",emergency,finance,")));
  EXPECT_THAT(text, HasSubstr(std::string(",CHG0042,open,,,") + tests::emergency_text + ","));
  decisions[0].emergency.answered = "reviewed by carol";
  EXPECT_THAT(csv_table(record, decisions),
              HasSubstr(",CHG0042,reviewed,,,emergency (CHG0042): mail is exploited: reviewed by carol,"));
}

TEST(Csv, QuotesAndDisarmsFormulas) {
  auto record = tests::good_record();
  auto& check = record.departments[0].trials[2].phases[0].checks[0];
  check.expected = "=HYPERLINK(\"http://x\",1)";
  check.observed = "two\nlines, \"quoted\"";
  EXPECT_THAT(csv_table(record), HasSubstr(",\"'=HYPERLINK(\"\"http://x\"\",1)\",\"two\\nlines, \"\"quoted\"\"\","));
}

// A spreadsheet that splits at semicolons takes our quotes for text, and so may one in which somebody chose another
// sign: whatever is a cell for one of them begins no formula.
TEST(Csv, NoCellIsAFormulaWhereverASpreadsheetSplits) {
  auto record = tests::good_record();
  auto& checks = record.departments[0].trials[2].phases[0].checks;
  checks[0].observed = "foo;=cmd|' /C calc'!A0";
  checks[0].expected = "a; \"=cmd()\";+1\n=2;;@x";
  checks[1].observed =
      "\xEF\xBC\x9D"
      "1+1";  // full-width =
  checks[1].expected =
      "x;\xEF\xBC\x8B"
      "1";  // full-width +
  checks[2].observed = "\n=1+1";
  checks[2].expected = " \t-2";
  const auto csv = csv_table(record);
  EXPECT_THAT(csv, ::testing::StartsWith("\xEF\xBB\xBFrun,kind,")) << "or Excel takes it for another encoding";
  std::string cell;
  std::size_t cells = 0;
  for (const char c : csv) {
    if (c != ';' && c != ',' && c != '\n') {
      cell += c;
      continue;
    }
    const auto begin = cell.find_first_not_of(" \"");
    for (const char* sign : {"=", "+", "-", "@", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"}) {
      EXPECT_FALSE(begin != std::string::npos && cell.compare(begin, std::string_view(sign).size(), sign) == 0) << cell;
    }
    cell.clear();
    ++cells;
  }
  EXPECT_GT(cells, 1000U);
}

TEST(Csv, TellsOfTheRunItsDepartmentsAndWhatWasDecided) {
  auto record = tests::good_record();
  record.departments[0].error = infrastructure_error("the disk is full");
  record.complete = false;
  auto decisions = tests::sample_decisions(record);
  decisions[0].state = DecisionState::refused;
  const auto csv = csv_table(record, decisions);
  EXPECT_THAT(csv, HasSubstr(",run,,,,,,,,not-reached,run-incomplete,,the run was interrupted before its end,"));
  EXPECT_THAT(csv, HasSubstr(",department,finance,,,,,,,error,infrastructure,,the disk is full,0\r\n"));
  EXPECT_THAT(csv, HasSubstr(",decision,finance,,,,dns-update tidy,,production/finance,fail,refused,,refused as of "));
}

TEST(Csv, EveryRowHasTheSameCells) {
  const auto text = csv_table(tests::rich_record(), tests::sample_decisions(tests::rich_record()));
  std::size_t cells = 0;
  std::size_t rows = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ',') ++cells;
    if (c == '\n') {
      ASSERT_EQ(cells, 13U) << "row " << rows;
      cells = 0;
      ++rows;
    }
  }
  EXPECT_GT(rows, 300U);
}

}  // namespace
}  // namespace patchlab::reports
