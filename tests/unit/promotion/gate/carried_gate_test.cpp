// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <functional>

#include "promotion/gate/gate.hpp"
#include "promotion/ledger/standing.hpp"
#include "reports/record/carried.hpp"
#include "tests/support/carried_record.hpp"

// What the gate says of a department that was not tested, since another one was.
namespace patchlab::promotion {
namespace {
using reports::RunRecord;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using namespace std::chrono;

Today today() { return {.now = sys_days{year{2026} / 11 / 22} + hours{7}}; }
Policy taking() {
  Policy policy;
  policy.carried = CarriedRule{hours(2)};
  return policy;
}
Decision decide_on(const RunRecord& record, const Policy& policy = taking(), const Today& day = today()) {
  return decide(record, "engineering", policy, day);
}
auto refuses_with(ReasonCode code, const std::string& text) {
  return Contains(AllOf(Field(&Requirement::code, code), Field(&Requirement::met, false),
                        Field(&Requirement::text, HasSubstr(text))));
}

TEST(CarriedGate, PromotesWhatWasTestedWhereAllMachinesAreAlikeAndSaysSo) {
  const auto record = tests::carried_record();
  const auto decision = decide_on(record);
  EXPECT_THAT(decision.reasons(), IsEmpty());
  EXPECT_THAT(decision.promotable, ElementsAre("dns-update", "tidy"));
  EXPECT_EQ(decision.trial, record.departments[0].final_trial);
  EXPECT_THAT(decision.by, AllOf(HasSubstr("tested in 'finance' of run " + record.id + ", and not here"),
                                 HasSubstr("dns (golden "), HasSubstr("mail (golden ")));
  EXPECT_THAT(decision.requirements, Contains(AllOf(Field(&Requirement::code, ReasonCode::carried_not_alike),
                                                    Field(&Requirement::met, true))));
}

TEST(CarriedGate, AsksAndSaysNothingOfItWhereADepartmentWasTested) {
  for (const auto& policy : {Policy(), taking()}) {
    const auto decision = decide(tests::carried_record(), "finance", policy, today());
    EXPECT_TRUE(decision.promotes());
    EXPECT_THAT(decision.by, Not(HasSubstr("tested in")));
    EXPECT_THAT(decision.requirements,
                Each(Field(&Requirement::code,
                           Not(testing::AnyOf(ReasonCode::carried_not_alike, ReasonCode::carried_not_allowed)))));
  }
}

TEST(CarriedGate, RefusesItUnlessThePolicyTakesIt) {
  const auto decision = decide_on(tests::carried_record(), {});
  EXPECT_THAT(decision.promotable, IsEmpty());
  EXPECT_THAT(decision.blocking(), refuses_with(ReasonCode::carried_not_allowed,
                                                "tested in 'finance', and not here: the policy does not take that"));
  EXPECT_EQ(decision.blocking().front().command, "patchlab run SCENARIO --department engineering");
}

TEST(CarriedGate, RefusesWhatIsOlderThanThePolicyTakesIt) {
  auto later = today();
  later.now += hours(2);
  EXPECT_THAT(decide_on(tests::carried_record(), taking(), later).blocking(),
              ElementsAre(AllOf(Field(&Requirement::code, ReasonCode::carried_not_allowed),
                                Field(&Requirement::text, HasSubstr("takes it for 2 hours")))));
  EXPECT_TRUE(decide(tests::carried_record(), "finance", taking(), later).promotes()) << "which was tested itself";
}

// Nothing is asked of trials that there are none of: what is said is the reason, and not a dozen that follow from it.
TEST(CarriedGate, RefusesWhatIsNotAlikeForThatAlone) {
  auto record = tests::carried_record();
  record.departments[1].machines[1].golden_digest = record.departments[1].machines[1].golden_digest_after =
      sha256("another");
  const auto decision = decide_on(record);
  EXPECT_THAT(decision.promotable, IsEmpty());
  EXPECT_THAT(decision.reasons(), testing::SizeIs(2)) << testing::PrintToString(decision.reasons());
  EXPECT_THAT(decision.blocking(), Each(AllOf(Field(&Requirement::code, ReasonCode::carried_not_alike),
                                              Field(&Requirement::subject, Field(&Subject::machine, "mail")))));
}

TEST(CarriedGate, RefusesWhenTheGoldenMachinesHereChanged) {
  auto record = tests::carried_record();
  for (auto& department : record.departments) department.machines[0].golden_digest_after.clear();
  EXPECT_THAT(decide_on(record).blocking(), refuses_with(ReasonCode::golden_image_changed, "was not verified"));
}

// The department's own rules are asked of its own machines; those of the other one say nothing here.
TEST(CarriedGate, AsksThePolicyOfTheDepartmentItself) {
  auto policy = taking();
  policy.departments = {{"finance", {}}};
  EXPECT_THAT(decide_on(tests::carried_record(), policy).blocking(),
              refuses_with(ReasonCode::department_not_allowed, ""));
  policy.departments = {{"engineering", {{"print", {}}}}};
  EXPECT_THAT(decide_on(tests::carried_record(), policy).blocking(), refuses_with(ReasonCode::machine_not_planned, ""));
}

TEST(CarriedGate, TakesAFailureOrTroubleOverLikeAPass) {
  auto record = tests::carried_record();
  record.departments[0].verdicts[1].outcome = Outcome::error;
  EXPECT_THAT(decide_on(record).promotable, IsEmpty());
  record = tests::carried_record();
  record.departments[0].fence.attempts.clear();
  EXPECT_THAT(decide_on(record).blocking(), refuses_with(ReasonCode::fence_unproven, ""));
}

// An approval of the other department is of that one; four eyes look at each.
TEST(CarriedGate, CountsOnlyApprovalsOfTheDepartmentItself) {
  auto policy = taking();
  policy.approvals = {ApprovalRule{}};
  auto day = today();
  PeopleOn people;
  people.set = {"dns-update", "tidy"};
  people.approvals = {{.by = "bob@x"}};
  day.people["finance"] = {people};
  EXPECT_TRUE(decide(tests::carried_record(), "finance", policy, day).promotes());
  EXPECT_THAT(decide_on(tests::carried_record(), policy, day).blocking(),
              ElementsAre(Field(&Requirement::code, ReasonCode::approval_missing)));
  day.people["engineering"] = {people};
  EXPECT_TRUE(decide_on(tests::carried_record(), policy, day).promotes());
}

// A result of another run of this very department, whenever that was.
PastFailure result_in(const RunRecord& record, const std::string& department, bool later) {
  return {.run = "another-run",
          .later = later,
          .department = department,
          .candidate = "tidy",
          .digest = reports::find_candidate(record, "tidy")->digest};
}

TEST(CarriedGate, LetsEveryOwnFailureAndErrorStand) {
  const auto record = tests::carried_record();
  for (const bool later : {false, true}) {
    auto day = today();
    day.standing = Standing{.recorded = true};
    EXPECT_TRUE(decide_on(record, taking(), day).promotes());
    day.standing->failures = {result_in(record, "engineering", later)};
    EXPECT_THAT(decide_on(record, taking(), day).blocking(),
                refuses_with(ReasonCode::carried_not_alike, "failed here itself, in run another-run"));
    day.standing->failures.clear();
    day.standing->undecided = {result_in(record, "engineering", later)};
    EXPECT_THAT(decide_on(record, taking(), day).blocking(),
                refuses_with(ReasonCode::carried_not_alike, "ended in an error here itself, in run another-run"));
    day.standing->undecided = {result_in(record, "sales", later)};
    EXPECT_TRUE(decide_on(record, taking(), day).promotes()) << "of a department that nobody compared with";
  }
}

// Of what was tried there under this name: nothing is known of these bytes, and nothing of it goes along.
TEST(CarriedGate, IsNotRefusedForOtherBytesNorForWhatIsHeldBackAnyway) {
  auto day = today();
  day.standing = Standing{.recorded = true};
  auto record = tests::carried_record();
  auto other = result_in(record, "engineering", false);
  other.digest = sha256("other bytes");
  day.standing->failures = day.standing->undecided = {other};
  EXPECT_TRUE(decide_on(record, taking(), day).promotes());
  record = tests::carried_record(tests::held_back_record());
  ASSERT_EQ(reports::find_verdict(record.departments[0], "tidy")->outcome, Outcome::fail);
  day.standing->failures = day.standing->undecided = {result_in(record, "engineering", false)};
  const auto decision = decide_on(record, taking(), day);
  EXPECT_THAT(decision.promotable, ElementsAre("dns-update")) << testing::PrintToString(decision.reasons());
}

// Where that was tested, nobody knows why it passes now; nobody knows it here either.
TEST(CarriedGate, TakesOverThatNobodyKnowsWhyItPassesNow) {
  const auto record = tests::carried_record();
  auto failure = result_in(record, "finance", false);
  failure.scenario_digest = record.scenario_digest;
  for (const auto& machine : record.departments[0].machines) failure.goldens[machine.name] = machine.golden_digest;
  auto day = today();
  day.standing = Standing{.recorded = true, .failures = {failure}};
  EXPECT_THAT(decide(record, "finance", taking(), day).blocking(), refuses_with(ReasonCode::not_reproduced, ""));
  EXPECT_THAT(decide_on(record, taking(), day).blocking(), refuses_with(ReasonCode::not_reproduced, ""));
}

TEST(CarriedGate, FindsErrorsOfOtherRunsInTheLedger) {
  const auto record = tests::carried_record();
  const std::vector<Ledger::NewEntry> entries{
      {"2026-11-21T06:00:00Z",
       "verdict",
       {{"run", "earlier"}, {"department", "engineering"}, {"candidate", "tidy"}, {"outcome", "error"}}},
      {"2026-11-21T06:00:00Z",
       "verdict",
       {{"run", "earlier"}, {"department", "sales"}, {"candidate", "tidy"}, {"outcome", "pass"}}}};
  const auto standing = standing_of(record, entries);
  EXPECT_THAT(standing.undecided, ElementsAre(Field(&PastFailure::department, "engineering")));
  EXPECT_THAT(standing.failures, IsEmpty());
}

}  // namespace
}  // namespace patchlab::promotion
