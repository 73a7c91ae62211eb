// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/past_reviews.hpp"

#include <gmock/gmock.h>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "promotion/book/failures.hpp"
#include "promotion/policy/policy_document.hpp"
#include "promotion/stage/manifest.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string wire_text(const std::string& text) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(text.size() >> shift & 0xffU);
  return bytes + text;
}
std::string key_of(const std::string& name) {
  auto point = name;
  point.resize(32, 'k');
  return wire_text("ssh-ed25519") + wire_text(point);
}
std::string signed_by(const std::string& name, StatementKind kind) {
  const auto blob = std::string("SSHSIG\0\0\0\1", 10) + wire_text(key_of(name)) + wire_text(signature_namespace(kind)) +
                    wire_text("") + wire_text("sha512") +
                    wire_text(wire_text("ssh-ed25519") + wire_text(std::string(64, 's')));
  auto text = base64(blob);
  std::string lines;
  for (std::size_t at = 0; at < text.size(); at += 70) lines += text.substr(at, 70) + "\n";
  return "-----BEGIN SSH SIGNATURE-----\n" + lines + "-----END SSH SIGNATURE-----\n";
}

// Whatever ssh-keygen is asked, it says yes: what it says is asked elsewhere.
class SaysYes final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& /*spec*/, std::stop_token /*stop*/ = {}) override {
    return {Exited{0}, {}, {}, {}};
  }
};

// A ledger of one line a minute, in which a policy asks two people for any promotion.
class PastReviews : public ::testing::Test {
 protected:
  enum class Lane { normal, emergency, rollback };

  PastReviews() {
    auto record = tests::good_record();
    run_ = put(Json(record).dump());
    Decision decision;
    decision.department = "finance";
    decision.promotable = tested_set(record.departments.front());
    manifest_ = put(manifest_json(record, decision, {.published = "2026-11-22T07:00:00Z", .serial = 1}).dump());
    const Json document{{"schema", "patchlab/policy/v1"},
                        {"id", "production"},
                        {"valid_since", "2026-11-01T00:00:00Z"},
                        {"valid_until", "2026-12-24T00:00:00Z"},
                        {"approvals", {{{"count", 2}}}}};
    policy_ = parse_policy(document.dump(), "1.json").value();
    std::string text;
    for (const char* name : {"alice", "bob", "carol", "dave"}) {
      text +=
          fmt::format("{} namespaces=\"patchlab.approve.v1,patchlab.reject.v1,patchlab.submit.v1\" ssh-ed25519 {}\n",
                      name, base64(key_of(name)));
    }
    auto reading = read_signers(text, SignersOf::statements);
    EXPECT_THAT(reading.problems, IsEmpty());
    trust_ = Trust({{1, time_of(0), text, std::move(reading.signers)}});
    add(ChainKind::policy,
        {.kind = StatementKind::policy, .subjects = {{"1.json", policy_.digest}}, .by = "desk", .version = 1});
  }

  std::string put(const std::string& bytes) const {
    auto digest = sha256(bytes);
    folder_.write("objects/" + digest, bytes);
    return digest;
  }
  static Moment time_of(std::uint64_t line) {
    return *parse_rfc3339("2026-11-22T06:00:00Z") + std::chrono::minutes(line);
  }
  [[nodiscard]] std::uint64_t last() const { return bundle_.state.lines.size(); }

  // Each the number of its line.
  std::uint64_t line(ChainKind kind, const std::string& object, const std::string& by, const StatementFacts& facts) {
    auto& state = bundle_.state;
    ChainLine line{last() + 1, state.head().hash, rfc3339(time_of(last() + 1)), kind, object, by};
    EXPECT_EQ(state.history.add(line, facts), "");
    state.hashes.push_back(sha256(line_text(line)));
    state.lines.push_back(std::move(line));
    bundle_.lacks.push_back(false);
    return last();
  }
  std::uint64_t add(ChainKind kind, const Statement& statement) {
    const auto bytes = write_statement(statement);
    EXPECT_TRUE(bytes) << bytes.error().message;
    const auto object = put(*bytes);
    if (family_of(kind) == ChainFamily::people)
      folder_.write("objects/" + object + ".sig", signed_by(statement.by, statement.kind));
    return line(kind, object, statement.by, statement_facts(*bytes, "statement").value());
  }
  [[nodiscard]] SeenLedger seen() const { return {last(), bundle_.state.head().hash}; }
  std::uint64_t approve(const std::string& by) {
    return add(ChainKind::approve, {.kind = StatementKind::approve,
                                    .subjects = {{"finance", set_}},
                                    .by = by,
                                    .run = run_,
                                    .policy = policy_.digest,
                                    .ledger = seen(),
                                    .reason = "looked at it"});
  }
  std::uint64_t begin_promotion(Lane lane, const std::string& department = "finance") {
    Statement statement{.kind = lane == Lane::rollback ? StatementKind::rollback : StatementKind::promote,
                        .subjects = {{department, set_}},
                        .by = "desk",
                        .run = run_,
                        .manifest = manifest_,
                        .serial = ++serial_};
    if (lane != Lane::normal) statement.reason = "mail is exploited";
    if (lane == Lane::emergency) statement.ticket = "CHG7", statement.review_by = "2026-11-24T07:00:00Z";
    return add(ChainKind::promote_begun, statement);
  }
  // The promotion that began last goes on.
  std::uint64_t go_on(ChainKind kind) {
    const auto begun = bundle_.state.history.promotions().back();
    const auto& object = begun.statement;
    return line(kind, object, "desk",
                statement_facts(read_file(folder_.path() / "objects" / object).value(), "statement").value());
  }
  std::uint64_t promote(Lane lane, const std::string& department = "finance") {
    begin_promotion(lane, department);
    go_on(ChainKind::promote_switched);
    return go_on(ChainKind::promote_done);
  }
  // The line of its end.
  std::uint64_t run_of(const std::string& submitter, const std::string& run) {
    Statement begin{.kind = StatementKind::begin,
                    .subjects = {{"finance", set_}},
                    .by = "lab",
                    .id = fmt::format("run-{}", last()),
                    .submitter = submitter};
    add(ChainKind::begin, begin);
    return add(ChainKind::run, {.kind = StatementKind::run,
                                .subjects = {{"finance", set_}},
                                .by = "lab",
                                .run = run,
                                .begin = bundle_.state.lines.back().object});
  }

  // As of the lines before this one; 0: of all.
  [[nodiscard]] std::vector<PastReview> all(std::uint64_t before = 0) const {
    SaysYes says_yes;
    const auto found = past_reviews(says_yes, folder_.path(), bundle_, trust_, {{policy_, 1}}, "finance",
                                    before == 0 ? last() + 1 : before);
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or({});
  }
  [[nodiscard]] PastReview first(std::uint64_t before = 0) const {
    const auto found = all(before);
    EXPECT_THAT(found, ::testing::Not(IsEmpty()));
    return found.empty() ? PastReview{} : found.front();
  }

  const test::TemporaryFolder folder_;
  std::string run_;
  std::string manifest_;
  const std::string set_ = sha256("the set");
  Policy policy_;
  Trust trust_;
  BundleChain bundle_;
  std::uint64_t serial_ = 0;
};

TEST_F(PastReviews, AreOfWhatWasPublished) {
  promote(Lane::normal);
  begin_promotion(Lane::emergency);
  EXPECT_THAT(all(), IsEmpty()) << "it has only begun";
  go_on(ChainKind::promote_refused);
  EXPECT_THAT(all(), IsEmpty()) << "it was given up";
  begin_promotion(Lane::emergency);
  const auto switched = go_on(ChainKind::promote_switched);
  EXPECT_THAT(all(switched), IsEmpty());
  ASSERT_THAT(all(), SizeIs(1)) << "people use it";
  EXPECT_TRUE(first().is_open());
  EXPECT_EQ(first().line, switched - 1);
}

TEST_F(PastReviews, OnlyARollbackOfTheDepartmentThatWasDoneAnswers) {
  promote(Lane::rollback);
  promote(Lane::emergency);
  EXPECT_TRUE(first().is_open()) << "one that was before";
  promote(Lane::normal);
  EXPECT_TRUE(first().is_open()) << "the next one";
  promote(Lane::rollback, "engineering");
  EXPECT_TRUE(first().is_open()) << "of another department";
  begin_promotion(Lane::rollback);
  go_on(ChainKind::promote_refused);
  EXPECT_TRUE(first().is_open()) << "one that was given up";
  const auto begun = begin_promotion(Lane::rollback);
  EXPECT_TRUE(first().is_open()) << "one that is not done";
  go_on(ChainKind::promote_switched);
  const auto done = go_on(ChainKind::promote_done);
  EXPECT_EQ(first().answered, fmt::format("taken back by the rollback of line {}", begun));
  EXPECT_TRUE(first(done).is_open());
}

TEST_F(PastReviews, AskForSomebodyWhoSawWhatWasPublished) {
  approve("bob");
  approve("carol");
  promote(Lane::emergency);
  EXPECT_TRUE(first().is_open());
  approve("carol");
  EXPECT_EQ(first().answered, "reviewed by bob, carol");
}

TEST_F(PastReviews, MissOnlyApprovalsThatCameAfterwards) {
  const auto before = approve("bob");
  bundle_.lacks[before - 1] = true;
  promote(Lane::emergency);
  run_of("alice", sha256("another run"));
  bundle_.lacks[last() - 2] = true;  // the beginning of a run
  EXPECT_EQ(first().unknown, "");
  EXPECT_TRUE(first().is_open());
  const auto after = approve("carol");
  bundle_.lacks[after - 1] = true;
  EXPECT_EQ(first().unknown, fmt::format("approvals since then are not here (line {})", after));
  EXPECT_EQ(first(after).unknown, "") << "as of the lines before it";
}

TEST_F(PastReviews, AreByNobodyWhoSubmittedIt) {
  run_of("carol", run_);
  run_of("bob", sha256("another run"));
  promote(Lane::emergency);
  approve("bob");
  approve("carol");
  EXPECT_TRUE(first().is_open()) << "carol submitted it";
  approve("dave");
  EXPECT_EQ(first().answered, "reviewed by bob, dave") << "of another run is nothing to this one";
  // The same again, later.
  const auto later = run_of("dave", run_);
  EXPECT_EQ(first(later).answered, "reviewed by bob, dave");
  EXPECT_TRUE(first().is_open());
}

TEST_F(PastReviews, AreNotKnownWhereWhoSubmittedItIsNot) {
  promote(Lane::emergency);
  approve("bob");
  const auto reviewed = approve("carol");
  EXPECT_EQ(first().answered, "reviewed by bob, carol") << "no run is left out";
  const auto other = run_of("alice", sha256("another run"));
  bundle_.lacks[other - 1] = true;
  EXPECT_EQ(first().unknown, "who submitted it is not here") << "that may be the run";
  const auto own = run_of("alice", run_);
  EXPECT_EQ(first().answered, "reviewed by bob, carol") << "here it is";
  EXPECT_TRUE(remove_tree(folder_.path() / "objects" / bundle_.state.lines[own - 1].object));
  EXPECT_EQ(first().unknown, "who submitted it is not here");
  EXPECT_GT(own, reviewed);
}

}  // namespace
}  // namespace patchlab::promotion
