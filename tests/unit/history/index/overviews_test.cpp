// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/overviews.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "tests/support/carried_record.hpp"
#include "tests/support/history_folder.hpp"

// What pages show, of records that were made by hand.
namespace patchlab::history {
namespace {

using promotion::StatementKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using tests::begun_at;
using tests::good_record;
using tests::held_back_record;

class Overviews : public ::testing::Test {
 protected:
  Overviews() {
    for (const auto& record : {good_, bad_}) {
      folder_.put(record);
      folder_.begin(record);
      folder_.end(record);
    }
    folder_.decide(StatementKind::approve, "bob@x", good_);
    folder_.promote(good_);
    auto index = HistoryIndex::open(folder_.place(), folder_.sources());
    EXPECT_TRUE(index) << index.error().message;
    index_ = std::make_unique<HistoryIndex>(std::move(*index));
  }
  [[nodiscard]] Database& database() const { return index_->database(); }

  const reports::RunRecord good_ = begun_at(good_record(), "2026-10-03T02:00:00.000Z");
  const reports::RunRecord bad_ = begun_at(held_back_record(), "2026-11-03T02:00:00.000Z");
  tests::HistoryFolder folder_;
  std::unique_ptr<HistoryIndex> index_;
};

TEST_F(Overviews, RunsComePageByPage) {
  const auto first = runs(database(), {}, 1);
  const auto second = runs(database(), {}, 1, 1);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->of, 2U);
  ASSERT_THAT(first->runs, SizeIs(1));
  ASSERT_THAT(second->runs, SizeIs(1));
  EXPECT_EQ(first->runs[0].id, bad_.id);
  EXPECT_EQ(second->runs[0].id, good_.id);
  EXPECT_THAT(runs(database(), {}, 1, 2)->runs, IsEmpty());
  EXPECT_EQ(**find_run(database(), good_.id), second->runs[0]);
  EXPECT_FALSE(*find_run(database(), "nosuch"));
}

TEST_F(Overviews, OneRunHasItsVerdictsMachinesAndLines) {
  const auto found = run_details(database(), good_.id);
  ASSERT_TRUE(found && *found);
  const auto& details = **found;
  EXPECT_EQ(details.run.id, good_.id);
  ASSERT_THAT(details.verdicts, SizeIs(2));
  EXPECT_EQ(details.verdicts[0].candidate, "dns-update");
  EXPECT_EQ(details.verdicts[0].title, "DNS server update");
  EXPECT_EQ(details.verdicts[0].outcome, "pass");
  EXPECT_EQ(details.machines.size(), good_.departments.front().machines.size());
  std::vector<std::string> kinds;
  for (const auto& line : details.lines) kinds.push_back(line.kind);
  EXPECT_THAT(kinds, ElementsAre("begin", "run", "approve", "promote-begun", "promote-switched", "promote-done"));
  const auto other = run_details(database(), bad_.id);
  EXPECT_THAT((*other)->lines, SizeIs(2));
  EXPECT_FALSE(*run_details(database(), "nosuch"));
}

TEST_F(Overviews, CandidatesAreThoseTestedLastFirst) {
  const auto all = candidates(database(), 10, 0);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_FALSE(all->candidates.empty());
  EXPECT_EQ(all->of, all->candidates.size());
  const auto tidy = std::ranges::find(all->candidates, "tidy", &CandidateRow::id);
  ASSERT_NE(tidy, all->candidates.end());
  EXPECT_EQ(*tidy, (CandidateRow{"tidy", "Tidied package", "low", "deb", "2026-11", 1, 1, 0}));
  const auto second = candidates(database(), 1, 1);
  ASSERT_THAT(second->candidates, SizeIs(1));
  EXPECT_EQ(second->candidates[0], all->candidates[1]);
  EXPECT_THAT(candidates(database(), 10, 100)->candidates, IsEmpty());
}

TEST_F(Overviews, DepartmentsStandAsTheirNewestRunLeftThem) {
  const auto all = departments(database());
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_THAT(*all, SizeIs(1));
  const auto& finance = all->front();
  EXPECT_EQ(finance.name, "finance");
  EXPECT_EQ(finance.run, bad_.id);
  EXPECT_TRUE(finance.complete);
  EXPECT_EQ(finance.failed, 1U);
}

TEST_F(Overviews, WhatFailedInTheNewestRunOfEachDepartmentIsNamedWithItsReason) {
  const auto failed = failed_in_newest(database(), *departments(database()));
  ASSERT_TRUE(failed) << failed.error().message;
  ASSERT_THAT(*failed, SizeIs(1));
  EXPECT_EQ(failed->front().department, "finance");
  EXPECT_EQ(failed->front().run, bad_.id);
  const auto details = run_details(database(), bad_.id);
  const auto verdict = std::ranges::find((*details)->verdicts, "fail", &RunVerdict::outcome);
  ASSERT_NE(verdict, (*details)->verdicts.end());
  EXPECT_EQ(failed->front().candidate, verdict->candidate);
  EXPECT_EQ(failed->front().reason, verdict->reason);
  EXPECT_EQ(failed->front().failed, verdict->failed);
  EXPECT_THAT(*failed_in_newest(database(), {}), IsEmpty());
}

// What is seen of a department is seen of those that it is tested for, and only while their machines are alike.
TEST_F(Overviews, WhatFailedInADepartmentFailedInThoseThatItWasTestedFor) {
  auto carried = tests::carried_record(begun_at(held_back_record(), "2026-11-04T02:00:00.000Z"));
  auto another = carried.departments.back();
  another.name = "support";
  another.machines.front().definition_digest = sha256("of another one");
  carried.departments.push_back(another);
  folder_.put(carried);
  auto index = HistoryIndex::open(folder_.place(), folder_.sources());
  ASSERT_TRUE(index) << index.error().message;
  const auto rows = departments(index->database());
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_THAT(*rows, SizeIs(3));
  EXPECT_EQ((*rows)[0].tested_in, "finance");
  EXPECT_EQ((*rows)[1].tested_in, "") << "finance itself";
  EXPECT_EQ((*rows)[2].tested_in, "") << "support is not alike";
  const auto failed = *failed_in_newest(index->database(), *rows);
  ASSERT_THAT(failed, SizeIs(2));
  EXPECT_EQ(failed[0].department, "engineering");
  EXPECT_EQ(failed[0].tested_in, "finance");
  EXPECT_EQ(failed[1].department, "finance");
  EXPECT_EQ(failed[1].tested_in, "");
  EXPECT_EQ(failed[0].candidate, failed[1].candidate);
  EXPECT_EQ(failed[0].reason, failed[1].reason);
}

}  // namespace
}  // namespace patchlab::history
