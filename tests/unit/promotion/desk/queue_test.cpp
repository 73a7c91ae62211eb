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

// Each of them waits for an approval, and is said to wait for who could give one.
TEST(Queue, AsksThoseWhoCouldApproveForWhateverAnApprovalMends) {
  const auto record = tests::good_record();
  const std::vector<PeopleOn> people{
      {.set = {"dns-update", "tidy"}, .approvals = {{.by = "alice"}}, .could_approve = {"bob"}}};
  const auto whom = [&](const std::string& code) {
    reports::DecisionRecord decision{.department = "finance", .state = reports::DecisionState::refused};
    decision.requirements = {{.code = code, .about = {{"department", "finance"}}, .by_people = true}};
    const auto entry = queue_entry(record, decision, people);
    EXPECT_EQ(entry.state, QueueEntry::State::waiting) << code;
    return entry.waiting ? entry.waiting->whom : std::vector<std::string>{"nothing waits"};
  };
  for (const char* code : {"approval-missing", "waiver-not-approved", "check-changed"})
    EXPECT_THAT(whom(code), ElementsAre("bob")) << code;
  for (const char* code : {"window-closed", "waiver-expired", "submitter-unknown"})
    EXPECT_THAT(whom(code), IsEmpty()) << code;
  EXPECT_THAT(whom("ticket-missing"), ElementsAre("alice", "bob")) << "who approved already can name it, too";
}

// What is held back goes on another day: the rest waits for people all the same. A failure that somebody has to waive
// is another thing.
TEST(Queue, IsNotHeldUpByACandidateThatIsHeldBack) {
  const auto record = tests::good_record();
  reports::DecisionRecord decision{.department = "finance", .state = reports::DecisionState::refused};
  decision.requirements = {{.code = "approval-missing", .by_people = true},
                           {.code = "candidate-failed", .about = {{"candidate", "worse"}}},
                           {.code = "candidate-skipped", .about = {{"candidate", "other"}}}};
  const auto entry = queue_entry(record, decision, {});
  ASSERT_EQ(entry.state, QueueEntry::State::waiting) << entry.why;
  ASSERT_EQ(entry.waiting->missing.size(), 1U);
  EXPECT_EQ(entry.waiting->missing[0].code, "approval-missing");
  decision.requirements[1].about["check"] = "deliver";
  EXPECT_EQ(queue_entry(record, decision, {}).state, QueueEntry::State::blocked);
  decision.state = reports::DecisionState::promotable;
  decision.requirements.erase(decision.requirements.begin(), decision.requirements.begin() + 2);
  EXPECT_EQ(queue_entry(record, decision, {}).state, QueueEntry::State::waiting);
}

// The set that would be published, which need not be that of the final trial.
TEST(Queue, IsAboutTheSetOfTheDecision) {
  const auto record = tests::good_record();
  reports::DecisionRecord decision{.department = "finance", .state = reports::DecisionState::promotable};
  EXPECT_THAT(queue_entry(record, decision, {}).waiting->set, ElementsAre("dns-update", "tidy"));
  decision.candidates = {"tidy"};
  EXPECT_THAT(queue_entry(record, decision, {}).waiting->set, ElementsAre("tidy"));
  decision.candidates.clear();
  decision.trial = record.departments[0].trials.front().id;
  EXPECT_THAT(queue_entry(record, decision, {}).waiting->set, IsEmpty()) << "that trial was without a patch";
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
