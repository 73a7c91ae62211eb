// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/desk/reviews.hpp"

#include <gmock/gmock.h>

#include "promotion/book/failures.hpp"
#include "promotion/evidence/past_reviews.hpp"
#include "promotion/evidence/signed_lines.hpp"
#include "tests/support/ssh_keys.hpp"
#include "tests/unit/promotion/desk/desk_fixture.hpp"

namespace patchlab::promotion {
namespace {
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

PeopleOn approved_by(std::vector<ApprovalGiven> approvals) {
  PeopleOn people;
  people.approvals = std::move(approvals);
  return people;
}

TEST(MissingForReview, AreTheNormalApprovalsAndSomebodyWhoSawIt) {
  Policy policy;
  policy.approvals = {{.count = 2, .security_key = SecurityKey::touched}, {.count = 3, .severities = {"critical"}}};
  const std::map<std::string, std::string> low{{"a", "low"}};
  const auto missing = [&](const PeopleOn& people, const std::map<std::string, std::string>& severities) {
    return missing_for_review(policy, people, severities, 9);
  };
  const ApprovalGiven bob{.by = "bob", .key = SecurityKey::touched, .seen = 5};
  const ApprovalGiven carol{.by = "carol", .key = SecurityKey::verified, .seen = 9};
  EXPECT_THAT(missing(approved_by({}), low), ElementsAre("0 of 2 approvals that are asked of any other promotion",
                                                         "nobody approved since it was promoted"));
  EXPECT_THAT(missing(approved_by({carol}), low), ElementsAre(HasSubstr("1 of 2 approvals")));
  EXPECT_THAT(missing(approved_by({bob, carol}), low), IsEmpty());
  EXPECT_THAT(missing(approved_by({bob, carol}), {{"a", "critical"}}), ElementsAre(HasSubstr("2 of 3 approvals")));
  auto early = carol;
  early.seen = 8;
  EXPECT_THAT(missing(approved_by({bob, early}), low), ElementsAre("nobody approved since it was promoted"));
  auto submitter = carol;
  submitter.submitted = true;
  EXPECT_THAT(missing(approved_by({bob, submitter}), low), ElementsAre("nobody approved since it was promoted"));
  auto without_key = carol;
  without_key.key = SecurityKey::any;
  EXPECT_THAT(missing(approved_by({bob, without_key}), low), ElementsAre(HasSubstr("1 of 2 approvals")));
  auto rejected = approved_by({bob, carol});
  rejected.objections = {{ReasonCode::rejected, "line 7: rejected by 'eve': no"}};
  EXPECT_THAT(missing(rejected, low), ElementsAre("line 7: rejected by 'eve': no"));
  policy.approvals.clear();
  EXPECT_THAT(missing(approved_by({bob}), low), ElementsAre("nobody approved since it was promoted"));
  EXPECT_THAT(missing(approved_by({carol}), low), IsEmpty());
}

// A desk whose policy asks two people, and one in an emergency that is reviewed within two days.
class EmergencyDesk : public DeskTest {
 protected:
  EmergencyDesk() {
    for (auto& candidate : record_.candidates) candidate.severity = "critical";
    write_down(record_);
    Json document{
        {"schema", "patchlab/policy/v1"},
        {"id", "production"},
        {"valid_since", "2026-11-01T00:00:00Z"},
        {"valid_until", "2026-12-24T00:00:00Z"},
        {"approvals", {{{"count", 2}}}},
        {"emergency", {{"severity", {"critical"}}, {"approvals", {{{"count", 1}}}}, {"review_within_days", 2}}}};
    put_in_force(document, 1);
    policy_ = parse_policy(document.dump(), "1.json").value();
    std::string text;
    for (const auto* name : {"bob", "carol"}) {
      text += std::string(name) + " namespaces=\"patchlab.approve.v1,patchlab.reject.v1,patchlab.withdraw.v1\" " +
              keys_.line(name) + "\n";
    }
    const auto signing = [this](const std::string& bytes) -> Result<std::string> {
      return keys_.sign("root", signature_namespace(StatementKind::trust), bytes);
    };
    EXPECT_TRUE(book_.add_trust(text, "root", read_public_key_file(keys_.line("root"), "root").value(), {}, signing));
  }
  void put_in_force(const Json& document, int number) {
    const auto folder = root_ / "stage" / chain_folder_name / "policy";
    EXPECT_TRUE(create_folders(folder));
    EXPECT_TRUE(write_file_atomically(folder / fmt::format("{}.json", number), document.dump()));
    documents_.push_back(parse_policy(document.dump(), "x.json").value());
  }
  [[nodiscard]] Desk desk_now() const {
    return {{.stage = root_ / "stage", .ledger = root_ / "ledger.jsonl"},
            policy_,
            lab_,
            clock_.wall(),
            {.by = "lab@x", .submitter = "alice@x", .clock = &clock_}};
  }
  void decide(StatementKind kind, const std::string& by) { decide(kind, by, record_); }
  void decide(StatementKind kind, const std::string& by, const reports::RunRecord& record) {
    const auto& finance = record.departments.front();
    const DecisionTarget target{finance.name, reports::record_digest(record),
                                sha256(sha256sums_of(record, tested_set(finance))), policy_.digest};
    auto statement = DecisionBook::draft(kind, by, target, book_.read(target).value());
    statement.reason = "looked at it";
    const auto bytes = write_statement(statement).value();
    const auto added = book_.add(bytes, keys_.sign(by, signature_namespace(kind), bytes));
    EXPECT_TRUE(added) << added.error().message;
  }
  [[nodiscard]] Desk::Promotions in_an_emergency(const reports::RunRecord& record) const {
    return desk_now().promote(record, {}, {.emergency = {"mail is exploited", "CHG7"}});
  }
  [[nodiscard]] std::vector<Review> reviews() const {
    const auto found = reviews_at_desk(root_ / "stage", clock_.wall());
    EXPECT_TRUE(found) << found.error().message;
    // Whoever has the ledger alone finds the same.
    const auto past = looking_back(chain().read().value().lines.size() + 1);
    EXPECT_EQ(past.size(), found.value_or({}).size());
    for (std::size_t i = 0; i < std::min(past.size(), found.value_or({}).size()); ++i) {
      EXPECT_EQ(past[i].answered, (*found)[i].answered);
      EXPECT_EQ(past[i].asked.run, (*found)[i].run);
      EXPECT_EQ(past[i].unknown, "");
    }
    return found.value_or({});
  }
  // As of the lines before this one; without the statement of `lacking` (0: all are there).
  [[nodiscard]] std::vector<PastReview> looking_back(std::uint64_t before, std::uint64_t lacking = 0,
                                                     const std::string& department = "finance") const {
    const auto ledger = root_ / "stage" / chain_folder_name;
    BundleChain bundle{chain().read().value(), {}};
    bundle.lacks.assign(bundle.state.lines.size(), false);
    if (lacking > 0) bundle.lacks[lacking - 1] = true;
    const auto trust =
        read_trust(host_processes(), ledger, bundle.state, read_file(ledger / "trust" / "roots").value());
    EXPECT_TRUE(trust) << trust.error().message;
    std::vector<PolicyOfLedger> documents;
    for (const auto& policy : documents_) {
      const auto named = std::ranges::find(bundle.state.history.policies(), policy.digest, &NamedPolicy::document);
      documents.push_back({policy, named == bundle.state.history.policies().end() ? 0 : named->line});
    }
    const auto found = past_reviews(host_processes(), ledger, bundle, *trust, documents, department, before);
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or({});
  }
  // As another night, with the same candidates.
  [[nodiscard]] reports::RunRecord another() {
    auto other = record_;
    other.id = fmt::format("2026-11-22T06{}250Z-000001", ++nights_);
    write_down(other);
    return other;
  }

  testing::SshKeys keys_;
  DecisionBook book_{root_ / "stage" / chain_folder_name, host_processes(), clock_};
  Policy policy_;
  std::vector<Policy> documents_;
  int nights_ = 20;
};

TEST_F(EmergencyDesk, IsWrittenDownSaidAndReviewed) {
  decide(StatementKind::approve, "bob");
  EXPECT_EQ(desk_now().promote(record_, {}).exit_code, ExitCode::policy);
  const auto promoted = in_an_emergency(record_);
  ASSERT_EQ(promoted.exit_code, ExitCode::ok) << ::testing::PrintToString(promoted.decisions.front().reasons());
  const auto due = rfc3339(clock_.wall() + std::chrono::days(2));
  EXPECT_EQ(to_string(promoted.decisions.front().emergency), "emergency (CHG7): mail is exploited: review by " + due);
  const auto statement = last();
  EXPECT_EQ(statement.kind, StatementKind::promote);
  EXPECT_EQ(statement.reason, "mail is exploited");
  EXPECT_EQ(statement.ticket, "CHG7");
  EXPECT_EQ(statement.review_by, due);
  const auto manifest = read_json_file(root_ / "stage" / "finance" / "manifest.json").value();
  EXPECT_EQ(manifest.at("emergency"), (Json{{"reason", "mail is exploited"}, {"ticket", "CHG7"}, {"review_by", due}}));
  EXPECT_THAT(problems(), IsEmpty());
  ASSERT_THAT(reviews(), SizeIs(1));
  EXPECT_THAT(reviews()[0].missing, ElementsAre("1 of 2 approvals that are asked of any other promotion",
                                                "nobody approved since it was promoted"));
  EXPECT_THAT(reviews()[0].whom, ElementsAre("carol"));
  EXPECT_EQ(to_string(desk_now().decisions(record_).front().emergency),
            "emergency (CHG7): mail is exploited: review by " + due);
  // Whoever asks for the normal way afterwards changes nothing of it.
  EXPECT_EQ(desk_now().promote(record_, {}).exit_code, ExitCode::policy);
  decide(StatementKind::approve, "bob");
  EXPECT_THAT(reviews()[0].missing, ElementsAre("1 of 2 approvals that are asked of any other promotion"));
  decide(StatementKind::approve, "carol");
  EXPECT_EQ(reviews()[0].answered, "reviewed by bob, carol");
  EXPECT_EQ(to_string(desk_now().decisions(record_).front().emergency),
            "emergency (CHG7): mail is exploited: reviewed by bob, carol");
  EXPECT_EQ(desk_now().promote(record_, {}).exit_code, ExitCode::ok) << "it is published already";
  EXPECT_EQ(reviews()[0].answered, "reviewed by bob, carol");
}

TEST_F(EmergencyDesk, AnOverdueReviewBlocksTheNextOneUntilSomebodyLooks) {
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(in_an_emergency(record_).exit_code, ExitCode::ok);
  const auto next = another();
  decide(StatementKind::approve, "bob", next);
  clock_.advance(std::chrono::hours(48) - std::chrono::milliseconds(1));
  EXPECT_THAT(in_an_emergency(next).decisions.front().reasons(), IsEmpty()) << "there is time left";
  const auto third = another();
  decide(StatementKind::approve, "bob", third);
  clock_.advance(std::chrono::hours(24));
  const auto refused = in_an_emergency(third);
  EXPECT_EQ(refused.exit_code, ExitCode::policy);
  EXPECT_THAT(refused.decisions.front().reasons(), ElementsAre(HasSubstr("review-overdue: finance: the emergency "
                                                                         "promotion of run " +
                                                                         record_.id)));
  // Rejecting is no review, and hides nothing.
  decide(StatementKind::reject, "carol");
  EXPECT_EQ(in_an_emergency(third).exit_code, ExitCode::policy);
  EXPECT_THAT(reviews()[0].missing, Contains(HasSubstr("rejected by 'carol'")));
}

TEST_F(EmergencyDesk, WhatWasTakenBackNeedsNoReview) {
  clock_.advance(std::chrono::hours(1));
  const auto older = another();
  decide(StatementKind::approve, "bob", older);
  decide(StatementKind::approve, "carol", older);
  record_.finished = "2026-11-22T06:13:32.480Z";
  record_.id = "2026-11-22T061332Z-000009";
  write_down(record_);
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(in_an_emergency(record_).exit_code, ExitCode::ok);
  clock_.advance(std::chrono::hours(72));
  EXPECT_EQ(desk_now().promote(older, {}).exit_code, ExitCode::policy);
  const auto back = desk_now().promote(older, {}, {.rollback = "it breaks mail"});
  EXPECT_EQ(back.exit_code, ExitCode::ok) << ::testing::PrintToString(back.decisions.front().reasons());
  EXPECT_THAT(reviews()[0].answered, HasSubstr("taken back by the rollback of line "));
  const auto last = chain().read().value().lines.size();
  EXPECT_TRUE(looking_back(last)[0].is_open()) << "it was not done yet";
  // It takes back what was there; the next emergency is another one.
  auto next = record_;
  next.id = "2026-11-22T061332Z-000010";
  next.finished = "2026-11-22T06:14:32.480Z";
  write_down(next);
  decide(StatementKind::approve, "bob", next);
  const auto promoted = in_an_emergency(next);
  ASSERT_EQ(promoted.exit_code, ExitCode::ok) << ::testing::PrintToString(promoted.decisions.front().reasons());
  ASSERT_THAT(reviews(), SizeIs(2));
  EXPECT_TRUE(reviews()[1].is_open());
}

// An approval counts under the policy that it names, if that was in force when it was given: an old policy that asked
// less closes no review.
TEST_F(EmergencyDesk, AReviewIsByThePolicyThatWasInForceThen) {
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(in_an_emergency(record_).exit_code, ExitCode::ok);
  Json lenient{{"schema", "patchlab/policy/v1"},
               {"id", "lenient"},
               {"valid_since", "2026-12-24T00:00:00Z"},
               {"valid_until", "2026-12-25T00:00:00Z"},
               {"approvals", {{{"count", 1}}}}};
  put_in_force(lenient, 2);
  const auto production = policy_;
  policy_ = parse_policy(lenient.dump(), "2.json").value();
  EXPECT_THAT(reviews()[0].missing, ElementsAre(HasSubstr("1 of 2 approvals"), HasSubstr("nobody approved since")))
      << "what the policy asks that is in force";
  decide(StatementKind::approve, "carol");  // under a policy that is not in force yet
  policy_ = production;
  EXPECT_TRUE(reviews()[0].is_open());
  decide(StatementKind::approve, "carol");
  EXPECT_FALSE(reviews()[0].is_open());
}

// What was in force is said by the ledger's order: who adds a policy cannot have it begin before those who approved.
TEST_F(EmergencyDesk, APolicyThatCameLaterTakesNoApprovalBack) {
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(in_an_emergency(record_).exit_code, ExitCode::ok);
  clock_.advance(std::chrono::hours(1));
  decide(StatementKind::approve, "bob");
  decide(StatementKind::approve, "carol");
  ASSERT_FALSE(reviews()[0].is_open());
  clock_.advance(std::chrono::hours(1));
  Json stricter{
      {"schema", "patchlab/policy/v1"},        {"id", "stricter"},           {"valid_since", "2026-11-01T00:00:01Z"},
      {"valid_until", "2026-12-24T00:00:00Z"}, {"replaces", policy_.digest}, {"approvals", {{{"count", 3}}}}};
  put_in_force(stricter, 2);
  EXPECT_FALSE(reviews()[0].is_open()) << "before a line of the ledger names it";
  policy_ = parse_policy(stricter.dump(), "2.json").value();
  const auto next = another();
  EXPECT_EQ(desk_now().promote(next, {}).exit_code, ExitCode::policy);  // names it
  EXPECT_EQ(reviews()[0].answered, "reviewed by bob, carol");
  EXPECT_THAT(problems(), IsEmpty());
}

// From then on the one that it replaced closes nothing any more.
TEST_F(EmergencyDesk, APolicyThatWasReplacedBeforeClosesNoReview) {
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(in_an_emergency(record_).exit_code, ExitCode::ok);
  Json stricter{
      {"schema", "patchlab/policy/v1"},        {"id", "stricter"},           {"valid_since", "2026-11-01T00:00:01Z"},
      {"valid_until", "2026-12-24T00:00:00Z"}, {"replaces", policy_.digest}, {"approvals", {{{"count", 3}}}}};
  put_in_force(stricter, 2);
  const auto production = policy_;
  policy_ = parse_policy(stricter.dump(), "2.json").value();
  const auto next = another();
  EXPECT_EQ(desk_now().promote(next, {}).exit_code, ExitCode::policy);  // names it
  policy_ = production;
  clock_.advance(std::chrono::hours(1));
  decide(StatementKind::approve, "bob");
  decide(StatementKind::approve, "carol");
  EXPECT_TRUE(reviews()[0].is_open());
}

TEST_F(EmergencyDesk, TheLedgerTellsWhatWasReviewedAtEachLine) {
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(in_an_emergency(record_).exit_code, ExitCode::ok);
  const auto done = chain().read().value().lines.size();
  decide(StatementKind::approve, "bob");
  decide(StatementKind::approve, "carol");
  const auto last = chain().read().value().lines.size();
  ASSERT_EQ(last, done + 2);
  EXPECT_THAT(looking_back(done), IsEmpty()) << "it was not done yet";
  for (auto before = done + 1; before <= last; ++before) {
    ASSERT_THAT(looking_back(before), SizeIs(1));
    EXPECT_TRUE(looking_back(before)[0].is_open()) << before;
  }
  EXPECT_EQ(looking_back(last + 1)[0].answered, "reviewed by bob, carol");
  EXPECT_EQ(looking_back(last + 1)[0].ticket, "CHG7");
  EXPECT_THAT(looking_back(last + 1, 0, "hr"), IsEmpty()) << "of another department";
  // What is left out could be the review, if it came afterwards.
  EXPECT_EQ(looking_back(last + 1, last)[0].unknown, fmt::format("approvals since then are not here (line {})", last));
  EXPECT_EQ(looking_back(last + 1, last)[0].answered, "");
  EXPECT_TRUE(looking_back(last, last)[0].is_open()) << "nothing is left out before that line";
}

// What nobody can read may be unreviewed.
TEST_F(EmergencyDesk, BlocksWhenNobodyCanTellWhatWasReviewed) {
  decide(StatementKind::approve, "bob");
  ASSERT_EQ(in_an_emergency(record_).exit_code, ExitCode::ok);
  const auto next = another();
  decide(StatementKind::approve, "bob", next);
  decide(StatementKind::approve, "carol", next);
  EXPECT_THAT(desk_now().decisions(next).front().reasons(), IsEmpty());
  EXPECT_TRUE(write_file_atomically(root_ / "stage" / chain_folder_name / "policy" / "note.txt", "x"));
  EXPECT_THAT(desk_now().decisions(next).front().reasons(),
              Contains(HasSubstr("nobody can tell what was reviewed of emergency promotions")));
}

}  // namespace
}  // namespace patchlab::promotion
