// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/approval/decisions.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include <random>

#include "tests/support/decision_history.hpp"
#include "tests/support/ssh_keys.hpp"

namespace patchlab::promotion {
namespace {

using testing::DecisionHistory;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Failure mail{FailureKind::check, "mail", "delivery", "fail"};
const Failure printer{FailureKind::finding, "print", "service/cups", "review"};
const Waived waive_mail{"mail", "delivery", "", "fail"};

std::string codes(const std::vector<std::string>& unmet) { return fmt::format("{}", fmt::join(unmet, " ")); }

TEST(Decisions, OnePersonWhoDidNotSubmitIsEnough) {
  DecisionHistory history;
  EXPECT_EQ(codes(history.against()), "approval-missing");
  history.approve("bob");
  EXPECT_THAT(history.against(), IsEmpty());
  const auto decisions = history.decisions();
  ASSERT_EQ(decisions.approvals.size(), 1U);
  EXPECT_EQ(decisions.approvals[0].by, "bob");
  EXPECT_EQ(decisions.approvals[0].reason, "because");
  EXPECT_EQ(codes(history.against({{.count = 2}})), "approval-missing");
  history.approve("carol");
  EXPECT_THAT(history.against({{.count = 2}}), IsEmpty());
  EXPECT_THAT(history.not_counted(), IsEmpty());
}

// One reason code for each way in which an approval is none.
TEST(Decisions, AnApprovalThatDoesNotCountSaysWhy) {
  const auto other = sha256("other");
  struct Case {
    std::function<void(DecisionHistory&)> make;
    std::string not_counted;
    std::string words;
  };
  const std::vector<Case> cases{
      {[](auto& h) { h.approve("alice"); }, "1:approval-not-distinct", "'alice' submitted this set"},
      {[](auto& h) {
         h.submit("bob");
         h.approve("bob");
       },
       "2:approval-not-distinct", "'bob' submitted this set"},
      {[](auto& h) {
         h.question.failures = {mail};
         h.waive("bob", {waive_mail});
         h.approve("bob");
       },
       "1:waiver-not-approved 2:approval-not-distinct", "'bob' waived a failure"},
      {[&](auto& h) {
         auto s = h.statement(StatementKind::approve, "bob");
         s.run = other;
         h.add(s);
       },
       "1:approval-of-other-run", "approves run"},
      {[&](auto& h) {
         auto s = h.statement(StatementKind::approve, "bob");
         s.subjects[0].sha256 = other;
         h.add(s);
       },
       "1:approval-of-other-set", "approves set"},
      {[&](auto& h) {
         auto s = h.statement(StatementKind::approve, "bob");
         s.policy = other;
         h.add(s);
       },
       "1:approval-of-other-policy", "was given under policy"},
      {[](auto& h) {
         auto s = h.statement(StatementKind::approve, "bob");
         s.subjects[0].name = "hr";
         h.add(s);
       },
       "1:approval-of-other-department", "approves department 'hr', not 'finance'"},
      {[](auto& h) { h.approve("mallory"); }, "1:signer-unknown", "patchlab trust add"},
      {[](auto& h) { h.approve("bob", {.key = "key of carol"}); }, "1:signer-differs",
       "says 'bob', and is signed with a key of 'carol'"},
      {[](auto& h) { h.approve("bob", {.name_space = "patchlab.submit.v1"}); }, "1:namespace-not-allowed",
       "is signed for 'patchlab.submit.v1'"},
      {[](auto& h) {
         auto one = DecisionHistory::signer("bob", "k");
         one.namespaces = {"patchlab.submit.v1"};
         h.trust_version({one});
         h.approve("bob", {.key = "k"});
       },
       "1:namespace-not-allowed", "'bob' may not sign 'patchlab.approve.v1' by version 2"},
      {[](auto& h) {
         auto one = DecisionHistory::signer("bob", "k");
         one.before = std::chrono::floor<std::chrono::seconds>(h.start) - std::chrono::seconds(1);
         h.trust_version({one});
         h.approve("bob", {.key = "k"});
       },
       "1:signer-not-in-force", "was not in force at 2026-11-28T00:00:00.000Z"},
      {[](auto& h) {
         auto one = DecisionHistory::signer("bob", "k");
         one.after = std::chrono::floor<std::chrono::seconds>(h.start) + std::chrono::seconds(1);
         h.trust_version({one});
         h.approve("bob", {.key = "k"});
       },
       "1:signer-not-in-force", "was not in force"},
      {[](auto& h) { h.trust = Trust(), h.approve("bob"); }, "1:signer-unknown", "no list of signers was in force"},
      {[](auto& h) { h.approve("bob", {.not_good = "incorrect signature"}); }, "1:statement-edited",
       "is not what was signed: incorrect signature"},
      {[](auto& h) {
         h.approve("bob");
         h.lines[0].found = sha256("edited");
       },
       "1:statement-edited", "the bytes there are"},
      {[](auto& h) {
         h.approve("bob");
         h.lines[0].line_by = "carol";
       },
       "1:statement-edited", "the line says 'approve' by 'carol'"},
      {[](auto& h) {
         h.approve("bob");
         h.lines[0].line_kind = "waive";
       },
       "1:statement-edited", "the line says 'waive'"},
      {[](auto& h) {
         h.approve("bob");
         h.lines[0].statement.reset();
         h.lines[0].unreadable = "has more than one line";
       },
       "1:statement-unreadable", "has more than one line"},
      {[](auto& h) {
         h.approve("bob");
         h.lines[0].statement.reset();
         h.lines[0].kind_is_known = false;
       },
       "1:unknown-kind", "line 1"},
      {[](auto& h) {
         h.approve("bob");
         h.lines[0].signature.reset();
         h.lines[0].unsigned_why = "there is no signature";
       },
       "1:unsigned", "there is no signature"},
      {[](auto& h) {
         h.submit("alice");
         h.approve("bob");
         h.hashes[0] = sha256("another first line");
       },
       "2:other-history", "'bob' saw a ledger of 1 lines"},
      {[](auto& h) {
         h.approve("bob", {.seen = 0});
         h.lines[0].statement->ledger->size = 1;
         h.lines[0].statement->ledger->hash = h.hashes[0];
       },
       "1:other-history", "saw a ledger of 1 lines"},  // itself
      {[](auto& h) { h.withdraw("bob", h.approve("bob")); }, "1:withdrawn", "was withdrawn in line 2"},
  };
  for (const auto& one : cases) {
    DecisionHistory history;
    one.make(history);
    EXPECT_EQ(history.not_counted(), one.not_counted);
    EXPECT_THAT(history.decisions().approvals, IsEmpty()) << one.not_counted;
    EXPECT_THAT(history.against(), ::testing::Not(IsEmpty())) << one.not_counted;
    std::string said;
    for (const auto& not_counted : history.decisions().not_counted) said += not_counted.text + "\n";
    EXPECT_THAT(said, HasSubstr(one.words));
  }
}

// What nobody can read could be a rejection; a rejection of somebody unknown is none, or anybody could hold back all.
TEST(Decisions, WhatIsBrokenBlocksAndWhatIsForeignDoesNot) {
  for (const bool edited : {true, false}) {
    DecisionHistory history;
    history.approve("bob");
    const auto line = history.reject("carol");
    if (edited)
      history.lines[line - 1].not_good = "incorrect signature";
    else
      history.lines[line - 1].signature->key.blob = "key of nobody";
    EXPECT_EQ(history.decisions().is_broken(), edited);
    EXPECT_EQ(codes(history.against()), edited ? "statement-edited" : "");
  }
}

TEST(Decisions, OnePersonCountsOnceWhateverTheKeyAndTheName) {
  DecisionHistory history;
  history.approve("bob");
  history.approve("bob", {.key = "second key of bob"});
  EXPECT_EQ(history.not_counted(), "2:approval-not-distinct");
  EXPECT_EQ(codes(history.against({{.count = 2}})), "approval-missing");
  // Another name later, with a key that bob had.
  history.trust_version({DecisionHistory::signer("robert", "key of bob"), DecisionHistory::signer("carol", "c")});
  history.approve("robert", {.key = "key of bob"});
  EXPECT_EQ(codes(history.against({{.count = 2}})), "approval-missing");
  history.approve("carol", {.key = "c"});
  EXPECT_THAT(history.against({{.count = 2}}), IsEmpty());
  // And so cannot approve what he submitted.
  history.question.submitters = {"bob"};
  EXPECT_EQ(codes(history.against()), "");
  EXPECT_EQ(history.decisions().approvals.size(), 1U) << "carol's alone";
}

// Who forgot the ticket may approve again and name it, once: it counts as one person all the same.
TEST(Decisions, ApprovingAgainToNameTheTicketIsNoRepetition) {
  DecisionHistory history;
  const auto approve = [&](const std::string& ticket) {
    history.approve("bob");
    if (!ticket.empty()) history.lines.back().statement->ticket = ticket;
  };
  approve("");
  approve("CHG0042");
  EXPECT_EQ(history.not_counted(), "");
  EXPECT_EQ(codes(history.against({{.count = 2}})), "approval-missing");
  EXPECT_EQ(history.decisions().approvals.back().again, 1U);
  approve("CHG0043");
  EXPECT_EQ(history.not_counted(), "3:approval-not-distinct");
  const auto ticket = [&] { return people_in(history.decisions(), history.trust, {}, {}).approvals.front().ticket; };
  EXPECT_EQ(ticket(), "CHG0042") << "what does not count replaces nothing";
  // A ticket of a change that was promoted since is none of the next one: that one may be named.
  history.question.promoted = 2;
  EXPECT_EQ(history.not_counted(), "");
  EXPECT_EQ(ticket(), "CHG0043");
  EXPECT_EQ(people_in(history.decisions(), history.trust, {}, {}).approvals.front().ticket_seen, 2U);
  // Who approves once more for what was promoted, and names none, has named none for it.
  history.question.promoted = 3;
  approve("");
  const auto bob = people_in(history.decisions(), history.trust, {}, {}).approvals.front();
  EXPECT_EQ(bob.seen, 3U);
  EXPECT_LT(bob.ticket_seen, 3U);
}

// Somebody who approved before another version was promoted may look again: what they compared with is another one.
TEST(Decisions, ApprovingAgainAfterAPromotionIsNoRepetition) {
  DecisionHistory history;
  history.approve("bob");
  history.approve("erin");  // stands for the lines of a promotion
  history.approve("bob");
  const auto repetitions = [&] {
    return std::ranges::count(history.decisions().not_counted, WhyNot::approval_not_distinct, &NotCounted::why);
  };
  EXPECT_EQ(repetitions(), 1);
  for (const auto& [promoted, expected] : std::vector<std::pair<std::uint64_t, int>>{{1, 0}, {2, 0}, {3, 1}}) {
    history.question.promoted = promoted;
    EXPECT_EQ(repetitions(), expected) << promoted;
    EXPECT_EQ(people_in(history.decisions(), history.trust, {}, {}).approvals.size(), 2U) << "one person all the same";
  }
}

TEST(Decisions, WhatWasSignedBeforeAKeyWasTakenAwayStays) {
  DecisionHistory history;
  history.approve("bob");
  history.people({"carol"});
  EXPECT_THAT(history.against(), IsEmpty());
  history.approve("bob");
  EXPECT_EQ(history.not_counted(), "2:signer-unknown");
}

TEST(Decisions, ARejectionHoldsForTheRunAndForTheSetUntilItsAuthorWithdrawsIt) {
  for (const bool other_run : {false, true}) {
    DecisionHistory history;
    history.approve("bob");
    auto rejecting = history.statement(StatementKind::reject, "carol");
    if (other_run)
      rejecting.run = sha256("an earlier run of the same set");
    else
      rejecting.subjects[0].sha256 = sha256("another set of the same run");
    rejecting.policy.reset();
    const auto line = history.add(rejecting);
    EXPECT_EQ(codes(history.against()), "rejected");
    history.withdraw("bob", line);
    EXPECT_EQ(codes(history.against()), "rejected") << "not his";
    EXPECT_EQ(history.not_counted(), "3:withdrawal-not-by-author");
    history.approve("carol");
    EXPECT_EQ(codes(history.against()), "rejected") << "approving does not take it back";
    history.withdraw("carol", line);
    EXPECT_THAT(history.against(), IsEmpty());
  }
  DecisionHistory history;
  history.approve("bob");
  auto elsewhere = history.statement(StatementKind::reject, "carol");
  elsewhere.subjects[0].name = "hr";
  history.add(elsewhere);
  EXPECT_THAT(history.against(), IsEmpty()) << "of another department";
}

TEST(Decisions, WithdrawalsNameADecisionOfTheSameRunBeforeThem) {
  DecisionHistory history;
  const auto approval = history.approve("bob");
  const auto withdrawal = history.withdraw("bob", approval);
  history.withdraw("bob", withdrawal);
  EXPECT_EQ(history.not_counted(), "1:withdrawn 3:withdrawal-of-nothing");
  auto other = history.statement(StatementKind::withdraw, "bob");
  other.withdraws = sha256("nothing");
  history.add(other);
  const auto again = history.approve("bob");
  other.withdraws = history.lines[again - 1].object;
  other.run = sha256("another run");
  history.add(other);
  EXPECT_EQ(history.not_counted(),
            "1:withdrawn 3:withdrawal-of-nothing 4:withdrawal-of-nothing 6:withdrawal-of-nothing");
  EXPECT_THAT(history.against(), IsEmpty());
}

TEST(Decisions, AWaiverCountsOnceSomebodyElseApprovedWhoSawIt) {
  DecisionHistory history;
  history.question.failures = {mail, printer};
  history.approve("bob");
  EXPECT_EQ(codes(history.against()), "not-waived not-waived");
  history.waive("carol", {waive_mail, {"print", "", "service/cups", "review"}});
  EXPECT_EQ(codes(history.against()), "not-waived not-waived") << "bob approved before it";
  EXPECT_EQ(history.not_counted(), "2:waiver-not-approved");
  history.approve("dave", {.seen = 1});
  EXPECT_EQ(codes(history.against()), "not-waived not-waived") << "dave had not seen it";
  history.approve("bob");
  EXPECT_EQ(codes(history.against()), "") << "bob saw it this time";
  EXPECT_EQ(history.decisions().waiver_of(mail)->by, "carol");
  EXPECT_EQ(history.decisions().waiver_of(mail)->approved_by, "bob");
  EXPECT_EQ(history.decisions().waiver_of({FailureKind::check, "mail", "delivery", "warn"}), nullptr);
  EXPECT_EQ(history.decisions().waiver_of({FailureKind::error, "mail", "delivery", "fail"}), nullptr);
}

// To the second, by the clock or by the ledger, whichever is later.
TEST(Decisions, AWaiverEndsWhenItSays) {
  DecisionHistory history;
  history.question.failures = {mail};
  auto waiver = history.statement(StatementKind::waive, "carol");
  waiver.waives = {{waive_mail}};
  waiver.expires = "2026-12-12T00:00:00Z";
  history.add(waiver);
  history.approve("bob");
  const auto end = *parse_rfc3339("2026-12-12T00:00:00Z");
  history.question.now = end - std::chrono::milliseconds(1);
  EXPECT_THAT(history.against(), IsEmpty());
  history.question.now = end;
  EXPECT_EQ(codes(history.against()), "not-waived");
  EXPECT_EQ(history.not_counted(), "1:waiver-expired");
  history.question.now = history.start;
  EXPECT_THAT(history.against(), IsEmpty());
  history.submit("erin");
  history.lines.back().time = end;
  EXPECT_EQ(codes(history.against()), "not-waived") << "the clock was set back";
}

TEST(Decisions, AWaiverIsExact) {
  const auto said = [](const Waived& waived, const std::vector<Failure>& failures,
                       const std::function<void(Statement&)>& change = {}) {
    DecisionHistory history;
    history.question.failures = failures;
    auto waiver = history.statement(StatementKind::waive, "carol");
    waiver.waives = {{waived}};
    if (change) change(waiver);
    history.add(waiver);
    history.approve("bob");
    EXPECT_EQ(history.against().empty(), history.not_counted().empty());
    return history.not_counted();
  };
  EXPECT_EQ(said(waive_mail, {mail}), "");
  EXPECT_EQ(said({"mail", "relay", "", "fail"}, {mail}), "1:waiver-out-of-scope");
  EXPECT_EQ(said({"dns", "delivery", "", "fail"}, {mail}), "1:waiver-out-of-scope");
  EXPECT_EQ(said({"mail", "", "delivery", "fail"}, {mail}), "1:waiver-out-of-scope") << "a check is no finding";
  EXPECT_EQ(said({"mail", "delivery", "", "review"}, {mail}), "1:waiver-out-of-scope");
  for (const auto kind : {FailureKind::error, FailureKind::fence, FailureKind::golden, FailureKind::baseline,
                          FailureKind::control, FailureKind::other})
    EXPECT_EQ(said(waive_mail, {{kind, "mail", "delivery", "fail"}}), "1:waiver-forbidden");
  for (const char* word : {"error", "fence", "golden", "baseline", "control"}) {
    EXPECT_EQ(said({"mail", "delivery", "", word}, {{FailureKind::check, "mail", "delivery", word}}),
              "1:waiver-forbidden");
    EXPECT_EQ(said({"mail", word, "", "fail"}, {{FailureKind::check, "mail", word, "fail"}}), "1:waiver-forbidden");
    EXPECT_EQ(said({"mail", "", std::string(word) + "/x", "review"},
                   {{FailureKind::finding, "mail", std::string(word) + "/x", "review"}}),
              "1:waiver-forbidden");
  }
  EXPECT_EQ(said(waive_mail, {mail}, [](Statement& s) { s.by = "alice"; }), "1:waiver-not-distinct");
  EXPECT_EQ(said(waive_mail, {mail}, [](Statement& s) { s.run = sha256("x"); }), "1:waiver-of-other-run");
  EXPECT_EQ(said(waive_mail, {mail}, [](Statement& s) { s.subjects[0].sha256 = sha256("x"); }),
            "1:waiver-of-other-run");
  EXPECT_EQ(said(waive_mail, {mail}, [](Statement& s) { s.subjects[0].name = "hr"; }), "1:waiver-of-other-run");
  EXPECT_EQ(said(waive_mail, {mail}, [](Statement& s) { s.policy = sha256("x"); }), "1:waiver-of-other-run");
  // One that is waived does not hide one that cannot be.
  DecisionHistory history;
  history.question.failures = {mail, {FailureKind::baseline, "mail", "delivery", "fail"}};
  history.waive("carol", {waive_mail});
  history.approve("bob");
  EXPECT_EQ(codes(history.against()), "not-waived");
}

TEST(Decisions, WhoEverWaivedIsNeverTheApprover) {
  for (const int how : {0, 1, 2}) {
    DecisionHistory history;
    if (how == 2) history.question.failures = {mail};
    auto waiver = history.statement(StatementKind::waive, "carol");
    waiver.waives = {{waive_mail}};
    if (how == 0) waiver.expires = "2020-01-01T00:00:00Z";
    const auto line = history.add(waiver);
    if (how == 1) history.withdraw("carol", line);
    history.approve("carol");
    EXPECT_THAT(history.not_counted(), HasSubstr("approval-not-distinct")) << how;
  }
}

TEST(Decisions, SecurityKeysMayBeDemanded) {
  DecisionHistory history;
  history.approve("bob");
  history.approve("carol", {.security_key = SecurityKeyUse{0x00, 1, {}}});
  history.approve("dave", {.security_key = SecurityKeyUse{0x01, 1, {}}});
  EXPECT_EQ(codes(history.against({{.count = 1, .security_key = SecurityKey::touched}})), "");
  EXPECT_EQ(codes(history.against({{.count = 2, .security_key = SecurityKey::touched}})),
            "approval-missing security-key-not-touched security-key-not-touched");
  EXPECT_EQ(codes(history.against({{.count = 1, .security_key = SecurityKey::verified}})),
            "approval-missing security-key-not-verified security-key-not-verified security-key-not-verified");
  history.approve("erin", {.security_key = SecurityKeyUse{0x05, 1, {}}});
  EXPECT_EQ(codes(history.against({{.count = 1, .security_key = SecurityKey::verified},
                                   {.count = 2, .security_key = SecurityKey::touched}})),
            "");
}

// The rule behind all others: only an approval, or taking a rejection back, lets anything pass that was blocked.
class RandomHistory {
 public:
  explicit RandomHistory(std::uint32_t seed) : random_(seed) {
    if (random_() % 2 == 0) history.question.failures.push_back(mail);
    if (random_() % 6 == 0) history.question.failures.push_back(printer);
    history.question.submitters = {pick(people_)};
    needs = {{.count = static_cast<std::uint32_t>(1 + random_() % 2),
              .security_key = random_() % 2 == 0 ? SecurityKey::any : static_cast<SecurityKey>(random_() % 3)}};
  }

  // Whether what was added may make it pass.
  bool grow() {
    const auto by = pick(people_);
    auto kind = pick(std::vector{StatementKind::approve, StatementKind::reject, StatementKind::waive,
                                 StatementKind::withdraw, StatementKind::submit, StatementKind::approve,
                                 StatementKind::approve, StatementKind::approve, StatementKind::waive});
    auto made = history.statement(kind, by);
    bool takes_a_rejection_back = false;
    if (kind == StatementKind::waive)
      made.waives = {pick(std::vector<Waived>{
          waive_mail, waive_mail, {"print", "", "service/cups", "review"}, {"dns", "x", "", "fail"}})};
    if (kind == StatementKind::waive && random_() % 4 == 0)
      made.expires = "2026-11-28T0" + std::to_string(random_() % 10) + ":00:00Z";
    if (kind == StatementKind::withdraw) {
      if (history.lines.empty()) return false;
      const auto rejection = std::ranges::find(history.lines, "reject", &LedgerStatement::line_kind);
      const auto& target = rejection != history.lines.end() && random_() % 2 == 0 ? *rejection : pick(history.lines);
      made.withdraws = target.object;
      if (target.statement && target.statement->run) {
        made.run = target.statement->run;
        made.subjects = target.statement->subjects;
      }
      takes_a_rejection_back = target.statement && target.statement->kind == StatementKind::reject;
      if (target.statement && random_() % 4 != 0) made.by = target.statement->by;
    }
    if (random_() % 16 == 0) made.subjects[0].sha256 = sha256("other");
    if (random_() % 16 == 0 && kind != StatementKind::submit) made.run = sha256("other");
    if (random_() % 20 == 0) made.subjects[0].name = "hr";
    if (random_() % 20 == 0) made.policy = sha256("other");
    DecisionHistory::How how;
    if (random_() % 4 == 0)
      how.key = (random_() % 2 == 0 ? "second key of " : "key of ") + (random_() % 2 == 0 ? made.by : pick(people_));
    if (random_() % 3 != 0) how.security_key = SecurityKeyUse{static_cast<std::uint8_t>(random_() % 8), 0, {}};
    if (random_() % 4 == 0) how.seen = random_() % (history.hashes.size() + 1);
    history.add(made, how);
    if (random_() % 150 == 0) history.lines.back().not_good = "incorrect signature";
    if (random_() % 150 == 0) history.lines.back().statement.reset();
    if (random_() % 20 == 0) history.people({pick(people_), pick(people_), pick(people_)});
    return kind == StatementKind::approve || takes_a_rejection_back;
  }
  [[nodiscard]] bool passes() const { return history.against(needs).empty(); }

  DecisionHistory history;
  std::vector<ApprovalRule> needs;

 private:
  template <class T>
  const T& pick(const std::vector<T>& values) {
    return values[random_() % values.size()];
  }
  std::mt19937 random_;
  const std::vector<std::string> people_{"alice", "bob", "carol", "dave", "erin"};
};

TEST(Decisions, OnlyAnApprovalOrTakingARejectionBackLetsAnythingPass) {
  int passed = 0;
  int came_by_approval = 0;
  int came_by_withdrawal = 0;
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    RandomHistory world(seed);
    bool before = world.passes();
    for (int step = 0; step < 12; ++step) {
      const bool may_pass = world.grow();
      const bool after = world.passes();
      ASSERT_TRUE(before || !after || may_pass) << "seed " << seed << ", line " << world.history.lines.size();
      if (!before && after) {
        const auto& last = world.history.lines.back();
        (last.line_kind == "approve" ? came_by_approval : came_by_withdrawal)++;
      }
      before = after;
      passed += after ? 1 : 0;
    }
  }
  EXPECT_GT(passed, 1000) << "or nothing was proven";
  EXPECT_GT(came_by_approval, 100);
  EXPECT_GT(came_by_withdrawal, 5);
}

// The whole way once, with stock ssh-keygen: what it says at the time of the line becomes a fact.
TEST(Examine, AsksSshKeygenAtTheTimeOfTheLine) {
  const testing::SshKeys keys;
  const auto time = *parse_rfc3339("2026-11-28T10:00:00Z");
  const auto text =
      "bob namespaces=\"patchlab.approve.v1\",valid-before=\"20261128100000Z\" " + keys.line("bob") + "\n";
  const Trust trust({{1, time - std::chrono::hours(1), text, read_signers(text, SignersOf::statements).signers}});
  DecisionHistory history;
  auto statement = history.statement(StatementKind::approve, "bob");
  statement.ledger = SeenLedger{0, std::string(64, '0')};
  const auto bytes = write_statement(statement).value();
  LedgerDocument document{
      1, time, "approve", "bob", sha256(bytes), bytes, keys.sign("bob", "patchlab.approve.v1", bytes)};
  const auto why = [&](const LedgerDocument& one) {
    const auto line = examine(host_processes(), one, trust);
    EXPECT_TRUE(line);
    const auto decisions = decisions_about(history.question, {*line}, {sha256("line 1")}, trust);
    return decisions.not_counted.empty() ? std::string() : std::string(to_string(decisions.not_counted[0].why));
  };
  EXPECT_EQ(why(document), "");
  auto other = document;
  other.time += std::chrono::seconds(1);
  EXPECT_EQ(why(other), "signer-not-in-force");
  other = document;
  other.bytes[bytes.find("because")] = 'B';
  EXPECT_EQ(why(other), "statement-edited") << "other bytes below the same name";
  other.object = sha256(other.bytes);
  EXPECT_EQ(why(other), "statement-edited") << "with a name of their own, and the old signature";
  other = document;
  other.signature = keys.sign("bob", "patchlab.submit.v1", bytes);
  EXPECT_EQ(why(other), "namespace-not-allowed");
  other.signature = keys.sign("carol", "patchlab.approve.v1", bytes);
  EXPECT_EQ(why(other), "signer-unknown");
  other.signature = "";
  EXPECT_EQ(why(other), "unsigned");
  other = document;
  other.bytes += "\n";
  other.object = sha256(other.bytes);
  EXPECT_EQ(why(other), "statement-unreadable");
  other.bytes = R"({"predicate":{"kind":"bless"}})"
                "\n";
  other.object = sha256(other.bytes);
  EXPECT_EQ(why(other), "unknown-kind");
}

}  // namespace
}  // namespace patchlab::promotion
