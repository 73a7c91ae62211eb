// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/book/book.hpp"

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "promotion/book/failures.hpp"
#include "tests/support/decision_history.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/ssh_keys.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SshKeys;

class Book : public ::testing::Test {
 protected:
  std::string signers(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) {
      text += name + " namespaces=\"patchlab.approve.v1,patchlab.reject.v1,patchlab.waive.v1,patchlab.withdraw.v1\" " +
              keys_.line(name) + "\n";
    }
    return text;
  }
  PublicKey key(const std::string& name) { return read_public_key_file(keys_.line(name), name).value(); }
  DecisionBook::Sign signer(const std::string& name) {
    return [this, name](const std::string& bytes) -> Result<std::string> {
      return keys_.sign(name, signature_namespace(StatementKind::trust), bytes);
    };
  }
  Result<TrustVersion> trust(const std::vector<std::string>& names, const std::string& root = "root") {
    return book_.add_trust(signers(names), root, key(root), {}, signer(root));
  }
  // Drafts, signs and adds; the error's message, or nothing.
  std::string decide(StatementKind kind, const std::string& by, const std::function<void(Statement&)>& change = {}) {
    const auto contents = book_.read(target_);
    EXPECT_TRUE(contents) << contents.error().message;
    auto statement = DecisionBook::draft(kind, by, target_, *contents);
    statement.reason = "because";
    if (change) change(statement);
    const auto bytes = write_statement(statement).value();
    const auto added = book_.add(bytes, keys_.sign(by, signature_namespace(kind), bytes));
    return added ? std::string() : added.error().message;
  }
  std::string against() {
    const auto contents = book_.read(target_);
    EXPECT_TRUE(contents) << contents.error().message;
    const auto question = DecisionBook::question(target_, *contents, failures_, clock_.wall());
    return fmt::format("{}", fmt::join(testing::codes_against(question, DecisionBook::decisions(question, *contents),
                                                              contents->trust, {ApprovalRule{}}),
                                       " "));
  }

  SshKeys keys_;
  test::FakeClock clock_;
  const std::filesystem::path folder_ = keys_.folder() / "stage" / chain_folder_name;
  DecisionBook book_{folder_, host_processes(), clock_};
  const DecisionTarget target_{"finance", sha256("run"), sha256("set"), sha256("policy")};
  std::vector<Failure> failures_;
};

TEST_F(Book, TakesDecisionsOfWhoIsTrustedAndNoOthers) {
  EXPECT_THAT(decide(StatementKind::approve, "bob"), HasSubstr("signer-unknown: ")) << "nobody is trusted yet";
  ASSERT_TRUE(trust({"bob", "carol"}));
  EXPECT_EQ(against(), "approval-missing");
  EXPECT_THAT(decide(StatementKind::approve, "mallory"), HasSubstr("signer-unknown: "));
  EXPECT_THAT(decide(StatementKind::submit, "bob"), HasSubstr("namespace-not-allowed: "));
  EXPECT_EQ(decide(StatementKind::approve, "bob"), "");
  EXPECT_EQ(against(), "");
  EXPECT_EQ(decide(StatementKind::reject, "carol"), "");
  EXPECT_EQ(against(), "rejected");
  const auto rejected = book_.read(target_)->statements.back().object;
  EXPECT_EQ(decide(StatementKind::withdraw, "carol", [&](Statement& s) { s.withdraws = rejected; }), "");
  EXPECT_EQ(against(), "");
  EXPECT_TRUE(book_.chain().verify());
}

TEST_F(Book, RefusesWhatIsNotWhatWasSigned) {
  ASSERT_TRUE(trust({"bob", "carol"}));
  const auto contents = book_.read(target_).value();
  auto statement = DecisionBook::draft(StatementKind::approve, "bob", target_, contents);
  statement.reason = "because";
  const auto bytes = write_statement(statement).value();
  const auto signature = keys_.sign("bob", "patchlab.approve.v1", bytes);
  const auto why = [&](const std::string& text, const std::string& made) {
    const auto added = book_.add(text, made);
    return added ? std::string() : added.error().message;
  };
  auto edited = bytes;
  edited.replace(edited.find("because"), 7, "Because");
  EXPECT_THAT(why(edited, signature), HasSubstr("statement-edited: "));
  EXPECT_THAT(why(bytes, keys_.sign("carol", "patchlab.approve.v1", bytes)), HasSubstr("signer-differs: "));
  EXPECT_THAT(why(bytes, keys_.sign("bob", "patchlab.reject.v1", bytes)), HasSubstr("namespace-not-allowed: "));
  EXPECT_THAT(why(bytes, ""), HasSubstr("unsigned: "));
  EXPECT_THAT(why(bytes + " ", signature), HasSubstr("the statement: has no newline"));
  EXPECT_THAT(why(bytes.substr(0, 20), signature), HasSubstr("the statement: "));
  auto other = statement;
  other.ledger->hash = sha256("another history");
  const auto elsewhere = write_statement(other).value();
  EXPECT_THAT(why(elsewhere, keys_.sign("bob", "patchlab.approve.v1", elsewhere)), HasSubstr("other-history: "));
  EXPECT_EQ(book_.chain().read()->lines.size(), 1U) << "nothing was added but the trust";
  EXPECT_EQ(why(bytes, signature), "");
}

TEST_F(Book, SaysBeforeAnybodySignsThatItWouldNotCount) {
  ASSERT_TRUE(trust({"bob", "carol"}));
  const auto contents = book_.read(target_).value();
  auto question = DecisionBook::question(target_, contents, {}, clock_.wall());
  auto statement = DecisionBook::draft(StatementKind::approve, "bob", target_, contents);
  statement.reason = "because";
  EXPECT_FALSE(DecisionBook::would_not_count(statement, key("bob"), question, contents));
  question.submitters = {"bob"};
  const auto why = DecisionBook::would_not_count(statement, key("bob"), question, contents);
  ASSERT_TRUE(why);
  EXPECT_EQ(why->why, WhyNot::approval_not_distinct);
  EXPECT_EQ(DecisionBook::would_not_count(statement, key("mallory"), question, contents)->why, WhyNot::signer_unknown);
}

TEST_F(Book, TrustIsSignedByItsRootVersionByVersion) {
  ASSERT_TRUE(trust({"bob"}));
  EXPECT_FALSE(trust({"mallory"}, "mallory")) << "another root";
  auto second = trust({"carol"});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->number, 2U);
  EXPECT_EQ(book_.trust()->versions().size(), 2U);
  EXPECT_THAT(decide(StatementKind::approve, "bob"), HasSubstr("signer-unknown"));
  EXPECT_EQ(decide(StatementKind::approve, "carol"), "");
  // Stock tools find the copy and its signature.
  const auto copy =
      read_trust_version(host_processes(), folder_ / "trust" / "2", book_.roots().value(), 2, clock_.wall());
  EXPECT_TRUE(copy) << copy.error().message;
  EXPECT_TRUE(book_.chain().verify());
  // Bad lists are not signed at all.
  bool asked = false;
  EXPECT_FALSE(book_.add_trust("bob " + keys_.line("bob") + "\n", "root", key("root"), {},
                               [&](const std::string&) -> Result<std::string> {
                                 asked = true;
                                 return std::string();
                               }));
  EXPECT_FALSE(asked);
  // Another pin, and nothing of it counts: the whole ledger of decisions cannot be read.
  ASSERT_TRUE(write_file_atomically(folder_ / "trust" / "roots",
                                    "root namespaces=\"patchlab.trust.v1\" " + keys_.line("mallory") + "\n"));
  const auto read = book_.read(target_);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("which is no root key that is pinned"));
}

// An old list cannot come back: the root's statement says which version it is.
TEST_F(Book, AnOldListOfSignersDoesNotComeBack) {
  ASSERT_TRUE(trust({"bob", "mallory"}));
  ASSERT_TRUE(trust({"bob"}));
  Chain chain(folder_, {.clock = &clock_});
  const auto state = chain.read().value();
  const auto old = state.lines.front();
  auto bytes = chain.objects().get(old.object).value();
  const auto signature = chain.objects().signature(old.object).value();
  EXPECT_FALSE(chain.append({.kind = ChainKind::trust, .by = "root", .object = bytes, .signature = signature}))
      << "twice";
  // As a new statement it would need the root again.
  bytes.replace(bytes.find("\"version\":1"), 11, "\"version\":3");
  if (chain.append({.kind = ChainKind::trust, .by = "root", .object = bytes, .signature = signature})) {
    EXPECT_FALSE(book_.read(target_));
  }
}

TEST_F(Book, ReadsOnlyWhatConcernsTheRun) {
  ASSERT_TRUE(trust({"bob", "carol"}));
  EXPECT_EQ(decide(StatementKind::approve, "bob",
                   [](Statement& s) {
                     s.run = sha256("another run");
                     s.subjects[0].sha256 = sha256("another set");
                   }),
            "");
  EXPECT_THAT(book_.read(target_)->statements, IsEmpty());
  EXPECT_EQ(decide(StatementKind::approve, "carol", [](Statement& s) { s.run = sha256("another run"); }), "");
  EXPECT_EQ(book_.read(target_)->statements.size(), 1U) << "of the same set";
  EXPECT_EQ(against(), "approval-missing");
}

TEST(FailuresOf, ARecordTellsWhatMayBeWaived) {
  reports::DepartmentRecord department;
  const auto trial = [&](reports::Purpose purpose, Outcome outcome, const std::string& id) {
    reports::TrialRecord one;
    one.id = "finance/t" + std::to_string(department.trials.size());
    one.purpose = purpose;
    reports::PhaseRecord phase;
    phase.machine = "mail";
    checks::CheckResult check;
    check.id = id;
    check.outcome = outcome;
    phase.checks.push_back(check);
    one.phases.push_back(phase);
    department.trials.push_back(one);
  };
  trial(reports::Purpose::baseline, Outcome::fail, "a");
  trial(reports::Purpose::control, Outcome::fail, "b");
  trial(reports::Purpose::batch, Outcome::fail, "c");
  trial(reports::Purpose::search, Outcome::fail, "c");
  trial(reports::Purpose::final, Outcome::error, "d");
  trial(reports::Purpose::final, Outcome::pass, "e");
  trial(reports::Purpose::removal, Outcome::fail, "f");
  trial(reports::Purpose::search, Outcome::fail, "g");
  department.trials.back().retried_as = "finance/t9";
  trial(reports::Purpose::batch, Outcome::fail, "h");
  department.trials.back().retried_as = "finance/t9";
  department.trials.back().installs.emplace_back().installed_run = "r0";
  department.trials.back().outcome = Outcome::fail;
  department.trials.front().phases.front().differences = {
      {"file", "/etc/x", "a", "b", checks::state::FindingClass::review},
      {"file", "/usr/share/doc/x", "a", "b", checks::state::FindingClass::notice}};
  const std::vector<Failure> expected{{FailureKind::baseline, "mail", "a", "fail"},
                                      {FailureKind::control, "mail", "b", "fail"},
                                      {FailureKind::check, "mail", "c", "fail"},
                                      {FailureKind::error, "mail", "d", "error"},
                                      {FailureKind::check, "mail", "h", "fail"}};
  EXPECT_EQ(failures_of(department), expected);
}

}  // namespace
}  // namespace patchlab::promotion
