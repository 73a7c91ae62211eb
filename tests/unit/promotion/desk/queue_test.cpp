// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/queue.hpp"

#include <gmock/gmock.h>

#include "lab/core/time.hpp"
#include "promotion/desk/shown.hpp"
#include "promotion/policy/policy_document.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct OneSet {
  reports::RunRecord record = tests::good_record();
  Policy policy = quickstart_policy();
  Today today{.now = *parse_rfc3339("2026-11-22T07:00:00Z")};
  PeopleOn people{.set = {"dns-update", "tidy"}};
  [[nodiscard]] QueueEntry entry() {
    today.people["finance"] = {people};
    const auto decision = shown(decide(record, "finance", policy, today), record, today);
    return queue_entry(record, decision, today.people["finance"]);
  }
};

TEST(Queue, HasWhatOnlyNeedsSomebodyToPromoteIt) {
  OneSet desk;
  const auto entry = desk.entry();
  ASSERT_EQ(entry.state, QueueEntry::State::waiting);
  EXPECT_THAT(entry.waiting->missing, IsEmpty());
  EXPECT_THAT(entry.waiting->set, ElementsAre("dns-update", "tidy"));
  EXPECT_EQ(entry.waiting->severity, "important");
  EXPECT_EQ(entry.waiting->since, desk.record.finished);
  EXPECT_EQ(entry.waiting->command, "patchlab promote " + desk.record.id + " --department finance");
  EXPECT_EQ(Json(*entry.waiting).at("waits_for"), Json::array());
}

TEST(Queue, SaysWhoMayApproveAndHow) {
  OneSet desk;
  desk.policy.approvals = {ApprovalRule{}};
  desk.people.could_approve = {"bob", "eve"};
  const auto entry = desk.entry();
  ASSERT_EQ(entry.state, QueueEntry::State::waiting);
  EXPECT_THAT(entry.waiting->whom, ElementsAre("bob", "eve"));
  EXPECT_EQ(entry.waiting->missing.at(0).code, "approval-missing");
  EXPECT_THAT(entry.waiting->command, HasSubstr("patchlab approve " + desk.record.id + " --department finance"));
  desk.people.objections = {{ReasonCode::rejected, "line 3: rejected by 'eve': no", false, "eve"}};
  EXPECT_THAT(desk.entry().waiting->whom, ElementsAre("eve")) << "only she can take it back";
}

TEST(Queue, HasWhatAWaiverCouldLetPassWithTheCommand) {
  OneSet desk;
  desk.record.departments[0].flaky = {
      {reports::FlakeKind::not_reproduced, "mail/deliver", {"dns-update", "tidy"}, {"finance/t9"}, {"finance/t2"}}};
  const auto entry = desk.entry();
  ASSERT_EQ(entry.state, QueueEntry::State::waiting);
  EXPECT_THAT(entry.waiting->command,
              HasSubstr("patchlab waive " + desk.record.id + " --department finance --what mail/deliver --until "));
}

TEST(Queue, HasNothingThatNobodyCanGive) {
  OneSet desk;
  desk.policy.approvals = {ApprovalRule{}};
  desk.record.departments[0].fence.attempts[0].answered = true;
  const auto entry = desk.entry();
  EXPECT_EQ(entry.state, QueueEntry::State::blocked);
  EXPECT_THAT(entry.why, HasSubstr("fence-breach"));
  EXPECT_FALSE(entry.waiting);
}

TEST(Queue, HasNothingThatIsPublishedOrReplaced) {
  const auto record = tests::good_record();
  for (const auto state : {reports::DecisionState::promoted, reports::DecisionState::replaced}) {
    reports::DecisionRecord decision{.department = "finance", .state = state};
    EXPECT_EQ(queue_entry(record, decision, {}).state, QueueEntry::State::done);
  }
  EXPECT_EQ(queue_entry(record, {.department = "finance"}, {}).state, QueueEntry::State::blocked);
}

}  // namespace
}  // namespace patchlab::promotion
