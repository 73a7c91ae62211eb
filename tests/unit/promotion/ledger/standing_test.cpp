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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

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
  EXPECT_THAT(standing.failed_later, IsEmpty());
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

TEST_F(StandingTest, TellsOfFailuresInLaterRunsOnly) {
  append(failing_run("earlier"));
  append(tests::good_record());
  EXPECT_THAT(standing_of(tests::good_record(), ledger_).failed_later, IsEmpty());
  append(failing_run("later"));
  const auto standing = standing_of(tests::good_record(), ledger_);
  EXPECT_THAT(standing.failed_later,
              ElementsAre(Pair("finance", ElementsAre(Pair(tests::good_record().candidates[0].digest, "later")))));
}

}  // namespace
}  // namespace patchlab::promotion
