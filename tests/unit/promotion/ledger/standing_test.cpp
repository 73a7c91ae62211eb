// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/ledger/standing.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include "lab/core/files.hpp"
#include "promotion/ledger/run_entries.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StandingTest : public testing::Test {
 protected:
  static std::filesystem::path new_folder() {
    std::string pattern = testing::TempDir() + "patchlab-standing-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  ~StandingTest() override { std::filesystem::remove_all(folder_); }

  void append(const reports::RunRecord& record) {
    ASSERT_TRUE(ledger_.append(ledger_entries(record, "2026-11-22T06:14:00.000Z")));
  }
  // The same candidates in another run, where the first one fails for finance.
  static reports::RunRecord failing_run(const std::string& id) {
    auto record = tests::good_record();
    record.id = id;
    record.departments[0].verdicts[0].outcome = Outcome::fail;
    return record;
  }

  std::filesystem::path folder_ = new_folder();
  Ledger ledger_{folder_ / "ledger.jsonl"};
};

TEST_F(StandingTest, KnowsTheRecordThatWasWrittenDown) {
  append(tests::good_record());
  const auto standing = standing_of(tests::good_record(), ledger_);
  EXPECT_TRUE(standing.recorded);
  EXPECT_THAT(standing.failures, IsEmpty());
}

TEST_F(StandingTest, NoticesARecordThatWasChangedSince) {
  append(failing_run("run-1"));
  auto improved = failing_run("run-1");
  improved.departments[0].verdicts[0].outcome = Outcome::pass;
  const auto standing = standing_of(improved, ledger_);
  EXPECT_FALSE(standing.recorded);
  EXPECT_EQ(standing.otherwise, "the record is not the one that the ledger has of this run: it was changed since");
}

TEST_F(StandingTest, ARunThatNobodyWroteDownIsNotRecorded) {
  EXPECT_FALSE(standing_of(tests::good_record(), ledger_).recorded);
  append(failing_run("another"));
  const auto standing = standing_of(tests::good_record(), ledger_);
  EXPECT_FALSE(standing.recorded);
  EXPECT_EQ(standing.otherwise, "the ledger has no run of this id");
}

TEST_F(StandingTest, ABrokenLedgerRecordsNothing) {
  append(tests::good_record());
  auto text = read_file(folder_ / "ledger.jsonl").value();
  text[text.find("\"pass\"") + 1] = 'b';
  ASSERT_TRUE(write_file_atomically(folder_ / "ledger.jsonl", text));
  const auto standing = standing_of(tests::good_record(), ledger_);
  EXPECT_FALSE(standing.recorded);
  EXPECT_THAT(standing.otherwise, HasSubstr("ledger.jsonl"));
}

TEST_F(StandingTest, TellsOfFailuresInOtherRunsAndWhetherTheyAreLater) {
  append(failing_run("earlier"));
  append(tests::good_record());
  append(failing_run("later"));
  const auto standing = standing_of(tests::good_record(), ledger_);
  const auto record = tests::good_record();
  ASSERT_THAT(standing.failures, SizeIs(2));
  auto expected = PastFailure{.run = "earlier",
                              .later = false,
                              .department = "finance",
                              .candidate = record.candidates[0].id,
                              .digest = record.candidates[0].digest,
                              .files = {record.candidates[0].files[0].sha256},
                              .scenario_digest = record.scenario_digest};
  for (const auto& machine : record.departments[0].machines) expected.goldens[machine.name] = machine.golden_digest;
  EXPECT_EQ(standing.failures[0], expected);
  expected.run = "later";
  expected.later = true;
  EXPECT_EQ(standing.failures[1], expected);
}

TEST_F(StandingTest, TellsWhatLaterRunsTestedUnderTheSameName) {
  auto before = tests::good_record();
  before.id = "earlier";
  append(before);
  append(tests::good_record());
  EXPECT_THAT(standing_of(tests::good_record(), ledger_).later_candidates, IsEmpty());
  auto rebuilt = tests::good_record();
  rebuilt.id = "later";
  rebuilt.candidates[1].digest = sha256("rebuilt");
  append(rebuilt);
  EXPECT_THAT(standing_of(tests::good_record(), ledger_).later_candidates,
              Contains(LaterCandidate{"later", "finance", "tidy", sha256("rebuilt")}));
}

TEST_F(StandingTest, TwoRunsOfOneIdAreNoRecord) {
  append(failing_run("run-1"));
  auto again = failing_run("run-1");
  again.departments[0].verdicts[0].outcome = Outcome::pass;
  append(again);
  for (const auto& record : {failing_run("run-1"), again}) EXPECT_FALSE(standing_of(record, ledger_).recorded);
}

}  // namespace
}  // namespace patchlab::promotion
