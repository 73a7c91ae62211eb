// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/people.hpp"

#include <gmock/gmock.h>

#include <random>

#include "promotion/book/failures.hpp"
#include "promotion/desk/queue.hpp"
#include "promotion/desk/shown.hpp"
#include "promotion/gate/gate.hpp"
#include "promotion/policy/policy_document.hpp"
#include "reports/record/findings.hpp"
#include "tests/support/decision_history.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::promotion {
namespace {
using ::testing::Contains;
using testing::DecisionHistory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint8_t touched = 0x01;
constexpr std::uint8_t verified = 0x05;

const Waived waive_mail{"mail", "deliver", "", "fail"};
const Waived waive_named{"dns", "", "state:service:named", "fail"};

PeopleOn people(const DecisionHistory& history, const Policy& policy = {}) {
  return people_in(history.decisions(), history.trust, policy, {"b", "a"});
}

TEST(People, ApproveOnceWhateverTheySignedWith) {
  DecisionHistory history;
  const auto flags = [](std::uint8_t seen) { return SecurityKeyUse{seen, 1, {}}; };
  history.approve("bob");
  history.approve("erin", {.security_key = flags(touched)});
  history.approve("bob", {.key = "second key of bob", .security_key = flags(verified)});
  history.approve("bob", {.security_key = flags(touched)});
  history.approve("dave", {.security_key = flags(0)});
  // Another name with a key that bob had.
  history.trust_version({DecisionHistory::signer("robert", "key of bob")});
  history.approve("robert", {.key = "key of bob"});
  const auto found = people(history);
  EXPECT_THAT(found.approvals, ElementsAre(ApprovalGiven{.by = "bob", .key = SecurityKey::verified, .seen = 5},
                                           ApprovalGiven{.by = "erin", .key = SecurityKey::touched, .seen = 1},
                                           ApprovalGiven{.by = "dave", .seen = 4}));
  EXPECT_THAT(found.set, ElementsAre("a", "b"));
  EXPECT_EQ(found.counted.size(), 6U);
  EXPECT_FALSE(found.anything_waived);
}

TEST(People, WhoWroteThePolicyIsKnownByAnyOfTheirKeys) {
  DecisionHistory history;
  Policy policy;
  policy.author = "carol";
  history.trust_version({DecisionHistory::signer("carol", "k"), DecisionHistory::signer("bob", "key of bob")});
  history.trust_version({DecisionHistory::signer("caroline", "k"), DecisionHistory::signer("bob", "key of bob")});
  history.approve("caroline", {.key = "k"});
  history.approve("bob");
  EXPECT_THAT(people(history, policy).approvals, ElementsAre(ApprovalGiven{.by = "caroline", .wrote_policy = true},
                                                             ApprovalGiven{.by = "bob", .seen = 1}));
}

TEST(People, WhoPutThePolicyInForceWroteItWhateverItSaysOfItsAuthor) {
  DecisionHistory history;
  history.question.policy_signers = {"bob"};
  Policy policy;
  policy.author = "carol";
  for (const auto* name : {"bob", "carol", "dave"}) history.approve(name);
  EXPECT_THAT(people(history, policy).approvals,
              ElementsAre(ApprovalGiven{.by = "bob", .wrote_policy = true},
                          ApprovalGiven{.by = "carol", .wrote_policy = true, .seen = 1},
                          ApprovalGiven{.by = "dave", .seen = 2}));
}

TEST(People, KnowWhetherASignerSubmitted) {
  DecisionHistory history;
  history.question.submitters = {};
  EXPECT_FALSE(people(history).submitter_is_known);
  EXPECT_THAT(people(history).unknown_submitters, IsEmpty());
  history.question.submitters = {"root@host"};
  history.approve("bob");
  EXPECT_FALSE(people(history).submitter_is_known);
  EXPECT_THAT(people(history).unknown_submitters, ElementsAre("root@host"));
  EXPECT_EQ(people(history).approvals.size(), 1U);
  history.submit("alice");
  EXPECT_TRUE(people(history).submitter_is_known);
  EXPECT_THAT(people(history).unknown_submitters, ElementsAre("root@host"));
  // Whoever was taken off the list is a person all the same.
  history.trust_version({DecisionHistory::signer("bob", "key of bob")});
  EXPECT_TRUE(people(history).submitter_is_known);
}

// Who is asked for an approval can give one that counts: whoever may sign it today, and has no part in the set yet.
TEST(People, CouldApproveIfTheyMayAndHadNoPartInIt) {
  DecisionHistory history;
  history.question.submitters = {"alice"};
  EXPECT_THAT(people(history).could_approve, ElementsAre("bob", "carol", "dave", "erin"));
  history.approve("bob");
  EXPECT_THAT(people(history).could_approve, ElementsAre("carol", "dave", "erin"));
  const auto waiver = history.waive("carol", {waive_mail});
  EXPECT_THAT(people(history).could_approve, ElementsAre("dave", "erin"));
  history.withdraw("carol", waiver);
  EXPECT_THAT(people(history).could_approve, Not(Contains("carol"))) << "taking it back does not undo that";
  history.submit("dave");
  EXPECT_THAT(people(history).could_approve, Not(Contains("dave")));

  auto may_only_reject = DecisionHistory::signer("erin", "key of erin");
  may_only_reject.namespaces = {signature_namespace(StatementKind::reject)};
  auto former = DecisionHistory::signer("frank", "key of frank");
  former.before = std::chrono::floor<std::chrono::seconds>(history.start);
  auto coming = DecisionHistory::signer("grace", "key of grace");
  coming.after = std::chrono::floor<std::chrono::seconds>(history.question.now) + std::chrono::hours(1);
  // henry is carol, by a key that she had.
  history.trust_version({may_only_reject, former, coming, DecisionHistory::signer("henry", "key of carol"),
                         DecisionHistory::signer("ida", "key of ida")});
  EXPECT_THAT(people(history).could_approve, ElementsAre("ida"));
}

TEST(People, ObjectByRejectingAndByWhatNobodyCanRead) {
  DecisionHistory history;
  EXPECT_THAT(people(history).objections, IsEmpty());
  history.reject("erin");
  history.approve("bob");
  history.lines.back().statement.reset();
  history.lines.back().kind_is_known = false;
  history.lines.back().unreadable = "'veto' is no kind";
  EXPECT_THAT(people(history).objections,
              ElementsAre(NotCountedHere{ReasonCode::unknown_kind, "line 2: 'veto' is no kind"},
                          NotCountedHere{ReasonCode::rejected, "line 1: rejected by 'erin': because", false, "erin"}));
}

// What does not count is no part of what a promotion rests on, and what is about something else is nobody's reason.
TEST(People, RestOnNothingButWhatCounts) {
  DecisionHistory history;
  history.question.failures = {{FailureKind::check, "mail", "deliver", "fail"}};
  Policy policy;
  policy.waivers = {{Waivable::check}, std::chrono::days(60), 2, {}};
  history.waive("carol", {waive_mail});
  EXPECT_THAT(people(history, policy).counted, IsEmpty()) << "nobody approved who had seen it";
  history.approve("bob");
  EXPECT_EQ(people(history, policy).counted.size(), 2U);
  auto elsewhere = history.statement(StatementKind::approve, "dave");
  elsewhere.subjects = {{"hr", sha256("another set")}};
  elsewhere.run = sha256("another run");
  history.add(elsewhere);
  EXPECT_THAT(people(history, policy).not_counted, IsEmpty()) << "it is about something else";
}

// Accepting a change that nobody explained is another thing than accepting a failure: a policy allows each by itself.
TEST(People, WaiveAReviewOnlyWhereThePolicySaysSo) {
  DecisionHistory history;
  history.question.failures = {{FailureKind::finding, "dns", "state:service:named", "review"}};
  history.waive("carol", {{"dns", "", "state:service:named", "review"}});
  history.approve("bob");
  Policy policy;
  policy.waivers = {{Waivable::check, Waivable::state}, std::chrono::days(60), 2, {}};
  EXPECT_THAT(people(history, policy).waived, IsEmpty());
  policy.waivers.what = {Waivable::review};
  EXPECT_EQ(people(history, policy).waived.size(), 1U);
}

TEST(People, HaveACodeForEachReason) {
  for (int i = 0; i <= static_cast<int>(WhyNot::withdrawal_not_by_author); ++i) {
    const auto why = static_cast<WhyNot>(i);
    EXPECT_STREQ(to_string(code_of(why)), to_string(why)) << i;
    EXPECT_EQ(is_about_broken_data(code_of(why)), breaks_everything(why)) << to_string(why);
  }
}

// --- at the gate

Policy waiving_policy(std::uint32_t approvals = 1) {
  Policy policy;
  policy.id = "production";
  policy.author = "erin";
  policy.approvals = {ApprovalRule{.count = approvals}};
  policy.waivers = {{Waivable::check, Waivable::state, Waivable::review}, std::chrono::days(60), 2, {}};
  return policy;
}

// "good" passes; "bad" breaks mail after the restart, "worse" a service. Tried: all three, two of them, the good one.
reports::RunRecord three_candidates() {
  tests::SampleRun run;
  run.add_candidate("good", "Good", "low", "apt", {"dns"});
  run.add_candidate("bad", "Bad", "low", "apt", {"mail"});
  run.add_candidate("worse", "Worse", "low", "apt", {"dns"});
  run.add_fault({{"bad"}, "", "after-reboot-1", "mail", "deliver", "smtp-refused", "454"});
  run.add_fault({{"worse"}, "", "after-install", "dns", "", "named", "failed"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto all = run.trial(reports::Purpose::batch, {"good", "bad", "worse"});
  const auto two = run.trial(reports::Purpose::confirm, {"good", "bad"});
  const auto one = run.trial(reports::Purpose::final, {"good"});
  run.verdict("good", Outcome::pass, "passed").trials = {one};
  auto& bad = run.verdict("bad", Outcome::fail, "breaks mail");
  bad.failed = {"mail/deliver"};
  bad.trials = {two};
  auto& worse = run.verdict("worse", Outcome::fail, "stops named");
  worse.failed = {"dns/state:service:named"};
  worse.trials = {all};
  run.end_department(one);
  return run.finish();
}
// Nothing passed, so that the set with what failed is the only one.
reports::RunRecord one_candidate() {
  tests::SampleRun run;
  run.add_candidate("bad", "Bad", "low", "apt", {"mail"});
  run.add_fault({{"bad"}, "", "after-reboot-1", "mail", "deliver", "smtp-refused", "454"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto batch = run.trial(reports::Purpose::batch, {"bad"});
  auto& bad = run.verdict("bad", Outcome::fail, "breaks mail");
  bad.failed = {"mail/deliver"};
  bad.trials = {batch};
  run.end_department("");
  return run.finish();
}

reports::StateDifference changed_file(const std::string& after) {
  return {"file", "/etc/named.conf", "a", after, checks::state::FindingClass::review, "no package brings it", {}};
}
Waived accepted_file(const std::string& after) {
  return {"dns", "", reports::finding_name(changed_file(after)), "review"};
}
// "good" passes, and something changes with it that nothing explains.
reports::RunRecord one_change(const std::vector<std::string>& contents = {"b"}) {
  tests::SampleRun run;
  run.add_candidate("good", "Good", "low", "apt", {"dns"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto last = run.trial(reports::Purpose::final, {"good"});
  run.verdict("good", Outcome::pass, "passed").trials = {last};
  run.end_department(last);
  auto record = run.finish();
  for (auto& phase : record.departments[0].trials.back().phases) {
    if (phase.machine != "dns") continue;
    for (const auto& after : contents) phase.differences.push_back(changed_file(after));
  }
  return record;
}

// People of one run, about several sets of it.
struct World {
  explicit World(reports::RunRecord made) : record(std::move(made)) {
    history.question.failures = failures_of(record.departments[0]);
  }
  void about(const std::vector<std::string>& set) { history.question.set = digest(set); }
  static std::string digest(std::vector<std::string> set) {
    std::ranges::sort(set);
    return sha256(fmt::format("{}", fmt::join(set, " ")));
  }
  [[nodiscard]] Today today() const {
    Today today{.now = *parse_rfc3339("2026-11-22T07:00:00Z")};
    auto asked = history;
    auto sets = tested_sets(record.departments[0]);
    if (const auto passed = tested_set(record.departments[0]); passed.empty()) sets.emplace_back();
    for (const auto& set : sets) {
      asked.question.set = digest(set);
      today.people["finance"].push_back(people_in(asked.decisions(), asked.trust, policy, set));
    }
    return today;
  }
  [[nodiscard]] Decision decision() const { return decide(record, "finance", policy, today()); }
  [[nodiscard]] std::vector<std::string> codes() const {
    std::vector<std::string> codes;
    for (const auto& one : decision().blocking()) codes.emplace_back(to_string(one.code));
    return codes;
  }

  reports::RunRecord record;
  DecisionHistory history;
  Policy policy = waiving_policy();
};

TEST(Waiving, LetsASetPassWithExactlyWhatWasAcceptedInIt) {
  World world(three_candidates());
  world.about({"good"});
  world.history.approve("bob");
  EXPECT_THAT(world.decision().promotable, ElementsAre("good"));
  EXPECT_EQ(world.decision().held_back.size(), 2U);
  world.about({"good", "bad"});
  world.history.waive("carol", {waive_mail});
  EXPECT_THAT(world.decision().promotable, ElementsAre("good")) << "nobody approved who had seen it";
  world.history.approve("bob");
  const auto decision = world.decision();
  EXPECT_THAT(decision.promotable, ElementsAre("good", "bad"));
  EXPECT_EQ(exit_code_of(decision), ExitCode::ok);
  EXPECT_EQ(decision.trial, "finance/t3") << "the trial of that set";
  ASSERT_EQ(decision.waived.size(), 1U);
  EXPECT_EQ(decision.waived[0].outcome, "fail");
  EXPECT_EQ(to_string(decision.waived[0]),
            "waived by 'carol' until 2027-01-01T00:00:00.000Z (CHG1): because; approved by 'bob'");
  EXPECT_THAT(decision.by, HasSubstr("approved by bob; mail/deliver waived by carol until 2027-01-01T00:00:00.000Z"));
  ASSERT_EQ(decision.held_back.size(), 1U);
  EXPECT_EQ(decision.held_back[0].subject.candidate, "worse");
  std::vector<std::string> met;
  for (const auto& requirement : decision.requirements) {
    EXPECT_TRUE(requirement.met);
    if (!requirement.waived.empty())
      met.push_back(
          fmt::format("{} {}: {}", to_string(requirement.code), to_string(requirement.subject), requirement.text));
  }
  EXPECT_THAT(met, ElementsAre("final-trial-failed finance/t3: mail/deliver in after-reboot-1 ended in fail",
                               "not-reproduced finance/t3: the same candidates failed here on mail/deliver",
                               "candidate-failed bad: fails: mail/deliver"));
  // The larger of two that may be promoted.
  world.about({"good", "bad", "worse"});
  world.history.waive("carol", {waive_mail, waive_named});
  world.history.approve("dave");
  EXPECT_THAT(world.decision().promotable, ElementsAre("good", "bad", "worse"));
  // Whichever is asked about first.
  auto today = world.today();
  std::ranges::reverse(today.people["finance"]);
  EXPECT_THAT(decide(world.record, "finance", world.policy, today).promotable, ElementsAre("good", "bad", "worse"));
}

reports::RunRecord two_that_fail() {
  tests::SampleRun run;
  run.add_candidate("bad", "Bad", "low", "apt", {"mail"});
  run.add_candidate("worse", "Worse", "low", "apt", {"dns"});
  run.add_fault({{"bad"}, "", "after-install", "mail", "deliver", "smtp-refused", "454"});
  run.add_fault({{"worse"}, "", "after-install", "dns", "", "named", "failed"});
  run.start_department("finance", 0, {"dns", "mail"});
  const auto all = run.trial(reports::Purpose::batch, {"bad", "worse"});
  for (const auto* id : {"bad", "worse"}) {
    auto& verdict = run.verdict(id, Outcome::fail, "breaks something");
    verdict.failed = {std::string(id) == "bad" ? "mail/deliver" : "dns/state:service:named"};
    verdict.trials = {all};
  }
  run.end_department("");
  return run.finish();
}

// What is missing is one more waiver: nothing else of it stands in the way, and the command names the set.
TEST(Waiving, WhatIsStillToBeWaivedWaitsInTheQueue) {
  World world(two_that_fail());
  const auto entry = [&] {
    const auto today = world.today();
    const auto decision = shown(decide(world.record, "finance", world.policy, today), world.record, today);
    return queue_entry(world.record, decision, today.people.at("finance"));
  };
  const auto nothing_passed = entry();
  EXPECT_EQ(nothing_passed.state, QueueEntry::State::blocked) << "until somebody accepts it";
  EXPECT_THAT(nothing_passed.why,
              AllOf(HasSubstr("nothing-to-promote"), HasSubstr("patchlab waive " + world.record.id +
                                                               " --department finance --with "
                                                               "bad --with worse --what mail/deliver --until TIME")));
  world.about({"bad", "worse"});
  world.history.waive("carol", {waive_mail});
  world.history.approve("bob");
  const auto half = entry();
  ASSERT_EQ(half.state, QueueEntry::State::waiting) << half.why;
  EXPECT_THAT(half.waiting->command, HasSubstr(" --with bad --with worse --what dns/state:service:named --until "));
  world.history.waive("carol", {waive_named});
  world.history.approve("dave");
  const auto all = entry();
  ASSERT_EQ(all.state, QueueEntry::State::waiting) << all.why;
  EXPECT_THAT(all.waiting->command, HasSubstr("patchlab promote "));
  // An error is accepted by nobody, and then the queue offers nothing.
  World other(two_that_fail());
  for (auto& trial : other.record.departments[0].trials) {
    for (auto& phase : trial.phases) {
      for (auto& check : phase.checks) {
        if (check.id != "deliver" || check.outcome != Outcome::fail) continue;
        check.outcome = Outcome::error;
        check.error = Error{ErrorClass::check, "nobody looked", {}};
      }
    }
  }
  world.record = other.record;
  EXPECT_EQ(entry().state, QueueEntry::State::blocked);
}

// Of several trials of the set, the one that saw everything counts; searches stop early, or try some machines.
TEST(Waiving, IsAboutTheTrialOfTheSetThatSawMost) {
  for (const bool on_all_machines : {true, false}) {
    World world(one_candidate());
    auto& department = world.record.departments[0];
    auto again = department.trials[2];
    again.id = "finance/t9";
    again.purpose = reports::Purpose::search;
    if (on_all_machines) {
      again.phases.pop_back();
    } else {
      again.machines = {"mail"};
      std::erase_if(again.phases, [](const auto& phase) { return phase.machine != "mail"; });
    }
    department.trials.push_back(again);
    world.about({"bad"});
    world.history.waive("carol", {waive_mail});
    world.history.approve("bob");
    EXPECT_THAT(world.decision().promotable, ElementsAre("bad")) << on_all_machines;
    EXPECT_EQ(world.decision().trial, department.trials[2].id);
  }
}

// Each way has its code; where the ledger cannot be believed, 65.
TEST(Waiving, DoesNotCountForEachOfTheseReasons) {
  struct Case {
    std::string code;
    ExitCode exit_code;
    std::function<void(World&)> make;
  };
  const auto waive_and_approve = [](World& w) {
    w.history.waive("carol", {waive_mail});
    w.history.approve("bob");
  };
  const auto waived_otherwise = [](const std::function<void(Statement&)>& change) {
    return [change](World& w) {
      auto waiver = w.history.statement(StatementKind::waive, "carol");
      waiver.waives = {{waive_mail}};
      change(waiver);
      w.history.add(waiver);
      w.history.approve("bob");
    };
  };
  const auto approved_otherwise = [](const std::function<void(Statement&)>& change) {
    return [change](World& w) {
      w.history.waive("carol", {waive_mail});
      auto approval = w.history.statement(StatementKind::approve, "bob");
      change(approval);
      w.history.add(approval);
    };
  };
  const auto other = sha256("other");
  const std::vector<Case> cases{
      {"waiver-not-approved", ExitCode::policy, [](World& w) { w.history.waive("carol", {waive_mail}); }},
      {"approval-not-distinct", ExitCode::policy,
       [](World& w) {
         w.history.waive("carol", {waive_mail});
         w.history.approve("carol");
       }},
      {"approval-not-distinct", ExitCode::policy,
       [](World& w) {
         w.history.waive("carol", {waive_mail});
         w.history.approve("carol", {.key = "second key of carol"});
       }},
      {"approval-not-distinct", ExitCode::policy,
       [](World& w) {
         w.history.waive("carol", {waive_mail});
         w.history.approve("alice");  // who submitted it
       }},
      {"approval-not-distinct", ExitCode::policy,
       [&](World& w) {
         w.policy = waiving_policy(2);
         waive_and_approve(w);
         w.history.approve("bob", {.key = "second key of bob"});
       }},
      {"waiver-not-distinct", ExitCode::policy,
       [](World& w) {
         w.history.waive("alice", {waive_mail});
         w.history.approve("bob");
       }},
      {"waiver-expired", ExitCode::policy, waived_otherwise([](auto& s) { s.expires = "2026-11-22T07:00:00Z"; })},
      {"waiver-out-of-scope", ExitCode::policy, waived_otherwise([](auto& s) { s.waives->front().check = "x"; })},
      {"waiver-out-of-scope", ExitCode::policy, waived_otherwise([](auto& s) { s.waives->front().machine = "dns"; })},
      {"waiver-out-of-scope", ExitCode::policy,
       waived_otherwise([](auto& s) { s.waives->front().outcome = "review"; })},
      {"waiver-of-other-run", ExitCode::policy, waived_otherwise([&](auto& s) { s.run = other; })},
      {"waiver-of-other-run", ExitCode::policy, waived_otherwise([&](auto& s) { s.policy = other; })},
      {"waiver-forbidden", ExitCode::policy, waived_otherwise([](auto& s) { s.waives->front().check = "fence"; })},
      {"approval-of-other-run", ExitCode::policy, approved_otherwise([&](auto& s) { s.run = other; })},
      {"approval-of-other-set", ExitCode::policy, approved_otherwise([&](auto& s) { s.subjects[0].sha256 = other; })},
      {"approval-of-other-policy", ExitCode::policy, approved_otherwise([&](auto& s) { s.policy = other; })},
      {"approval-of-other-department", ExitCode::policy,
       approved_otherwise([](auto& s) { s.subjects[0].name = "hr"; })},
      {"withdrawn", ExitCode::policy,
       [](World& w) {
         w.history.waive("carol", {waive_mail});
         w.history.withdraw("bob", w.history.approve("bob"));
       }},
      {"rejected", ExitCode::policy,
       [&](World& w) {
         waive_and_approve(w);
         w.history.reject("dave");
       }},
      {"waiver-not-in-policy", ExitCode::policy,
       [&](World& w) {
         w.policy.waivers.what = {Waivable::state};
         waive_and_approve(w);
       }},
      {"waiver-forbidden", ExitCode::policy,
       [&](World& w) {
         w.policy.waivers.never = {"mail/deliver"};
         waive_and_approve(w);
       }},
      {"waiver-too-long", ExitCode::policy,
       [&](World& w) {
         w.policy.waivers.max_days = std::chrono::days(1);
         waive_and_approve(w);
       }},
      {"waivers-too-many", ExitCode::policy,
       [&](World& w) {
         w.policy.waivers.max_per_set = 0;
         waive_and_approve(w);
       }},
      {"approval-missing", ExitCode::policy,
       [&](World& w) {
         w.policy.approvals.push_back(ApprovalRule{.count = 2, .when_waived = true});
         waive_and_approve(w);
       }},
      {"signer-unknown", ExitCode::policy,
       [](World& w) {
         w.history.waive("carol", {waive_mail});
         w.history.approve("mallory");
       }},
      {"statement-edited", ExitCode::bad_data,
       [&](World& w) {
         waive_and_approve(w);
         w.history.lines[0].not_good = "incorrect signature";
       }},
      {"statement-edited", ExitCode::bad_data,
       [&](World& w) {
         waive_and_approve(w);
         w.history.lines[1].found = other;
       }},
      {"unknown-kind", ExitCode::bad_data,
       [&](World& w) {
         waive_and_approve(w);
         w.history.approve("dave");
         w.history.lines.back().statement.reset();
         w.history.lines.back().kind_is_known = false;
       }},
      {"statement-unreadable", ExitCode::bad_data,
       [&](World& w) {
         waive_and_approve(w);
         w.history.approve("dave");
         w.history.lines.back().statement.reset();
       }},
  };
  {
    World world(one_candidate());
    world.about({"bad"});
    waive_and_approve(world);
    EXPECT_THAT(world.codes(), IsEmpty()) << "without any of these reasons";
  }
  for (const auto& one : cases) {
    World world(one_candidate());
    world.about({"bad"});
    one.make(world);
    EXPECT_THAT(world.codes(), Contains(one.code));
    EXPECT_EQ(exit_code_of(world.decision()), one.exit_code) << one.code;
    EXPECT_THAT(world.decision().promotable, IsEmpty()) << one.code;
  }
}

TEST(Accepting, LetsASetPassWithExactlyTheChangeThatWasAccepted) {
  World world(one_change());
  world.about({"good"});
  world.history.approve("bob");
  EXPECT_THAT(world.codes(), ElementsAre("needs-decision"));
  world.history.waive("carol", {accepted_file("b")});
  EXPECT_THAT(world.codes(), ElementsAre("needs-decision", "waiver-not-approved"));
  const auto waiting = world.decision().blocking().front();
  EXPECT_THAT(waiting.text, HasSubstr("'carol' accepted it, and nobody else approved who has seen that"));
  EXPECT_EQ(waiting.command, "patchlab approve " + world.record.id);
  world.history.approve("bob");
  const auto decision = world.decision();
  EXPECT_THAT(decision.promotable, ElementsAre("good"));
  ASSERT_EQ(decision.waived.size(), 1U);
  EXPECT_EQ(decision.waived[0].outcome, "review");
  EXPECT_EQ(decision.waived[0].key, "dns/" + accepted_file("b").finding);
  EXPECT_EQ(to_string(decision.waived[0]),
            "accepted by 'carol' until 2027-01-01T00:00:00.000Z (CHG1): because; approved by 'bob'");
  EXPECT_THAT(decision.by, HasSubstr(" accepted by carol until 2027-01-01T00:00:00.000Z"));
  EXPECT_EQ(decision.counted.size(), 3U) << "what it rests on";
}

TEST(Accepting, OneContentAcceptsNoOther) {
  World world(one_change({"b", "c"}));
  world.about({"good"});
  world.history.waive("carol", {accepted_file("b")});
  world.history.approve("bob");
  EXPECT_THAT(world.codes(), ElementsAre("needs-decision"));
  EXPECT_EQ(world.decision().blocking()[0].subject.digest, reports::finding_digest(changed_file("c")));
  world.history.waive("carol", {accepted_file("c")});
  world.history.approve("bob");
  EXPECT_THAT(world.codes(), IsEmpty());
}

// They fail nothing: however many there are, they take the place of no failure.
TEST(Accepting, TakesNoPlaceOfAWaiver) {
  World world(one_change({"b", "c", "d", "e"}));
  world.policy.waivers.max_per_set = 0;
  world.about({"good"});
  std::vector<Waived> all{accepted_file("b"), accepted_file("c"), accepted_file("d"), accepted_file("e")};
  std::ranges::sort(all);
  world.history.waive("carol", all);
  world.history.approve("bob");
  EXPECT_THAT(world.codes(), IsEmpty());
}

TEST(Accepting, DoesNotCountForEachOfTheseReasons) {
  const auto accept = [](World& w, const std::string& by = "carol", const std::string& approver = "bob",
                         const std::function<void(Statement&)>& change = {}) {
    auto made = w.history.statement(StatementKind::waive, by);
    made.waives = {{accepted_file("b")}};
    if (change) change(made);
    w.history.add(made);
    w.history.approve(approver);
  };
  const std::vector<std::pair<std::string, std::function<void(World&)>>> cases{
      {"approval-not-distinct", [&](World& w) { accept(w, "carol", "carol"); }},
      {"approval-not-distinct", [&](World& w) { accept(w, "carol", "alice"); }},
      {"waiver-not-distinct", [&](World& w) { accept(w, "alice"); }},
      {"waiver-expired",
       [&](World& w) { accept(w, "carol", "bob", [](auto& s) { s.expires = "2026-11-22T07:00:00Z"; }); }},
      {"waiver-out-of-scope",
       [&](World& w) { accept(w, "carol", "bob", [](auto& s) { s.waives = {{accepted_file("x")}}; }); }},
      {"waiver-out-of-scope",
       [&](World& w) { accept(w, "carol", "bob", [](auto& s) { s.waives->front().machine = "mail"; }); }},
      {"waiver-out-of-scope",
       [&](World& w) { accept(w, "carol", "bob", [](auto& s) { s.waives->front().outcome = "notice"; }); }},
      {"waiver-out-of-scope",
       [&](World& w) { accept(w, "carol", "bob", [](auto& s) { s.waives->front().outcome = "fail"; }); }},
      {"waiver-of-other-run",
       [&](World& w) { accept(w, "carol", "bob", [](auto& s) { s.run = sha256("another run"); }); }},
      {"needs-decision", [&](World& w) { accept(w), w.history.withdraw("carol", 1); }},
      {"rejected", [&](World& w) { accept(w), w.history.reject("dave"); }},
      {"waiver-not-in-policy",
       [&](World& w) {
         w.policy.waivers.what = {Waivable::check, Waivable::state}, accept(w);
       }},
      {"waiver-too-long", [&](World& w) { w.policy.waivers.max_days = std::chrono::days(1), accept(w); }},
      {"waiver-forbidden",
       [&](World& w) { w.policy.waivers.never = {"dns/" + accepted_file("b").finding}, accept(w); }},
      {"needs-decision",
       [&](World& w) {
         accept(w);
         for (auto& phase : w.record.departments[0].trials.back().phases) {
           for (auto& one : phase.differences) one.diff = "another one";
         }
       }},
  };
  for (const auto& [code, make] : cases) {
    World world(one_change());
    world.history.question.submitters = {"alice"};
    world.about({"good"});
    make(world);
    EXPECT_THAT(world.codes(), Contains(code));
    EXPECT_THAT(world.decision().promotable, IsEmpty()) << code;
  }
}

// A failure is no change to be looked at, whatever somebody calls it.
TEST(Accepting, IsNoWayAroundAFailure) {
  World world(one_change());
  auto& phases = world.record.departments[0].trials.back().phases;
  for (auto& phase : phases) {
    for (auto& one : phase.differences) {
      one.finding = checks::state::FindingClass::breach;
      phase.outcome = Outcome::fail;
    }
  }
  world.record.departments[0].trials.back().outcome = Outcome::fail;
  world.history.question.failures = failures_of(world.record.departments[0]);
  world.about({"good"});
  world.history.waive("carol", {accepted_file("b")});
  world.history.waive("carol", {{"dns", "", "state:file:/etc/named.conf", "review"}});
  world.history.approve("bob");
  EXPECT_THAT(world.codes(), Contains("waiver-out-of-scope"));
  EXPECT_THAT(world.decision().promotable, IsEmpty());
}

TEST(People, CouldAcceptIfTheyMayAndHadNoPartInIt) {
  DecisionHistory history;
  history.question.submitters = {"alice"};
  history.waive("carol", {waive_mail});
  history.approve("bob");
  EXPECT_THAT(people(history).could_waive, ElementsAre("carol", "dave", "erin"));
  EXPECT_THAT(people(history).could_approve, ElementsAre("dave", "erin"));
}

// Of the set's trial in one_candidate().
reports::PhaseRecord& failing(reports::DepartmentRecord& department) {
  return *std::ranges::find_if(department.trials[2].phases, [](const auto& phase) {
    return std::ranges::any_of(phase.checks, [](const auto& check) { return check.outcome == Outcome::fail; });
  });
}

// What was not observed, and what is no patch's failure, is accepted by nobody.
TEST(Waiving, NeverReplacesAnObservation) {
  using Department = reports::DepartmentRecord;
  const std::vector<std::pair<std::string, std::function<void(Department&)>>> spoilings{
      {"final-trial-failed",
       [](Department& d) {
         for (auto& phase : d.trials[2].phases) {
           for (auto& check : phase.checks) {
             if (check.id == "deliver") check.outcome = Outcome::error;
           }
         }
       }},
      {"final-trial-failed", [](Department& d) { d.trials[2].error = infrastructure_error("x"); }},
      {"final-trial-failed", [](Department& d) { d.trials[2].outcome = Outcome::error; }},
      {"final-trial-failed", [](Department& d) { d.trials[2].phases[0].outcome = Outcome::fail; }},
      {"final-trial-failed", [](Department& d) { d.trials[2].phases[0].checks[0].outcome = Outcome::fail; }},
      {"final-trial-failed", [](Department& d) { d.trials[2].installs[0].outcome = Outcome::fail; }},
      // The phase in which the failure is that was waived.
      {"final-trial-failed", [](Department& d) { failing(d).outcome = Outcome::error; }},
      {"final-trial-failed", [](Department& d) { failing(d).outcome = Outcome::skipped; }},
      {"final-trial-failed", [](Department& d) { failing(d).outcome = Outcome::not_reached; }},
      {"final-trial-failed", [](Department& d) { failing(d).error = timeout_error("x"); }},
      {"final-trial-failed",
       [](Department& d) {
         for (auto& check : failing(d).checks) {
           if (check.id == "deliver") check.error = timeout_error("x");
         }
       }},
      {"coverage-missing", [](Department& d) { d.trials[2].phases.pop_back(); }},
      {"coverage-missing", [](Department& d) { d.trials[2].installs.clear(); }},
      {"baseline-broken",
       [](Department& d) {
         for (auto& phase : d.trials[0].phases) {
           for (auto& check : phase.checks) {
             if (check.id == "deliver") check.outcome = Outcome::fail;
           }
         }
       }},
      {"control-failed",
       [](Department& d) {
         for (auto& phase : d.trials[1].phases) {
           for (auto& check : phase.checks) {
             if (check.id == "deliver") check.outcome = Outcome::fail;
           }
         }
       }},
      {"fence-breach", [](Department& d) { d.fence.attempts[0].answered = true; }},
      {"golden-image-changed", [](Department& d) { d.machines[0].golden_digest_after = sha256("other"); }},
      {"candidate-undecided", [](Department& d) { d.verdicts[0].outcome = Outcome::error; }},
      {"candidate-failed", [](Department& d) { d.verdicts[0].failed.clear(); }},
      {"candidate-failed", [](Department& d) { d.verdicts[0].failed.emplace_back("dns/a-record"); }},
      {"candidate-skipped", [](Department& d) { d.verdicts[0].outcome = Outcome::skipped; }},
  };
  for (const auto& [code, spoil] : spoilings) {
    World world(one_candidate());
    spoil(world.record.departments[0]);
    world.about({"bad"});
    world.history.waive("carol", {waive_mail});
    world.history.approve("bob");
    EXPECT_THAT(world.codes(), Contains(code));
    EXPECT_THAT(world.decision().promotable, IsEmpty()) << code;
  }
}

// A set that failed and then passed is a person's to decide, and this is how.
TEST(Waiving, AcceptsWhatWasNotReproduced) {
  World world(tests::good_record());
  world.record.departments[0].flaky = {
      {reports::FlakeKind::not_reproduced, "mail/deliver", {"dns-update", "tidy"}, {"finance/t9"}, {"finance/t2"}}};
  world.history.question.failures = failures_of(world.record.departments[0]);
  world.about({"dns-update", "tidy"});
  world.history.approve("bob");
  EXPECT_THAT(world.codes(), ElementsAre("not-reproduced"));
  world.history.waive("carol", {waive_mail});
  EXPECT_THAT(world.codes(), ElementsAre("not-reproduced", "waiver-not-approved"));
  world.history.approve("bob");
  EXPECT_THAT(world.codes(), IsEmpty()) << "again, since he had not seen it";
  EXPECT_THAT(world.history.not_counted(), IsEmpty());
}

TEST(Waiving, OfASetThatWasNeverTriedOnAllMachinesIsNone) {
  World world(three_candidates());
  world.record.departments[0].trials.erase(world.record.departments[0].trials.begin() + 3);
  world.about({"good", "bad"});
  world.history.waive("carol", {waive_mail});
  world.history.approve("bob");
  EXPECT_THAT(world.decision().promotable, IsEmpty());
}

// A failure that was accepted is no news when a later run sees it again, unless there is more.
TEST(Waiving, IsStaleWhenALaterRunSeesMore) {
  World world(one_candidate());
  world.about({"bad"});
  world.history.waive("carol", {waive_mail});
  world.history.approve("bob");
  auto today = world.today();
  PastFailure failure{.run = "later", .later = true, .department = "finance", .candidate = "bad"};
  failure.digest = world.record.candidates[0].digest;
  failure.failed = {"mail/deliver"};
  today.standing = Standing{.recorded = true, .failures = {failure}};
  EXPECT_TRUE(decide(world.record, "finance", world.policy, today).promotes());
  today.standing->failures[0].failed.emplace_back("dns/a-record");
  EXPECT_FALSE(decide(world.record, "finance", world.policy, today).promotes());
  today.standing->failures[0].failed.pop_back();
  today.standing->failures[0].department = "engineering";
  EXPECT_FALSE(decide(world.record, "finance", world.policy, today).promotes())
      << "on a machine of that name in another department nobody waived it";
  today.standing->failures[0].department = "finance";
  today.standing->failures[0].failed.clear();
  EXPECT_FALSE(decide(world.record, "finance", world.policy, today).promotes()) << "nobody knows what failed";
}

// The rule behind all others, where it counts: whatever is added to the ledger that is no approval, and takes no
// rejection back, never lets a set pass that was blocked.
class RandomPeople {
 public:
  explicit RandomPeople(std::uint32_t seed)
      : world(seed % 3 == 0 ? three_candidates()
              : seed % 3 == 1
                  ? one_candidate()
                  : one_change(seed % 2 == 0 ? std::vector<std::string>{"b"} : std::vector<std::string>{"b", "c"})),
        is_of_a_change_(seed % 3 == 2),
        random_(seed) {
    sets_ = tested_sets(world.record.departments[0]);
    world.history.question.submitters = {"alice"};
    world.policy = waiving_policy(1 + random_() % 2);
    world.policy.waivers.max_per_set = static_cast<std::uint32_t>(1 + random_() % 2);
    if (random_() % 2 == 0) world.policy.approvals.push_back(ApprovalRule{.count = 2, .when_waived = true});
    if (random_() % 3 == 0) world.policy.approvals[0].not_by = {NotBy::policy_author};
    if (random_() % 3 == 0) world.policy.approvals[0].security_key = static_cast<SecurityKey>(random_() % 3);
  }

  // Whether what was added may make something pass.
  bool grow() {
    world.about(pick(sets_));
    auto& history = world.history;
    const auto kind =
        pick(std::vector{StatementKind::approve, StatementKind::approve, StatementKind::approve, StatementKind::approve,
                         StatementKind::approve, StatementKind::approve, StatementKind::approve, StatementKind::approve,
                         StatementKind::waive, StatementKind::waive, StatementKind::waive, StatementKind::waive,
                         StatementKind::withdraw, StatementKind::submit, StatementKind::reject});
    auto made = history.statement(kind, pick(people_));
    bool takes_a_rejection_back = false;
    if (kind == StatementKind::waive) {
      made.waives = pick(std::vector<std::vector<Waived>>{
          {waive_named, waive_mail}, {waive_mail}, {waive_mail}, {waive_named}, {{"dns", "x", "", "fail"}}});
      if (is_of_a_change_) {
        made.waives = pick(std::vector<std::vector<Waived>>{{accepted_file("b")},
                                                            {accepted_file("b")},
                                                            {accepted_file("b"), accepted_file("c")},
                                                            {accepted_file("c")},
                                                            {waive_mail},
                                                            {waive_mail},
                                                            {accepted_file("x")}});
      }
      std::ranges::sort(*made.waives);
      if (random_() % 6 == 0) made.expires = "2026-11-28T05:00:00Z";
      if (random_() % 8 == 0) made.expires = "2028-11-28T05:00:00Z";
    }
    if (kind == StatementKind::withdraw) {
      if (history.lines.empty()) return false;
      const auto& target = pick(history.lines);
      made.withdraws = target.object;
      if (target.statement && target.statement->run) {
        made.run = target.statement->run;
        made.subjects = target.statement->subjects;
        made.by = target.statement->by;
      }
      takes_a_rejection_back = target.statement && target.statement->kind == StatementKind::reject;
    }
    if (random_() % 24 == 0 && kind != StatementKind::submit) made.run = sha256("other");
    if (random_() % 24 == 0) made.subjects[0].name = "hr";
    DecisionHistory::How how;
    if (random_() % 5 == 0) how.key = "second key of " + made.by;
    if (random_() % 2 == 0) how.security_key = SecurityKeyUse{static_cast<std::uint8_t>(random_() % 8), 0, {}};
    if (random_() % 6 == 0) how.seen = random_() % (history.hashes.size() + 1);
    history.add(made, how);
    if (random_() % 200 == 0) history.lines.back().not_good = "incorrect signature";
    return kind == StatementKind::approve || takes_a_rejection_back;
  }

  World world;

 private:
  template <class T>
  const T& pick(const std::vector<T>& values) {
    return values[random_() % values.size()];
  }
  bool is_of_a_change_;
  std::mt19937 random_;
  std::vector<std::vector<std::string>> sets_;
  const std::vector<std::string> people_{"alice", "bob", "carol", "dave", "erin"};
};

TEST(PeopleAtTheGate, OnlyAnApprovalOrTakingARejectionBackLetsAnythingPass) {
  int passed = 0;
  int waived = 0;
  int accepted = 0;
  int came_by_approval = 0;
  for (std::uint32_t seed = 0; seed < 180; ++seed) {
    RandomPeople people(seed);
    auto before = people.world.decision().promotable;
    for (int step = 0; step < 20; ++step) {
      const bool may_pass = people.grow();
      const auto decision = people.world.decision();
      // More of them is as bad as any at all.
      ASSERT_TRUE(may_pass || decision.promotable.size() <= before.size())
          << "seed " << seed << ", line " << people.world.history.lines.size();
      came_by_approval += may_pass && decision.promotable.size() > before.size() ? 1 : 0;
      passed += decision.promotes() ? 1 : 0;
      waived += decision.waived.empty() ? 0 : 1;
      accepted += std::ranges::any_of(decision.waived, [](const auto& one) { return !one.is_a_failure(); }) ? 1 : 0;
      before = decision.promotable;
    }
  }
  EXPECT_GT(passed, 75) << "or nothing was proven";
  EXPECT_GT(waived, 40);
  EXPECT_GT(accepted, 20);
  EXPECT_GT(came_by_approval, 15);
}

// The same of whatever else can be added, to the ledger of a stage and beside it: what other runs found, what was
// promoted, and how urgently, what lies in the run's folder, what golden machines and candidates are today.
class RandomFacts {
 public:
  explicit RandomFacts(std::uint32_t seed, const reports::RunRecord& record) : random_(seed), record_(record) {}

  void grow(Today& today) {
    const auto department = random_() % 4 == 0 ? "hr" : "finance";
    const auto candidate = pick(std::vector<std::string>{"good", "bad", "worse", "other"});
    const auto digest = random_() % 2 == 0 ? digest_of(candidate) : sha256("rebuilt");
    switch (random_() % 10) {
      case 0:
      case 1: {
        PastFailure failure{.run = "r" + std::to_string(random_()), .later = random_() % 2 == 0};
        failure.department = department;
        failure.candidate = candidate;
        failure.digest = digest;
        if (random_() % 2 == 0) failure.group = {candidate, "good"};
        if (random_() % 2 == 0) failure.failed = {random_() % 2 == 0 ? "mail/deliver" : "dns/a-record"};
        if (random_() % 2 == 0) failure.scenario_digest = sha256("another scenario");
        today.standing->failures.push_back(failure);
        break;
      }
      case 2: today.standing->later_candidates.push_back({"r", department, candidate, digest}); break;
      case 3: today.standing->promotions.push_back({"r", sha256("r"), department, late, "", "", {candidate}}); break;
      case 4: {
        // Once it is known what was promoted last, that is what it is: it is never less, and never unknown again.
        LastPromoted last{.state = LastPromoted::Known::known, .line = random_() % 40};
        last.coverage.checks[pick(std::vector<std::string>{"dns", "mail", "print"})];
        today.last_promoted.emplace(department, last);
        today.published.emplace(department, PublishedRun{"r", random_() % 2 == 0 ? late : early});
        break;
      }
      case 5: {
        const auto due = today.now + std::chrono::hours(static_cast<int>(random_() % 9) - 4);
        today.open_reviews[department].push_back({"r", today.now - std::chrono::hours(90), due});
        break;
      }
      case 6:
        today.emergencies[department].push_back({random_() % 2 == 0 ? record_.digest : sha256("r"), {}, {}});
        break;
      case 7: today.evidence_problems->push_back("'evidence/x' was edited"); break;
      case 8: today.goldens["finance/dns"] = {random_() % 2 == 0 ? sha256("rebuilt") : "", "it cannot be read"}; break;
      default: today.candidates[candidate] = {digest, "it cannot be read"};
    }
  }

 private:
  template <class T>
  T pick(const std::vector<T>& values) {
    return values[random_() % values.size()];
  }
  [[nodiscard]] std::string digest_of(const std::string& id) const {
    const auto found = std::ranges::find(record_.candidates, id, &reports::CandidateRecord::id);
    return found == record_.candidates.end() ? sha256(id) : found->digest;
  }
  static constexpr const char* late = "2026-11-22T06:59:00Z";
  static constexpr const char* early = "2026-11-01T00:00:00Z";
  std::mt19937 random_;
  const reports::RunRecord& record_;
};

TEST(PeopleAtTheGate, NothingThatIsFoundBesidesLetsAnythingPass) {
  int passed = 0;
  int blocked = 0;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    World world(seed % 3 == 0 ? three_candidates() : seed % 3 == 1 ? one_candidate() : one_change());
    world.policy = waiving_policy();
    for (const auto& set : tested_sets(world.record.departments[0])) {
      world.about(set);
      if (seed % 3 == 2)
        world.history.waive("carol", {accepted_file("b")});
      else if (seed % 3 == 1 || seed % 2 == 0)
        world.history.waive("carol", {waive_mail});
      world.history.approve("bob");
    }
    auto today = world.today();
    today.standing = Standing{.recorded = true};
    today.evidence_problems.emplace();
    RandomFacts facts(seed, world.record);
    auto before = decide(world.record, "finance", world.policy, today).promotable.size();
    passed += before > 0 ? 1 : 0;
    for (int step = 0; step < 8; ++step) {
      facts.grow(today);
      const auto after = decide(world.record, "finance", world.policy, today).promotable.size();
      ASSERT_LE(after, before) << "seed " << seed << ", step " << step;
      blocked += after < before ? 1 : 0;
      before = after;
    }
  }
  EXPECT_GT(passed, 20) << "or nothing was proven";
  EXPECT_GT(blocked, 20);
}

}  // namespace
}  // namespace patchlab::promotion
