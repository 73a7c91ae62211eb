// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/policy/demands.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <random>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"
#include "promotion/policy/policy_document.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using reports::DepartmentRecord;
using reports::RunRecord;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

PolicyTime at(const std::string& text) { return parse_rfc3339(text).value(); }
const PolicyTime sunday_morning = at("2026-11-22T07:00:00Z");

// Demands everything, and is met by the good record on that morning.
Policy strict_policy() {
  Policy policy;
  policy.id = "strict";
  policy.valid_since = at("2026-11-01T00:00:00Z");
  policy.valid_until = at("2026-12-01T00:00:00Z");
  policy.scenarios = {{"xavier-nightly", sha256("scenario")}};
  policy.tool_versions = {"0.1.0"};
  policy.phases = {"after-install", "after-reboot-1"};
  policy.departments = {{"finance", {{"dns", {"a-record", "mx-record"}}, {"mail", {}}}}};
  policy.author = "carol";
  policy.submitter = Submitter::signer;
  policy.approvals = {
      {1, {NotBy::submitter, NotBy::waiver_author, NotBy::policy_author}, SecurityKey::verified, {}, false},
      {2, {}, SecurityKey::any, {"critical"}, true}};
  policy.change_ticket = ChangeTicket::required;
  policy.likeness = LikenessRule{std::chrono::days(7), {{"packages", 2}, {"role-packages", 0}, {"configuration", 0}}};
  policy.windows = {{{7}, std::chrono::hours(6), std::chrono::hours(8)}};
  policy.emergency = EmergencyLane{{"critical"}, {ApprovalRule{}}, std::chrono::days(2)};
  return policy;
}
// Two packages differ, neither of the role, and nobody could look at services and ports.
lab::facts::Likeness good_likeness() {
  using lab::facts::Part;
  lab::facts::Likeness likeness;
  likeness.production = "dns1.corp.example";
  likeness.facts = sha256("facts");
  likeness.observed = "2026-11-17T07:00:00Z";
  likeness.parts = {{.part = Part::release, .same = 4},
                    {.part = Part::packages, .same = 300, .only_production = 1, .other = 1},
                    {.part = Part::configuration, .same = 12, .own_values = 2},
                    {.part = Part::services, .not_known = "golden machine: was not started"},
                    {.part = Part::ports, .not_known = "golden machine: was not started"}};
  likeness.differences = {{Part::packages, "vim:amd64", "", "2:9.0.1378-2", false},
                          {Part::packages, "tzdata:all", "2024a-0+deb12u1", "2025b-0+deb12u2", false}};
  return likeness;
}
RunRecord good_record() {
  auto record = tests::good_record();
  for (auto& machine : record.departments[0].machines) machine.likeness = good_likeness();
  return record;
}
PolicyFacts good_facts() {
  PolicyFacts facts;
  facts.now = sunday_morning;
  facts.last_promoted.state = LastPromoted::Known::known;
  const auto record = good_record();
  facts.last_promoted.coverage = coverage_of(record, record.departments[0]);
  facts.last_promoted.coverage.run = "2026-11-21T060250Z-000000";
  facts.approvals = {{.by = "bob", .key = SecurityKey::verified, .ticket = "CHG0042"}};
  facts.submitter_is_known = true;
  return facts;
}

std::vector<Demand> unmet(const Policy& policy, const RunRecord& record, const PolicyFacts& facts) {
  auto demands = demands_of(policy, record, record.departments[0], facts);
  EXPECT_THAT(demands, testing::Not(IsEmpty())) << "a policy always asks whether it is in force";
  EXPECT_TRUE(std::ranges::is_sorted(demands, {}, &Demand::code));
  std::erase_if(demands, [](const Demand& demand) { return demand.met; });
  return demands;
}
bool lets_through(const Policy& policy, const RunRecord& record, const PolicyFacts& facts) {
  return unmet(policy, record, facts).empty();
}

TEST(Demands, OfAStrictPolicyAreMetByARecordThatHasIt) {
  EXPECT_THAT(unmet(strict_policy(), good_record(), good_facts()), IsEmpty());
}

TEST(Demands, OfTheShippedQuickstartAreMetByAWholeRunWithARestart) {
  EXPECT_THAT(unmet(quickstart_policy(), good_record(), good_facts()), IsEmpty());
  auto record = good_record();
  record.departments[0].phases = {"after-install"};
  PolicyFacts facts;
  facts.now = sunday_morning;
  const auto missing = unmet(quickstart_policy(), record, facts);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].code, DemandCode::phase_not_planned);
  EXPECT_EQ(missing[0].phase, "after-reboot-1");
}

// One fact taken from what meets every demand, and what is said.
struct Taken {
  const char* name;
  DemandCode code;
  std::function<void(Policy&, RunRecord&, PolicyFacts&)> take;
  const char* machine = "";
  const char* check = "";
  const char* phase = "";
  const char* candidate = "";
};
void PrintTo(const Taken& taken, std::ostream* out) { *out << taken.name; }

const std::vector<Taken>& takings() {
  using enum DemandCode;
  using P = Policy&;
  using R = RunRecord&;
  using F = PolicyFacts&;
  using Known = LastPromoted::Known;
  static const std::vector<Taken> all{
      {"NoneInForce", policy_not_in_force,
       [](P p, R, F) {
         p.trouble = PolicyTrouble{PolicyTrouble::Kind::none_in_force, "none"};
       }},
      {"TwoInForce", policy_ambiguous,
       [](P p, R, F) {
         p.trouble = PolicyTrouble{PolicyTrouble::Kind::ambiguous, "two"};
       }},
      {"NotYet", policy_not_in_force, [](P p, R, F) { p.valid_since = sunday_morning + std::chrono::seconds(1); }},
      {"NotAnyMore", policy_not_in_force, [](P p, R, F) { p.valid_until = sunday_morning; }},
      {"OtherDepartment", department_not_allowed,
       [](P p, R, F) {
         p.departments = {{"engineering", p.departments["finance"]}};
       }},
      {"ToyScenario", scenario_not_allowed, [](P, R r, F) { r.scenario_name = "toy"; }},
      {"EditedScenario", scenario_not_allowed, [](P, R r, F) { r.scenario_digest = sha256("a check less"); }},
      {"OtherTool", tool_version_not_allowed, [](P, R r, F) { r.tool_version = "0.1.0-mine"; }},
      {"NoTool", tool_version_not_allowed, [](P, R r, F) { r.tool_version.clear(); }},
      {"NarrowedByRole", run_narrowed,
       [](P, R r, F) { r.not_tested.emplace_back("machine 'finance/mail' was left out by --role"); }},
      {"NarrowedByCandidate", run_narrowed,
       [](P, R r, F) { r.not_tested.emplace_back("candidate 'bind9' was left out by --candidate"); }},
      {"WithSomethingElse", run_narrowed, [](P, R r, F) { r.asked.with = {"hotfix"}; }},
      {"OnlyControls", run_narrowed,
       [](P, R r, F) { r.not_tested.emplace_back("the candidates were left out by --controls"); }},
      {"MachineLess", machine_not_planned, [](P, R r, F) { r.departments[0].machines.pop_back(); }, "mail"},
      {"CheckLess", check_not_planned, [](P, R r, F) { std::erase(r.departments[0].machines[0].checks, "a-record"); },
       "dns", "a-record"},
      {"CheckOfAMachineThatIsNotThere", check_not_planned,
       [](P, R r, F) { r.departments[0].machines.erase(r.departments[0].machines.begin()); }, "dns", "mx-record"},
      {"NoRestart", phase_not_planned, [](P, R r, F) { r.departments[0].phases.pop_back(); }, "", "", "after-reboot-1"},
      {"FewerMachinesThanLast", coverage_shrunk, [](P, R, F f) { f.last_promoted.coverage.checks["print"] = {"job"}; },
       "print"},
      {"FewerChecksThanLast", coverage_shrunk,
       [](P, R, F f) { f.last_promoted.coverage.checks["mail"].insert("large-delivery"); }, "mail", "large-delivery"},
      {"FewerPhasesThanLast", coverage_shrunk, [](P, R, F f) { f.last_promoted.coverage.phases.insert("stability"); },
       "", "", "stability"},
      {"LastIsUnknown", coverage_unknown,
       [](P, R, F f) {
         f.last_promoted = {Known::unknown, {}, "run folder is gone"};
       }},
      {"AnotherCheckThanLast", check_changed,
       [](P, R, F f) {
         f.approvals[0].submitted = true;
         f.last_promoted.coverage.digests["mail/deliver"] = sha256("stronger");
       },
       "mail", "deliver"},
      {"AnotherStateThanLast", check_changed,
       [](P, R r, F f) {
         f.approvals.clear();
         r.departments[0].machines[1].state_digest = sha256("everything is accepted");
       },
       "mail"},
      {"NobodyKnowsWhichCheckItIs", check_changed,
       [](P, R r, F f) {
         f.approvals.clear();
         r.departments[0].machines[0].check_digests.erase("a-record");
       },
       "dns", "a-record"},
      {"EmergencyForWhatIsNotUrgent", emergency_not_allowed, [](P, R, F f) { f.lane = Lane::emergency; }, "", "", "",
       "dns-update"},
      {"EmergencyForWhatNobodyKnows", emergency_not_allowed,
       [](P, R r, F f) {
         for (auto& candidate : r.candidates) candidate.severity = "critical";
         r.candidates[1].severity = "unknown";
         f.lane = Lane::emergency;
       },
       "", "", "", "tidy"},
      {"EmergencyForNothing", emergency_not_allowed,
       [](P, R r, F f) {
         for (auto& verdict : r.departments[0].verdicts) verdict.outcome = Outcome::fail;
         f.lane = Lane::emergency;
       }},
      {"NoEmergencyLane", emergency_not_allowed,
       [](P p, R r, F f) {
         for (auto& candidate : r.candidates) candidate.severity = "critical";
         p.emergency.reset();
         f.lane = Lane::emergency;
       }},
      {"ReviewOverdue", review_overdue,
       [](P, R, F f) {
         f.open_reviews = {{"run-1", sunday_morning - std::chrono::days(2)}};
       }},
      {"ReviewOfALaneThatIsGone", review_overdue,
       [](P p, R, F f) {
         p.emergency.reset();
         f.open_reviews = {{"run-1", sunday_morning}};
       }},
      {"Rejected", rejected, [](P, R, F f) { f.objections = {"line 7: rejected by 'eve': too early"}; }},
      {"NobodyKnowsWhoSubmitted", submitter_unknown, [](P, R, F f) { f.submitter_is_known = false; }},
      {"NoSignerSubmitted", submitter_unknown,
       [](P, R, F f) {
         f.submitter_is_known = false;
         f.unknown_submitters = {"root@host"};
       }},
      {"NobodyNamedTheTicket", ticket_missing, [](P, R, F f) { f.approvals[0].ticket.clear(); }},
      {"TheTicketIsOfAnEarlierChange", ticket_missing,
       [](P, R, F f) {
         f.last_promoted.line = 7;
         f.approvals[0].seen = 7;  // approved again since, and named none
         f.approvals[0].ticket_seen = 6;
       }},
      {"OnlyWhoDoesNotCountNamedTheTicket", ticket_missing,
       [](P, R, F f) {
         f.approvals[0].ticket.clear();
         f.approvals.push_back({.by = "alice", .submitted = true, .key = SecurityKey::verified, .ticket = "CHG0042"});
       }},
      {"NobodyCollectedFacts", likeness_unknown, [](P, R r, F) { r.departments[0].machines[0].likeness.reset(); },
       "dns"},
      {"FactsCouldNotBeCompared", likeness_unknown,
       [](P, R r, F) { r.departments[0].machines[0].likeness->not_known = "another family"; }, "dns"},
      {"FactsAreOld", likeness_unknown,
       [](P, R r, F) { r.departments[0].machines[0].likeness->observed = "2026-11-15T06:59:59Z"; }, "dns"},
      {"FactsAreOfTheFuture", likeness_unknown,
       [](P, R r, F) { r.departments[0].machines[0].likeness->observed = "2026-11-23T07:00:01Z"; }, "dns"},
      {"FactsAreOfNoTime", likeness_unknown,
       [](P, R r, F) { r.departments[0].machines[0].likeness->observed = "yesterday"; }, "dns"},
      {"OfOnePartNobodyKnows", likeness_unknown,
       [](P, R r, F) { r.departments[0].machines[0].likeness->parts[2].not_known = "it was not root"; }, "dns"},
      {"OfOnePartNothingIsSaid", likeness_unknown,
       [](P, R r, F) {
         r.departments[0].machines[0].likeness->parts.pop_back();
         r.departments[0].machines[0].likeness->parts.erase(r.departments[0].machines[0].likeness->parts.begin() + 2);
       },
       "dns"},
      {"WhatIsAskedCouldNotBeCompared", likeness_unknown, [](P p, R, F) { p.likeness->at_most["ports"] = 1000; },
       "dns"},
      {"OnePackageTooMany", not_alike, [](P, R r, F) { ++r.departments[0].machines[0].likeness->parts[1].only_golden; },
       "dns"},
      {"OnePackageOfTheRole", not_alike, [](P, R r, F) { r.departments[0].machines[0].likeness->parts[1].of_role = 1; },
       "dns"},
      {"OneFileTooMany", not_alike, [](P, R r, F) { r.departments[0].machines[0].likeness->parts[2].other = 1; },
       "dns"},
      {"NobodyApproved", approval_missing, [](P, R, F f) { f.approvals.clear(); }},
      {"SomebodyWithoutAName", approval_missing, [](P, R, F f) { f.approvals[0].by.clear(); }},
      {"WithoutASecurityKey", approval_missing, [](P, R, F f) { f.approvals[0].key = SecurityKey::any; }},
      {"OnlyTouched", approval_missing, [](P, R, F f) { f.approvals[0].key = SecurityKey::touched; }},
      {"BySubmitter", approval_missing, [](P, R, F f) { f.approvals[0].submitted = true; }},
      {"ByWaiversAuthor", approval_missing, [](P, R, F f) { f.approvals[0].waived_something = true; }},
      {"ByPoliciesAuthor", approval_missing, [](P, R, F f) { f.approvals[0].wrote_policy = true; }},
      {"SaysThatTheyWereNotTheRightOnes", approval_not_distinct, [](P, R, F f) { f.approvals[0].submitted = true; }},
      {"SaysThatNoKeyWasTouched", security_key_not_touched,
       [](P p, R, F f) {
         p.approvals[0].security_key = SecurityKey::touched;
         f.approvals[0].key = SecurityKey::any;
       }},
      {"SaysThatNoKeyVerified", security_key_not_verified,
       [](P, R, F f) { f.approvals[0].key = SecurityKey::touched; }},
      {"OneForWhatIsCriticalInTheSetThatIsAsked", approval_missing,
       [](P, R r, F f) {
         r.candidates[1].severity = "critical";
         r.departments[0].verdicts[1].outcome = Outcome::fail;
         f.set = {"dns-update", "tidy"};
       }},
      {"OneForWhatIsCritical", approval_missing, [](P, R r, F) { r.candidates[0].severity = "critical"; }},
      {"OneForWhatNobodyKnows", approval_missing, [](P, R r, F) { r.candidates[0].severity = "unknown"; }},
      {"OneForWhatIsWaived", approval_missing, [](P, R, F f) { f.anything_waived = true; }},
      {"OnePersonTwice", approval_missing,
       [](P, R, F f) {
         f.anything_waived = true;
         f.approvals.push_back(f.approvals[0]);
       }},
      {"NobodyInTheEmergencyLane", approval_missing,
       [](P, R r, F f) {
         for (auto& candidate : r.candidates) candidate.severity = "critical";
         f.lane = Lane::emergency;
         f.approvals.clear();
       }},
      {"TestedElsewhere", carried_not_allowed, [](P, R r, F) { r.departments[0].tested_in = "sales"; }},
      {"TestedElsewhereTooLongAgo", carried_not_allowed,
       [](P p, R r, F) {
         p.carried = CarriedRule{std::chrono::hours(0)};
         r.departments[0].tested_in = "sales";
       }},
      {"TestedElsewhereAndNobodyKnowsWhen", carried_not_allowed,
       [](P p, R r, F) {
         p.carried = CarriedRule{std::chrono::hours(1)};
         r.departments[0].tested_in = "sales";
         r.finished = "yesterday";
       }},
      {"TestedElsewhereAndNotAlike", carried_not_alike,
       [](P p, R r, F) {
         p.carried = CarriedRule{std::chrono::hours(1)};
         r.departments[0].tested_in = "sales";
       }},
      {"WindowNotOpenYet", window_closed, [](P, R, F f) { f.now = at("2026-11-22T05:59:59Z"); }},
      {"WindowClosed", window_closed, [](P, R, F f) { f.now = at("2026-11-22T08:00:00Z"); }},
      {"WindowOfAnotherDay", window_closed, [](P p, R, F) { p.windows[0].days = {6}; }},
  };
  return all;
}

class TakenFact : public testing::TestWithParam<Taken> {};

TEST_P(TakenFact, IsMissedByThePolicy) {
  auto policy = strict_policy();
  auto record = good_record();
  auto facts = good_facts();
  GetParam().take(policy, record, facts);
  const auto missing = unmet(policy, record, facts);
  const auto found = std::ranges::find_if(missing, [](const Demand& demand) {
    return demand.code == GetParam().code && demand.machine == GetParam().machine && demand.check == GetParam().check &&
           demand.phase == GetParam().phase &&
           (*GetParam().candidate == '\0' || demand.candidate == GetParam().candidate);
  });
  ASSERT_NE(found, missing.end());
  EXPECT_FALSE(found->text.empty());
}
INSTANTIATE_TEST_SUITE_P(Demands, TakenFact, testing::ValuesIn(takings()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Demands, AreEachMissedByATakenFact) {
  std::set<DemandCode> taken;
  for (const auto& taking : takings()) taken.insert(taking.code);
  for (int i = 0; i <= static_cast<int>(last_demand_code); ++i) {
    EXPECT_TRUE(taken.contains(static_cast<DemandCode>(i))) << to_string(static_cast<DemandCode>(i));
    EXPECT_STRNE(to_string(static_cast<DemandCode>(i)), "unknown");
  }
}

TEST(Demands, OfLikenessNameWhatDiffersAndTheNextStep) {
  auto record = good_record();
  auto& likeness = *record.departments[0].machines[0].likeness;
  likeness.parts[1].of_role = 1;
  likeness.differences.insert(likeness.differences.begin(),
                              {lab::facts::Part::packages, "bind9:amd64", "1:9.18.33", "1:9.18.28", true});
  const auto missing = unmet(strict_policy(), record, good_facts());
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].machine, "dns");
  EXPECT_THAT(missing[0].text,
              testing::EndsWith("not like 'dns1.corp.example': 1 role-packages, policy 'strict' takes 0: "
                                "bind9:amd64"));
  EXPECT_EQ(missing[0].command, "patchlab run SCENARIO --facts FOLDER");
}

TEST(Demands, OfAPolicyWithTroubleAreOneThatIsNotMet) {
  auto policy = strict_policy();
  policy.trouble = PolicyTrouble{PolicyTrouble::Kind::ambiguous, "2 policies are in force"};
  const auto record = good_record();
  const auto demands = demands_of(policy, record, record.departments[0], good_facts());
  ASSERT_EQ(demands.size(), 1U);
  EXPECT_FALSE(demands[0].met);
  EXPECT_EQ(demands[0].text, "2 policies are in force");
}

TEST(Demands, TakeAScenarioByNameByDigestOrByBoth) {
  auto policy = strict_policy();
  const auto record = good_record();
  for (const auto& allowed : {AllowedScenario{"xavier-nightly", ""}, AllowedScenario{"", sha256("scenario")}}) {
    policy.scenarios = {{"another", ""}, allowed};
    EXPECT_TRUE(lets_through(policy, record, good_facts()));
  }
  policy.scenarios = {{"xavier-nightly", sha256("other")}, {"other", sha256("scenario")}};
  EXPECT_FALSE(lets_through(policy, record, good_facts())) << "half of one and half of the other is neither";
}

TEST(Demands, AreNotAboutWhatIsLeftOutOfOtherDepartments) {
  auto record = good_record();
  record.not_tested = {"department 'engineering' was left out by --department",
                       "machine 'engineering/mail' was left out by --role",
                       "candidate 'x' was left out: no machine that is left has 'postfix'",
                       "Windows guests: all machines of this scenario are stand-ins"};
  EXPECT_TRUE(lets_through(strict_policy(), record, good_facts()));
  record.not_tested = {"machine 'finance-2/mail' was left out by --role"};
  EXPECT_TRUE(lets_through(strict_policy(), record, good_facts())) << "a name that only begins like this one";
}

TEST(Demands, LetGoWhatThePolicyRetires) {
  auto policy = strict_policy();
  auto facts = good_facts();
  facts.last_promoted.coverage.checks["print"] = {"job"};
  facts.last_promoted.coverage.checks["mail"].insert("large-delivery");
  policy.coverage.retired = {"finance/print", "finance/mail/large-delivery"};
  EXPECT_TRUE(lets_through(policy, good_record(), facts));
  policy.coverage.retired = {"engineering/print", "finance/mail/large-delivery"};
  EXPECT_FALSE(lets_through(policy, good_record(), facts));
}

// A check of the same name that asks for something else.
TEST(Demands, LetAChangedCheckPassThatAPolicyOrSomebodyElseTookOver) {
  auto policy = strict_policy();
  policy.approvals.clear();
  policy.change_ticket = ChangeTicket::any;
  const auto record = good_record();
  const auto now = record.departments[0].machines[1].check_digests.at("deliver");
  auto facts = good_facts();
  facts.approvals.clear();
  facts.last_promoted.line = 7;
  facts.last_promoted.coverage.digests["mail/deliver"] = sha256("stronger");
  const auto changed = [&] {
    std::vector<Demand> found;
    for (const auto& demand : demands_of(policy, record, record.departments[0], facts)) {
      if (demand.code == DemandCode::check_changed) found.push_back(demand);
    }
    return found;
  };
  ASSERT_EQ(changed().size(), 1U) << "and nothing is said to be as it was";
  EXPECT_FALSE(changed()[0].met);
  EXPECT_EQ(
      changed()[0].text,
      fmt::format("the check 'deliver' of 'mail' is not that of run 2026-11-21T060250Z-000000, which was promoted "
                  "last: {} then, {} now",
                  sha256("stronger"), now));
  EXPECT_EQ(changed()[0].command, "patchlab approve " + record.id + " --department finance --reason REASON --key KEY");
  // By the policy, which names exactly this one.
  policy.coverage.changed = {{"finance/mail/deliver", now}};
  EXPECT_TRUE(lets_through(policy, record, facts));
  EXPECT_EQ(changed()[0].taken_over, "policy 'strict'");
  for (const auto& [name, digest] : std::map<std::string, std::string>{{"finance/mail/deliver", sha256("another")},
                                                                       {"finance/mail", now},
                                                                       {"finance/dns/deliver", now},
                                                                       {"sales/mail/deliver", now}}) {
    policy.coverage.changed = {{name, digest}};
    EXPECT_FALSE(lets_through(policy, record, facts)) << name;
  }
  policy.coverage.changed.clear();
  // By somebody who knew what was promoted last, and neither submitted nor waived.
  facts.approvals = {{.by = "bob", .seen = 7}};
  EXPECT_TRUE(lets_through(policy, record, facts));
  EXPECT_EQ(changed()[0].taken_over, "bob");
  facts.approvals = {{.by = "bob", .seen = 6}};
  EXPECT_FALSE(lets_through(policy, record, facts)) << "when they approved, another check was the last one";
  facts.approvals = {{.by = "bob", .submitted = true, .seen = 7}};
  EXPECT_FALSE(lets_through(policy, record, facts));
  facts.approvals = {{.by = "bob", .waived_something = true, .seen = 7}};
  EXPECT_FALSE(lets_through(policy, record, facts));
  // Where coverage does not count, or this one may go.
  facts.approvals.clear();
  for (const char* gone : {"finance/mail/deliver", "finance/mail"}) {
    policy.coverage.retired = {gone};
    EXPECT_TRUE(lets_through(policy, record, facts)) << gone;
  }
  policy.coverage = {CoverageRule::Least::anything, CoverageRule::Unknown::refused, {}};
  EXPECT_TRUE(lets_through(policy, record, facts));
}

// "user@host" keeps nobody from approving their own run: that is said wherever people are asked.
TEST(Demands, SayThatASubmitterWhoIsNoSignerKeepsNobodyFromApproving) {
  auto policy = strict_policy();
  const auto record = good_record();
  auto facts = good_facts();
  facts.submitter_is_known = false;
  facts.unknown_submitters = {"root@host"};
  const auto missing = unmet(policy, record, facts);
  ASSERT_EQ(missing.size(), 1U);
  EXPECT_EQ(missing[0].text,
            "policy 'strict' asks that a signer submits it; the submitter 'root@host' is not a signer: nobody is kept "
            "from approving by it");
  EXPECT_EQ(missing[0].command, "patchlab submit " + record.id + " --department finance --key KEY");
  policy.submitter = Submitter::any;
  EXPECT_TRUE(lets_through(policy, record, facts));
  const auto said = [&] {
    std::string text;
    for (const auto& demand : demands_of(policy, record, record.departments[0], facts)) {
      if (demand.code == DemandCode::approval_missing) text = demand.text;
    }
    return text;
  };
  EXPECT_EQ(
      said(),
      "policy 'strict' asks for 1 approval by a security key, verified; approved: bob; the submitter 'root@host' is "
      "not a signer: nobody is kept from approving by it");
  facts.submitter_is_known = true;  // somebody who is one took it over
  EXPECT_EQ(said(), "policy 'strict' asks for 1 approval by a security key, verified; approved: bob");
}

TEST(Demands, SayWhichChecksOfAnOlderRecordAreNotKnown) {
  auto policy = strict_policy();
  policy.approvals.clear();
  const auto record = good_record();
  auto facts = good_facts();
  const auto said = [&] {
    std::string text;
    for (const auto& demand : demands_of(policy, record, record.departments[0], facts)) {
      if (demand.code == DemandCode::check_changed) text += demand.text;
    }
    return text;
  };
  EXPECT_TRUE(lets_through(policy, record, facts));
  EXPECT_EQ(said(), "9 checks and machines are looked at by what run 2026-11-21T060250Z-000000 looked at them by");
  facts.last_promoted.coverage.digests.clear();
  EXPECT_TRUE(lets_through(policy, record, facts));
  EXPECT_EQ(
      said(),
      "0 checks and machines are looked at by what run 2026-11-21T060250Z-000000 looked at them by; of 9 it is not "
      "known what was asked then, since the record is of an older version: only their names were compared");
}

TEST(Demands, OfTheEmergencyLaneAreOtherwiseTheSameButForTheWindow) {
  auto record = good_record();
  for (auto& candidate : record.candidates) candidate.severity = "critical";
  auto facts = good_facts();
  facts.now = at("2026-11-23T12:00:00Z");
  facts.approvals.push_back({.by = "eve"});
  EXPECT_FALSE(lets_through(strict_policy(), record, facts));
  facts.lane = Lane::emergency;
  EXPECT_TRUE(lets_through(strict_policy(), record, facts));
  facts.approvals[0].ticket.clear();
  EXPECT_FALSE(lets_through(strict_policy(), record, facts));
  facts.emergency_ticket = "CHG0043";
  EXPECT_TRUE(lets_through(strict_policy(), record, facts));
  facts.lane = Lane::normal;
  EXPECT_FALSE(lets_through(strict_policy(), record, facts)) << "of an emergency that it is not";
  facts.lane = Lane::emergency;
  record.departments[0].phases.pop_back();
  EXPECT_FALSE(lets_through(strict_policy(), record, facts)) << "never without a test";
  EXPECT_THAT(approvals_in(strict_policy(), Lane::emergency), ElementsAre(ApprovalRule{}));
  EXPECT_EQ(approvals_in(strict_policy(), Lane::normal).size(), 2U);
}

// When the review is due was written down with the promotion: a policy of later gives no more time.
TEST(Demands, LetNoPolicyPutAReviewOff) {
  auto policy = strict_policy();
  auto facts = good_facts();
  const auto record = good_record();
  facts.open_reviews = {{"run-1", sunday_morning - std::chrono::days(1), sunday_morning + std::chrono::seconds(1)}};
  EXPECT_TRUE(lets_through(policy, record, facts));
  facts.open_reviews[0].due = sunday_morning;
  policy.emergency->review_within = std::chrono::days(30);
  const auto overdue = unmet(policy, record, facts);
  ASSERT_EQ(overdue.size(), 1U);
  EXPECT_EQ(overdue[0].code, DemandCode::review_overdue);
  EXPECT_EQ(overdue[0].text,
            "the emergency promotion of run run-1 at 2026-11-21T07:00:00.000Z was not reviewed until "
            "2026-11-22T07:00:00.000Z");
  EXPECT_EQ(overdue[0].command, "patchlab approve run-1 --department finance --reason REASON --key KEY");
}

TEST(Windows, OpenAndCloseToTheMoment) {
  const Window evening{{2}, std::chrono::hours(21), std::chrono::hours(3)};  // Tuesday to Wednesday
  EXPECT_FALSE(is_open({evening}, at("2026-11-24T20:59:59.999Z")));
  EXPECT_TRUE(is_open({evening}, at("2026-11-24T21:00:00Z")));
  EXPECT_TRUE(is_open({evening}, at("2026-11-25T02:59:59.999Z")));
  EXPECT_FALSE(is_open({evening}, at("2026-11-25T03:00:00Z")));
  EXPECT_FALSE(is_open({evening}, at("2026-11-24T02:00:00Z"))) << "Monday had no evening";
  EXPECT_EQ(next_opening({evening}, at("2026-11-24T21:00:00Z")), at("2026-11-24T21:00:00Z"));
  EXPECT_EQ(next_opening({evening}, at("2026-11-24T21:00:01Z")), at("2026-12-01T21:00:00Z"));
  const Window whole{{6, 7}, std::chrono::hours(0), std::chrono::hours(24)};
  EXPECT_TRUE(is_open({whole}, at("2026-11-21T00:00:00Z")));
  EXPECT_TRUE(is_open({whole}, at("2026-11-22T23:59:59Z")));
  EXPECT_FALSE(is_open({whole}, at("2026-11-23T00:00:00Z")));
  EXPECT_TRUE(is_open({whole, evening}, at("2026-11-24T23:00:00Z")));
  EXPECT_TRUE(is_open({}, at("2026-11-24T23:00:00Z"))) << "who names none may at any time";
  EXPECT_FALSE(next_opening({}, sunday_morning));
}

TEST(Approvals, ApplyByTheWorstSeverityAndWhenSomethingIsWaived) {
  ApprovalRule rule;
  EXPECT_TRUE(applies(rule, {}, false)) << "without conditions always";
  rule.severities = {"critical"};
  EXPECT_FALSE(applies(rule, {{"a", "low"}, {"b", "important"}}, true));
  EXPECT_TRUE(applies(rule, {{"a", "low"}, {"b", "critical"}}, false));
  for (const auto* word : {"unknown", "", "Critical", "severe"})
    EXPECT_TRUE(applies(rule, {{"a", word}}, false)) << word;
  rule.when_waived = true;
  EXPECT_TRUE(applies(rule, {{"a", "low"}}, true));
  rule.severities.clear();
  EXPECT_FALSE(applies(rule, {{"a", "unknown"}}, false));
}

// Ways to demand more. None of them may let anything through that was refused before.
using Stricter = std::function<void(Policy&, std::mt19937&)>;
const std::vector<Stricter>& ways_to_demand_more() {
  static const std::vector<Stricter> all{
      [](Policy& p, auto&) { p.narrowed = NarrowedRuns::refused; },
      [](Policy& p, auto&) {
        if (p.scenarios.empty()) p.scenarios = {{"xavier-nightly", ""}, {"morning", ""}};
      },
      [](Policy& p, auto&) {
        if (p.scenarios.size() > 1) p.scenarios.pop_back();
      },
      [](Policy& p, auto&) {
        if (!p.scenarios.empty()) p.scenarios.front().digest = sha256("scenario");
      },
      [](Policy& p, auto&) {
        if (p.tool_versions.empty()) p.tool_versions = {"0.1.0", "0.2.0"};
      },
      [](Policy& p, auto&) {
        if (p.tool_versions.size() > 1) p.tool_versions.pop_back();
      },
      [](Policy& p, auto& random) {
        p.phases.emplace_back(std::array{"after-install", "after-reboot-1", "stability"}[random() % 3]);
      },
      [](Policy& p, auto&) {
        if (p.departments.empty()) p.departments = {{"finance", {}}, {"engineering", {}}};
      },
      [](Policy& p, auto& random) {
        if (p.departments.size() > 1) p.departments.erase(random() % 2 == 0 ? "engineering" : "finance");
      },
      [](Policy& p, auto& random) {
        for (auto& [name, machines] : p.departments) machines[random() % 4 == 0 ? "print" : "dns"];
      },
      [](Policy& p, auto& random) {
        for (auto& [name, machines] : p.departments)
          machines["mail"].emplace_back(random() % 4 == 0 ? "large-delivery" : "deliver");
      },
      [](Policy& p, auto&) { p.coverage.not_less_than = CoverageRule::Least::last_promoted; },
      [](Policy& p, auto&) { p.coverage.when_unknown = CoverageRule::Unknown::refused; },
      [](Policy& p, auto&) {
        if (!p.coverage.retired.empty()) p.coverage.retired.pop_back();
      },
      [](Policy& p, auto&) { p.coverage.changed.clear(); },
      [](Policy& p, auto&) {
        const Window weekend{{6, 7}, std::chrono::hours(0), std::chrono::hours(24)};
        if (p.windows.empty()) p.windows = {weekend, {{1, 2, 3, 4, 5}, std::chrono::hours(20), std::chrono::hours(6)}};
      },
      [](Policy& p, auto&) {
        if (p.windows.size() > 1) p.windows.pop_back();
      },
      [](Policy& p, auto& random) {
        for (auto& window : p.windows) window.days.erase(static_cast<unsigned>(1 + random() % 7));
      },
      [](Policy& p, auto&) {
        if (p.emergency) p.emergency->severities.erase("important");
      },
      [](Policy& p, auto&) {
        if (p.emergency) p.emergency->review_within = std::chrono::days(1);
      },
      [](Policy& p, auto&) {
        if (p.approvals.empty()) p.approvals = {ApprovalRule{1, {}, SecurityKey::any, {"critical"}, false}};
      },
      [](Policy& p, auto&) {
        for (auto& rule : p.approvals) rule.severities = {"critical", "important", "low"};
      },
      [](Policy& p, auto&) {
        for (auto& rule : p.approvals) rule.count = std::min(rule.count + 1, 3U);
      },
      [](Policy& p, auto& random) {
        for (auto& rule : p.approvals)
          rule.not_by.insert(std::array{NotBy::submitter, NotBy::waiver_author, NotBy::policy_author}[random() % 3]);
      },
      [](Policy& p, auto&) {
        for (auto& rule : p.approvals) {
          if (rule.security_key != SecurityKey::verified)
            rule.security_key = rule.security_key == SecurityKey::any ? SecurityKey::touched : SecurityKey::verified;
        }
      },
      [](Policy& p, auto&) {
        for (auto& rule : p.approvals) rule.when_waived = rule.is_conditional();
      },
      [](Policy& p, auto&) {
        if (p.emergency) p.emergency->approvals.push_back(ApprovalRule{2, {}, SecurityKey::any, {}, false});
      },
      [](Policy& p, auto&) { p.emergency.reset(); },
      [](Policy& p, auto&) { p.submitter = Submitter::signer; },
      [](Policy& p, auto&) { p.valid_since = at("2026-11-20T00:00:00Z"); },
      [](Policy& p, auto&) { p.valid_until = at("2026-11-25T00:00:00Z"); },
      [](Policy& p, auto&) {
        p.trouble = PolicyTrouble{PolicyTrouble::Kind::ambiguous, "two"};
      },
  };
  return all;
}

RunRecord any_record(std::mt19937& random) {
  static const auto good = tests::good_record();  // nobody asks how like production it is
  auto record = good;
  for (auto& department : record.departments) department.trials.clear();  // what a run found is not asked here
  auto& department = record.departments[0];
  const auto sometimes = [&] { return random() % 16 == 0; };
  if (random() % 3 == 0) record.scenario_name = std::array{"toy", "morning"}[random() % 2];
  if (sometimes()) record.scenario_digest = sha256("other");
  if (sometimes()) record.tool_version = std::array{"0.2.0", "0.3.0"}[random() % 2];
  if (sometimes()) department.name = "sales";
  if (sometimes()) record.not_tested = {"machine 'finance/mail' was left out by --role"};
  if (sometimes()) department.machines.pop_back();
  if (sometimes()) department.machines.front().checks.pop_back();
  if (sometimes()) department.phases.pop_back();
  const auto severity = [&] { return std::array{"critical", "important", "low", "unknown"}[random() % 4]; };
  const auto* same = random() % 2 == 0 ? severity() : nullptr;
  for (auto& candidate : record.candidates) candidate.severity = same != nullptr ? same : severity();
  return record;
}
PolicyFacts any_facts(std::mt19937& random) {
  static const auto good = good_facts();
  auto facts = good;
  facts.now = at("2026-11-18T00:00:00Z") + std::chrono::hours(random() % (24 * 10));
  const auto sometimes = [&] { return random() % 16 == 0; };
  if (sometimes()) facts.last_promoted.state = LastPromoted::Known::unknown;
  if (sometimes()) facts.last_promoted.state = LastPromoted::Known::nothing;
  if (sometimes()) facts.last_promoted.coverage.checks["print"] = {"job"};
  if (random() % 3 == 0) facts.last_promoted.coverage.digests["dns"] = sha256("another state");
  if (random() % 3 == 0) facts.lane = Lane::emergency;
  facts.submitter_is_known = random() % 8 != 0;
  facts.anything_waived = random() % 3 == 0;
  facts.approvals.clear();
  for (const auto* name : {"bob", "carol", "eve"}) {
    if (random() % 2 == 0) continue;
    facts.approvals.push_back({.by = name,
                               .waived_something = random() % 4 == 0,
                               .submitted = random() % 4 == 0,
                               .wrote_policy = name == std::string("carol"),
                               .key = std::array{SecurityKey::any, SecurityKey::touched, SecurityKey::verified,
                                                 SecurityKey::verified}[random() % 4]});
  }
  if (random() % 4 == 0) facts.open_reviews = {{"run-1", facts.now - std::chrono::hours(random() % 60)}};
  return facts;
}

TEST(Demands, OfAPolicyThatAsksMoreNeverLetThroughWhatOneThatAsksLessRefuses) {
  std::mt19937 random(20261122);
  const auto& ways = ways_to_demand_more();
  std::set<std::size_t> mattered;
  int through = 0;
  for (int round = 0; round < 24000; ++round) {
    Policy policy;
    policy.author = "carol";
    policy.narrowed = NarrowedRuns::allowed;
    policy.coverage = {CoverageRule::Least::anything,
                       CoverageRule::Unknown::allowed,
                       {"finance/print"},
                       {{"finance/dns", sha256("state of dns")}}};
    policy.emergency = EmergencyLane{{"critical", "important"}, {ApprovalRule{}}, std::chrono::days(2)};
    const auto way = static_cast<std::size_t>(round) % ways.size();
    // Ways that stand together are about the same thing: those before this one make what it takes away.
    for (auto before = way - std::min<std::size_t>(way, 6); before < way; ++before) {
      if (random() % 2 == 0) ways[before](policy, random);
    }
    const auto record = any_record(random);
    const auto facts = any_facts(random);
    auto more = policy;
    ways[way](more, random);
    const bool before = lets_through(policy, record, facts);
    const bool after = lets_through(more, record, facts);
    ASSERT_FALSE(after && !before) << "way " << way << " in round " << round;
    if (before && !after) mattered.insert(way);
    through += after ? 1 : 0;
  }
  EXPECT_GT(through, 200) << "nothing is let through at all";
  for (std::size_t way = 0; way < ways.size(); ++way)
    EXPECT_TRUE(mattered.contains(way)) << "way " << way << " never took anything back: it is not tried";
}

}  // namespace
}  // namespace patchlab::promotion
