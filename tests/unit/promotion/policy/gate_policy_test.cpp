// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <functional>
#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/policy/policy_document.hpp"
#include "tests/support/sample_record.hpp"

// What a policy demands, and the gate refuses for it.
namespace patchlab::promotion {
namespace {
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PeopleOn on_good_set(std::vector<ApprovalGiven> approvals) {
  PeopleOn people;
  people.set = {"dns-update", "tidy"};
  people.approvals = std::move(approvals);
  return people;
}
Today sunday_morning() { return {.now = parse_rfc3339("2026-11-22T07:00:00Z").value()}; }

TEST(GateByPolicy, PromotesAGoodRunByTheShippedQuickstart) {
  const auto decision = decide(tests::good_record(), "finance", quickstart_policy(), sunday_morning());
  EXPECT_TRUE(decision.promotes());
  EXPECT_THAT(decision.reasons(), IsEmpty());
}

TEST(GateByPolicy, SaysWhatIsMissingWithItsCodeSubjectAndCommand) {
  auto policy = quickstart_policy();
  policy.id = "strict";
  policy.scenarios = {{"another", ""}};
  policy.tool_versions = {"9.9"};
  policy.phases = {"after-install", "after-reboot-2"};
  policy.departments = {{"finance", {{"dns", {"a-record", "zone"}}, {"print", {}}}}};
  policy.approvals = {ApprovalRule{}};
  policy.windows = {{{1}, std::chrono::hours(6), std::chrono::hours(8)}};
  auto record = tests::good_record();
  record.not_tested.emplace_back("machine 'finance/file' was left out by --role");
  auto today = sunday_morning();
  today.last_promoted["finance"].state = LastPromoted::Known::known;
  today.last_promoted["finance"].coverage = {"run-0", {{"mail", {"large-delivery"}}}, {"after-install"}};
  today.open_reviews["finance"] = {{"run-1", today.now - std::chrono::hours(1)}};
  today.lane = Lane::emergency;
  const auto decision = decide(record, "finance", policy, today);
  EXPECT_FALSE(decision.promotes());
  EXPECT_THAT(decision.promotable, IsEmpty());
  std::vector<std::string> reasons;
  for (const auto& reason : decision.blocking()) {
    EXPECT_EQ(reason.subject.department, "finance") << reason.text;
    reasons.push_back(std::string(to_string(reason.code)) + " " + to_string(reason.subject) + " " +
                      reason.subject.phase);
  }
  EXPECT_THAT(reasons,
              ElementsAre("narrowed finance ", "scenario-not-allowed finance ", "tool-version-not-allowed finance ",
                          "machine-not-planned finance/print ", "check-not-planned finance/dns/zone ",
                          "phase-not-planned finance after-reboot-2", "coverage-shrunk finance/mail/large-delivery ",
                          "emergency-not-allowed finance ", "review-overdue finance ", "approval-missing finance "));
  today.lane = Lane::normal;
  const auto normal = decide(record, "finance", policy, today).blocking();
  EXPECT_EQ(normal.back().code, ReasonCode::window_closed);
  EXPECT_THAT(normal.back().text, HasSubstr("the next opens at 2026-11-23T06:00:00.000Z"));
  EXPECT_EQ(normal[normal.size() - 2].command,
            "patchlab approve " + record.id + " --department finance --reason REASON --key KEY");
}

// Whoever promotes a weaker check under an old name says so, on every report, and so does who took it over.
TEST(GateByPolicy, SaysEachCheckThatIsAnotherOneThanBefore) {
  const auto record = tests::good_record();
  auto today = sunday_morning();
  auto& last = today.last_promoted["finance"];
  last.state = LastPromoted::Known::known;
  last.coverage = coverage_of(record, record.departments[0]);
  EXPECT_EQ(decide(record, "finance", quickstart_policy(), today).by,
            "promoted by policy 'quickstart': nobody approved");
  for (auto& [name, digest] : last.coverage.digests) digest = sha256("before " + name);
  const auto refused = decide(record, "finance", quickstart_policy(), today);
  EXPECT_FALSE(refused.promotes());
  EXPECT_EQ(exit_code_of(refused), ExitCode::policy);
  EXPECT_EQ(refused.blocking().size(), last.coverage.digests.size());
  EXPECT_THAT(refused.reasons(), Contains(HasSubstr("check-changed: finance/mail/deliver: ")));
  EXPECT_TRUE(is_for_people(ReasonCode::check_changed));
  today.people["finance"] = {on_good_set({{.by = "bob"}})};
  const auto taken = decide(record, "finance", quickstart_policy(), today);
  EXPECT_TRUE(taken.promotes());
  EXPECT_EQ(std::ranges::count(taken.requirements, ReasonCode::check_changed, &Requirement::code),
            static_cast<std::ptrdiff_t>(last.coverage.digests.size()));
  EXPECT_EQ(taken.by,
            "promoted by policy 'quickstart': approved by bob; dns is another one than before, taken over by bob; "
            "dns/a-record is another one than before, taken over by bob; dns/cname-chain is another one than before, "
            "taken over by bob; and 6 more are not as before");
}

Policy lane_policy() {
  auto policy = quickstart_policy();
  policy.id = "lane";
  policy.approvals = {ApprovalRule{.count = 2}};
  policy.windows = {{{1}, std::chrono::hours(6), std::chrono::hours(8)}};  // Mondays
  policy.emergency = EmergencyLane{{"critical"}, {ApprovalRule{}}, std::chrono::days(2)};
  return policy;
}
reports::RunRecord critical_record() {
  auto record = tests::good_record();
  for (auto& candidate : record.candidates) candidate.severity = "critical";
  return record;
}

// The lane takes other approvals and no window, says until when it is reviewed, and lets nothing else go.
TEST(GateByPolicy, PromotesInAnEmergencyByTheRulesOfTheLane) {
  const auto record = critical_record();
  auto today = sunday_morning();
  today.people["finance"] = {on_good_set({{.by = "bob"}})};
  const auto normal = decide(record, "finance", lane_policy(), today);
  EXPECT_THAT(normal.reasons(), ElementsAre(HasSubstr("approval-missing: "), HasSubstr("window-closed: ")));
  EXPECT_FALSE(normal.emergency);
  today.lane = Lane::emergency;
  today.emergency = {"mail is exploited", "CHG7"};
  const auto taken = decide(record, "finance", lane_policy(), today);
  EXPECT_TRUE(taken.promotes()) << testing::PrintToString(taken.reasons());
  ASSERT_TRUE(taken.emergency);
  EXPECT_EQ(*taken.emergency, (EmergencyUse{"mail is exploited", "CHG7", "2026-11-24T07:00:00.000Z"}));
  const auto refused = [&](const reports::RunRecord& other) {
    const auto decision = decide(other, "finance", lane_policy(), today);
    EXPECT_FALSE(decision.emergency) << "what is not promoted is no emergency promotion";
    return decision.reasons();
  };
  EXPECT_THAT(refused(tests::good_record()), Contains(HasSubstr("emergency-not-allowed: ")));
  today.people.clear();
  EXPECT_THAT(refused(record), ElementsAre(HasSubstr("approval-missing: ")));
}

// Error, fence, golden image, baseline, control, coverage, a rejection: no hurry replaces them.
TEST(GateByPolicy, LetsNothingElseGoInAnEmergency) {
  using Change = std::function<void(reports::RunRecord&, Today&)>;
  const auto department = [](const std::function<void(reports::DepartmentRecord&)>& change) -> Change {
    return [change](reports::RunRecord& record, Today&) { change(record.departments[0]); };
  };
  const std::vector<std::pair<const char*, Change>> all{
      {"lab-error", department([](auto& d) { d.error = infrastructure_error("no space left"); })},
      {"fence-breach", department([](auto& d) {
         for (auto& attempt : d.fence.attempts) attempt.answered = true;
       })},
      {"fence-unproven", department([](auto& d) { d.fence.attempts.clear(); })},
      {"golden-image-changed", department([](auto& d) { d.machines[0].golden_digest_after = sha256("x"); })},
      {"baseline-broken", department([](auto& d) { d.trials.erase(d.trials.begin()); })},
      {"control-failed", department([](auto& d) { d.trials.erase(d.trials.begin() + 1); })},
      {"final-trial-failed", department([](auto& d) { d.trials[2].outcome = Outcome::fail; })},
      {"coverage-missing", department([](auto& d) { d.trials[2].phases.pop_back(); })},
      {"phase-not-planned", department([](auto& d) { d.phases.pop_back(); })},
      {"run-incomplete", [](auto& record, auto&) { record.complete = false; }},
      {"stale", [](auto&, auto& today) { today.now += std::chrono::days(30); }},
      {"coverage-shrunk",
       [](auto&, auto& today) {
         today.last_promoted["finance"].state = LastPromoted::Known::known;
         today.last_promoted["finance"].coverage = {"run-0", {{"print", {"job"}}}, {}};
       }},
      {"review-overdue",
       [](auto&, auto& today) {
         today.open_reviews["finance"] = {{"run-0", today.now - std::chrono::days(2)}};
       }},
      {"rejected",
       [](auto&, auto& today) {
         today.people["finance"][0].objections = {{ReasonCode::rejected, "line 7: rejected by 'eve': no"}};
       }},
  };
  for (const auto& [code, change] : all) {
    auto record = critical_record();
    auto today = sunday_morning();
    today.lane = Lane::emergency;
    today.emergency = {"mail is exploited", "CHG7"};
    today.people["finance"] = {on_good_set({{.by = "bob"}})};
    ASSERT_TRUE(decide(record, "finance", lane_policy(), today).promotes());
    change(record, today);
    EXPECT_THAT(decide(record, "finance", lane_policy(), today).reasons(),
                Contains(HasSubstr(std::string(code) + ": ")))
        << code;
  }
}

// What nobody reviewed may always be taken away.
TEST(GateByPolicy, GoesBackWhateverReviewIsOverdue) {
  const auto record = tests::good_record();
  auto today = sunday_morning();
  today.open_reviews["finance"] = {{"run-9", today.now - std::chrono::days(2)}};
  today.published["finance"] = {"run-9", "2026-11-22T06:59:00Z"};
  const auto policy = quickstart_policy();
  EXPECT_THAT(decide(record, "finance", policy, today).reasons(),
              ElementsAre(HasSubstr("older-than-published: "), HasSubstr("review-overdue: ")));
  today.rollback = "it breaks mail";
  EXPECT_TRUE(decide(record, "finance", policy, today).promotes());
  today.published["finance"] = {"run-0", "2026-11-20T06:59:00Z"};
  EXPECT_THAT(decide(record, "finance", policy, today).reasons(), ElementsAre(HasSubstr("review-overdue: ")))
      << "that would be no step back";
}

TEST(GateByPolicy, PromotesNothingWithoutAPolicyInForce) {
  for (const auto kind : {PolicyTrouble::Kind::none_in_force, PolicyTrouble::Kind::ambiguous}) {
    Policy policy;
    policy.trouble = PolicyTrouble{kind, "nobody knows"};
    const auto decision = decide(tests::good_record(), "finance", policy, sunday_morning());
    EXPECT_FALSE(decision.promotes());
    EXPECT_THAT(decision.reasons(),
                ElementsAre(kind == PolicyTrouble::Kind::ambiguous ? "policy-ambiguous: finance: nobody knows"
                                                                   : "policy-not-in-force: finance: nobody knows"));
  }
}

TEST(GateByPolicy, PromotesNothingThatNobodyApprovedWhereSomebodyIsAsked) {
  auto policy = quickstart_policy();
  policy.approvals = {{.count = 2, .security_key = SecurityKey::touched}};
  auto today = sunday_morning();
  EXPECT_THAT(
      decide(tests::good_record(), "finance", policy, today).reasons(),
      ElementsAre("approval-missing: finance: policy 'quickstart' asks for 2 approvals of different people by a "
                  "security key, touched; nobody approved"));
  today.people["engineering"] = {
      on_good_set({{.by = "bob", .key = SecurityKey::touched}, {.by = "eve", .key = SecurityKey::verified}})};
  EXPECT_FALSE(decide(tests::good_record(), "finance", policy, today).promotes()) << "another department's";
  today.people["finance"] = {on_good_set({{.by = "bob", .key = SecurityKey::touched}, {.by = "eve"}})};
  EXPECT_THAT(decide(tests::good_record(), "finance", policy, today).reasons(),
              Contains("security-key-not-touched: finance: 'eve' approved without a security key that was touched"));
  today.people["finance"][0].approvals[1].key = SecurityKey::verified;
  EXPECT_TRUE(decide(tests::good_record(), "finance", policy, today).promotes());
  today.people["finance"][0].set = {"tidy"};
  EXPECT_FALSE(decide(tests::good_record(), "finance", policy, today).promotes()) << "another set's";
}

TEST(GateByPolicy, PromotesNothingThatWasRejectedEvenWhereNobodyIsAsked) {
  auto today = sunday_morning();
  auto people = on_good_set({});
  people.objections = {{ReasonCode::rejected, "line 7: rejected by 'eve': too early"}};
  today.people["engineering"] = {people};
  EXPECT_TRUE(decide(tests::good_record(), "finance", quickstart_policy(), today).promotes());
  today.people["finance"] = {people};
  const auto rejected = decide(tests::good_record(), "finance", quickstart_policy(), today);
  EXPECT_THAT(rejected.reasons(), ElementsAre("rejected: finance: line 7: rejected by 'eve': too early"));
  EXPECT_EQ(exit_code_of(rejected), ExitCode::policy);
  for (const auto code : {ReasonCode::statement_edited, ReasonCode::statement_unreadable, ReasonCode::unknown_kind,
                          ReasonCode::decisions_unreadable}) {
    today.people["finance"][0].objections[0].code = code;
    EXPECT_EQ(exit_code_of(decide(tests::good_record(), "finance", quickstart_policy(), today)), ExitCode::bad_data);
  }
}

// Why something does not count matters only where it would have helped.
TEST(GateByPolicy, SaysWhatDoesNotCountWhereItWouldHaveHelped) {
  auto policy = quickstart_policy();
  auto today = sunday_morning();
  auto people = on_good_set({{.by = "bob"}});
  people.not_counted = {{ReasonCode::approval_of_other_run, "line 3: approves run 1"},
                        {ReasonCode::waiver_expired, "line 4: ended", true}};
  today.people["finance"] = {people};
  policy.approvals = {ApprovalRule{}};
  EXPECT_THAT(decide(tests::good_record(), "finance", policy, today).reasons(), IsEmpty());
  policy.approvals[0].count = 2;
  EXPECT_THAT(decide(tests::good_record(), "finance", policy, today).reasons(),
              ElementsAre(HasSubstr("approval-missing: "), "approval-of-other-run: finance: line 3: approves run 1"));
}

// The parts of a policy that ask about what was found are the gate's own; they, too, only ever ask more.
TEST(GateByPolicy, NeverPromotesByAPolicyThatAsksMoreWhatOneThatAsksLessRefuses) {
  std::mt19937 random(7);
  const auto good = tests::good_record();
  int taken_back = 0, promoted = 0;
  for (int round = 0; round < 600; ++round) {
    Policy less;
    less.control = ControlTrial::if_present;
    if (random() % 2 == 0) less.fence_probes = {"arp"};
    auto more = less;
    if (random() % 2 == 0) more.control = ControlTrial::required;
    if (random() % 2 == 0) more.not_reproduced = NotReproduced::refused;
    if (random() % 2 == 0) more.max_age = std::chrono::hours(1);
    if (random() % 2 == 0) more.fence_probes = {"arp", "ping", "dns", "tcp", "ipv6-nd", "dhcp"};
    if (random() % 2 == 0) more.phases = {"after-reboot-1"};
    auto record = good;
    auto& department = record.departments[0];
    const auto sometimes = [&] { return random() % 4 == 0; };
    if (sometimes()) department.trials.erase(department.trials.begin() + 1);
    if (sometimes())
      std::erase_if(department.fence.attempts, [](const auto& attempt) { return attempt.probe == "tcp"; });
    if (sometimes()) department.phases.pop_back();
    if (sometimes()) record.not_tested.emplace_back("the candidates were left out by --controls");
    auto today = sunday_morning();
    today.now += std::chrono::hours(random() % 4);
    const bool before = decide(record, "finance", less, today).promotes();
    const bool after = decide(record, "finance", more, today).promotes();
    ASSERT_FALSE(after && !before) << round;
    taken_back += before && !after ? 1 : 0;
    promoted += after ? 1 : 0;
  }
  EXPECT_GT(taken_back, 50);
  EXPECT_GT(promoted, 20);
}

}  // namespace
}  // namespace patchlab::promotion
