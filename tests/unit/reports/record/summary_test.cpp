// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/summary.hpp"

#include <gmock/gmock.h>

#include "tests/support/report_states.hpp"

namespace patchlab::reports {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RunSummary summary(const std::string& name) {
  static const auto states = tests::report_states();
  const auto& state = *std::ranges::find(states, name, &tests::ReportState::name);
  return summary_of(state.record, state.decisions, facts_of_run(state.record, state.decisions));
}

TEST(Summary, OfAGoodNightAsksForNothing) {
  const auto good = summary("healthy");
  EXPECT_EQ(good.headline, "Every candidate that applies passed; what passed is promoted");
  EXPECT_EQ(good.outcome, Outcome::pass);
  EXPECT_THAT(good.held, IsEmpty());
  EXPECT_THAT(good.tasks, IsEmpty());
  ASSERT_THAT(good.decisions, SizeIs(1));
  EXPECT_EQ(good.decisions[0].text, "promoted");
  EXPECT_THAT(good.decisions[0].departments, ElementsAre("hr", "db"));
}

TEST(Summary, SaysWhatIsHeldBackAndThatTheRestIsPromoted) {
  const auto night = summary("held-back");
  EXPECT_EQ(night.headline, "5 of 9 candidates break something and are held back; what passed is promoted");
  EXPECT_EQ(night.tone, Tone::settled);
  EXPECT_THAT(night.tasks, IsEmpty());
  ASSERT_THAT(night.held, SizeIs(5));
  EXPECT_EQ(night.held[0].candidate, "postfix-tls-strict");
  EXPECT_THAT(night.held[0].departments, ElementsAre("engineering", "finance"));
  EXPECT_THAT(night.held[2].departments, ElementsAre("engineering"));
  EXPECT_EQ(night.held[3].text, "held back together with pg-tuning-connections");
  const auto large = tests::big_state();
  EXPECT_EQ(summary_of(large.record, large.decisions, facts_of_run(large.record, large.decisions)).held[0].severity,
            "critical");
}

TEST(Summary, NamesWhatAPersonMustDoWithTheCommandOfEachDepartment) {
  const auto waiting = summary("needs-a-person");
  EXPECT_EQ(waiting.headline, "Tested, and waiting for people to decide");
  EXPECT_EQ(waiting.tone, Tone::waiting);
  ASSERT_THAT(waiting.tasks, SizeIs(1));
  EXPECT_EQ(waiting.tasks[0].text, "approval-missing: 1 of 2 people approved, as policy 'two-people' asks");
  EXPECT_THAT(waiting.tasks[0].departments, ElementsAre("hr", "db"));
  ASSERT_THAT(waiting.tasks[0].commands, SizeIs(2));
  EXPECT_THAT(waiting.tasks[0].commands[1].line, HasSubstr("--department db"));
  EXPECT_THAT(waiting.tasks[0].commands[1].departments, ElementsAre("db"));
}

TEST(Summary, WaitsForPeopleOnlyWhereNothingElseIsMissing) {
  const auto record = tests::healthy_record();
  auto decisions = tests::refused_decisions(record, {.code = "approval-missing", .by_people = true});
  decisions[1].requirements.push_back({.code = "stale", .text = "is another one", .command = "patchlab run SCENARIO"});
  const auto both = summary_of(record, decisions, facts_of_run(record, decisions));
  EXPECT_EQ(both.tone, Tone::outcome);
  EXPECT_EQ(both.headline, "Tested, but not promoted: the policy is not satisfied");
  ASSERT_THAT(both.decisions, SizeIs(2));
  EXPECT_EQ(both.decisions[0].text, "not promoted: stale") << "nobody is asked to approve what must be run again";
  ASSERT_THAT(both.tasks, SizeIs(2));
  EXPECT_EQ(both.tasks[1].text, "stale: is another one");
  EXPECT_THAT(both.decisions[0].departments, ElementsAre("db"));
  EXPECT_EQ(both.decisions[1].text, "waits for people: approval-missing");
}

// However many there are: where several wait, the queue has a command for each.
TEST(Summary, AsksToLookAtChangesOncePerDepartment) {
  const auto changed = summary("changed");
  EXPECT_EQ(changed.headline, "Tested, and waiting for people to decide");
  ASSERT_THAT(changed.tasks, SizeIs(1));
  EXPECT_EQ(changed.tasks[0].text, "look at 6 changes, before and after, and accept each or hold back what did it");
  EXPECT_THAT(changed.tasks[0].departments, ElementsAre("hr"));
  ASSERT_THAT(changed.tasks[0].commands, SizeIs(1));
  EXPECT_EQ(changed.tasks[0].commands[0].line, "patchlab queue");
  const auto one = summary("one-change");
  ASSERT_THAT(one.tasks, SizeIs(1));
  ASSERT_THAT(one.tasks[0].commands, SizeIs(1));
  EXPECT_THAT(one.tasks[0].commands[0].line, HasSubstr("--department hr --what dns/review:file:/etc/postfix/"));
  EXPECT_THAT(summary("change-accepted").tasks, IsEmpty());
  EXPECT_THAT(summary("change-shown").tasks, IsEmpty());
}

TEST(Summary, OfAVoidRunSaysOnlyThat) {
  const auto leak = summary("breach");
  EXPECT_EQ(leak.tone, Tone::breach);
  ASSERT_THAT(leak.tasks, SizeIs(1));
  EXPECT_EQ(
      leak.tasks[0].text,
      "promote nothing of this run; find out why dns to 192.0.2.53 was answered before the trials, and run again");
  for (const auto& decision : leak.decisions) EXPECT_EQ(decision.text, "not promoted: fence-breach");
}

TEST(Summary, OfLabTroubleSaysWhatToMend) {
  const auto trouble = summary("lab-trouble");
  ASSERT_FALSE(trouble.tasks.empty());
  EXPECT_EQ(trouble.tasks[0].text, "mend this and run again: the disk is full; free some space in the cache");
  EXPECT_THAT(trouble.tasks[0].departments, ElementsAre("finance"));
  EXPECT_EQ(trouble.held.front().outcome, Outcome::fail)
      << "held back before what has no verdict, though that is critical";
  EXPECT_EQ(trouble.held.back().outcome, Outcome::error);
  const auto interrupted = summary("interrupted");
  ASSERT_THAT(interrupted.tasks, SizeIs(1)) << "nothing of it may be promoted, so nobody is to be asked";
  EXPECT_THAT(interrupted.tasks[0].text, HasSubstr("run it again"));
}

TEST(Summary, AsksForTheReviewOfAnEmergency) {
  const auto waived = summary("waived");
  ASSERT_THAT(waived.tasks, SizeIs(1));
  EXPECT_EQ(waived.tasks[0].text, "review the emergency (CHG0042) by 2026-11-24T07:00:00.000Z");
}

TEST(Summary, NamesDepartmentsOrCountsThem) {
  EXPECT_EQ(departments_text({"hr"}, 1), "hr");
  EXPECT_EQ(departments_text({"hr", "db"}, 2), "hr, db");
  EXPECT_EQ(departments_text({"a", "b", "c"}, 3), "all 3 departments");
  EXPECT_EQ(departments_text({"a", "b", "c", "d"}, 12), "a, b, c, d");
  EXPECT_EQ(departments_text({"a", "b", "c", "d", "e"}, 12), "a, b, c and 2 more");
}

}  // namespace
}  // namespace patchlab::reports
