// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/csv/csv.hpp"

#include <gmock/gmock.h>

#include "tests/support/golden.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using testing::HasSubstr;

TEST(Csv, IsAsReviewed) {
  tests::expect_golden("reports/good.csv",
                       csv_table(tests::good_record(), tests::sample_decisions(tests::good_record())));
}

TEST(Csv, QuotesAndDisarmsFormulas) {
  auto record = tests::good_record();
  auto& check = record.departments[0].trials[2].phases[0].checks[0];
  check.expected = "=HYPERLINK(\"http://x\",1)";
  check.observed = "two\nlines, \"quoted\"";
  EXPECT_THAT(csv_table(record), HasSubstr(",\"'=HYPERLINK(\"\"http://x\"\",1)\",\"two\\nlines, \"\"quoted\"\"\","));
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
