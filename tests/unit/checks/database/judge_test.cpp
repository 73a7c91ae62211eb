// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Judged from captured observations; real and silent servers are in tests/integration/checks/database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/database/query_hash.hpp"
#include "checks/database/refusals.hpp"
#include "checks/database/transaction.hpp"
#include "checks/database/write.hpp"

namespace patchlab::checks::database {
namespace {
using testing::HasSubstr;

Json steps(const std::vector<std::string>& names) {
  auto list = Json::array();
  for (const auto& name : names) list.push_back({{"step", name}, {"ok", true}, {"ms", 1}});
  return list;
}

Json failed(const std::string& name, const std::string& sqlstate, const std::string& message) {
  return {{"step", name}, {"ok", false}, {"ms", 1}, {"sqlstate", sqlstate}, {"message", message}};
}

const std::vector<std::string> all_steps{"connect", "create", "begin", "insert", "select", "rollback", "count", "drop"};

Json captured_transaction() {
  return {{"server", "10.20.0.15:5432"},
          {"version", "PostgreSQL 15.18.0"},
          {"steps", steps(all_steps)},
          {"inserted", "note"},
          {"seen", {"note"}},
          {"rows_after_rollback", 0},
          {"stopped_at_deadline", false}};
}

Judgement judged(const Json& observation) { return transaction().judge(Json::object(), observation); }

TEST(DatabaseTransactionJudge, PassesWhenTheRowIsGone) {
  EXPECT_EQ(judged(captured_transaction()).outcome, Outcome::pass);
}

TEST(DatabaseTransactionJudge, NamesTheStepThatFailed) {
  for (std::size_t i = 0; i < all_steps.size(); ++i) {
    auto observation = captured_transaction();
    observation["steps"] = steps({all_steps.begin(), all_steps.begin() + static_cast<std::ptrdiff_t>(i)});
    observation["steps"].push_back(failed(all_steps[i], "53100", "could not extend file: No space left on device"));
    const auto judgement = judged(observation);
    EXPECT_EQ(judgement.outcome, Outcome::fail);
    EXPECT_EQ(judgement.reason, all_steps[i] + "-failed");
    EXPECT_THAT(judgement.observed, HasSubstr("SQLSTATE 53100 could not extend file"));
  }
}

TEST(DatabaseTransactionJudge, TellsRefusedLoginsAndTimeouts) {
  auto observation = captured_transaction();
  observation["steps"] = Json::array({failed("connect", "28P01", "password authentication failed")});
  EXPECT_EQ(judged(observation).reason, "login-refused");
  observation["steps"] =
      Json::array({failed("connect", "08001", "FATAL:  no pg_hba.conf entry for host \"10.20.0.250\"")});
  EXPECT_EQ(judged(observation).reason, "login-refused");
  observation["steps"] = Json::array({failed("connect", "HYT00", "timeout expired")});
  EXPECT_EQ(judged(observation).reason, "timeout");
  observation["steps"] = Json::array({failed("connect", "08S01", "server closed the connection")});
  EXPECT_EQ(judged(observation).reason, "connect-failed");
  observation["stopped_at_deadline"] = true;
  EXPECT_EQ(judged(observation).reason, "timeout");
}

TEST(DatabaseTransactionJudge, WantsTheRowInsideAndNotAfter) {
  auto unseen = captured_transaction();
  unseen["seen"] = Json::array();
  EXPECT_EQ(judged(unseen).reason, "row-not-seen");
  auto altered = captured_transaction();
  altered["seen"] = {"n?te"};
  EXPECT_EQ(judged(altered).reason, "row-altered");
  auto survived = captured_transaction();
  survived["rows_after_rollback"] = 1;
  EXPECT_EQ(judged(survived).reason, "row-survived-rollback");
  EXPECT_EQ(judged(survived).outcome, Outcome::fail);
}

TEST(DatabaseTransactionJudge, CallsAnIncompleteObservationAnError) {
  EXPECT_EQ(judged(Json::object()).outcome, Outcome::error);
  EXPECT_EQ(judged(Json::object()).reason, "observation-incomplete");
}

const std::string right_hash(64, 'a');
const Json golden{{"database", "d"}, {"user", "u"},          {"password", "p"},
                  {"rows", 3},       {"sha256", right_hash}, {"query", "SELECT 1"}};

Json captured_query() {
  return {{"steps", steps({"connect", "begin", "query", "rollback"})},
          {"rows", 3},
          {"sha256", right_hash},
          {"cut_off", false}};
}

TEST(DatabaseQueryHashJudge, PassesOnTheSameRows) {
  EXPECT_EQ(query_hash().judge(golden, captured_query()).outcome, Outcome::pass);
}

TEST(DatabaseQueryHashExpecting, WritesDownRowsAndDigest) {
  const auto learnt = query_hash().expecting({{"database", "corp"},
                                              {"user", "app"},
                                              {"password", "x"},
                                              {"query", "SELECT a FROM b ORDER BY a"},
                                              {"rows", 0},
                                              {"sha256", std::string(64, '0')}},
                                             captured_query());
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("rows"), captured_query()["rows"]);
  EXPECT_EQ(learnt->at("sha256"), captured_query()["sha256"]);
  auto refused = captured_query();
  refused["steps"] = Json::array({failed("connect", "28P01", "no")});
  EXPECT_FALSE(query_hash().expecting(*learnt, refused));
}

TEST(DatabaseQueryHashJudge, TellsHowTheResultDiffers) {
  auto fewer = captured_query();
  fewer["rows"] = 2;
  EXPECT_EQ(query_hash().judge(golden, fewer).reason, "row-count-differs");
  auto other = captured_query();
  other["sha256"] = std::string(64, 'b');
  EXPECT_EQ(query_hash().judge(golden, other).reason, "hash-differs");
  EXPECT_EQ(query_hash().judge(golden, other).observed, "3 rows, sha256 " + std::string(64, 'b'));
  auto many = captured_query();
  many["cut_off"] = true;
  EXPECT_EQ(query_hash().judge(golden, many).reason, "too-many-rows");
  for (const auto& observation : {fewer, other, many}) {
    EXPECT_EQ(query_hash().judge(golden, observation).outcome, Outcome::fail);
  }
}

TEST(DatabaseQueryHashJudge, QuotesSqlstateAndMessage) {
  auto observation = captured_query();
  observation["steps"][2] = failed("query", "42P01", "relation \"orders\" does not exist");
  const auto judgement = query_hash().judge(golden, observation);
  EXPECT_EQ(judgement.reason, "query-failed");
  EXPECT_EQ(judgement.observed, "step 'query': SQLSTATE 42P01 relation \"orders\" does not exist");
}

Json captured_write() {
  return {{"version", "PostgreSQL 15.18.0"},
          {"steps", steps({"connect", "insert", "delete", "count"})},
          {"inserted", "note"},
          {"second", {{"steps", steps({"connect", "select"})}, {"seen", {"note"}}}},
          {"rows_after_delete", 0},
          {"stopped_at_deadline", false}};
}

Judgement judged_write(const Json& observation) { return write().judge(Json::object(), observation); }

TEST(DatabaseWriteJudge, PassesWhenAnotherConnectionSawTheRow) {
  EXPECT_EQ(judged_write(captured_write()).outcome, Outcome::pass);
}

TEST(DatabaseWriteJudge, NamesTheStepThatFailed) {
  auto observation = captured_write();
  observation["steps"] = steps({"connect"});
  observation["steps"].push_back(failed("insert", "42501", "permission denied for table lab_probe"));
  observation.erase("second");
  EXPECT_EQ(judged_write(observation).reason, "insert-failed");
  observation = captured_write();
  observation["second"] = {{"steps", Json::array({failed("connect", "08001", "FATAL: too many clients already")})}};
  EXPECT_EQ(judged_write(observation).reason, "connect-failed");
  observation = captured_write();
  observation["steps"][2] = failed("delete", "25006", "read-only");
  EXPECT_EQ(judged_write(observation).reason, "delete-failed");
}

TEST(DatabaseWriteJudge, ComparesWhatTheOtherConnectionSaw) {
  auto observation = captured_write();
  observation["second"]["seen"] = Json::array();
  EXPECT_EQ(judged_write(observation).reason, "row-not-seen");
  observation["second"]["seen"] = {"n?te"};
  EXPECT_EQ(judged_write(observation).reason, "row-altered");
  observation["second"]["seen"] = {"note", "note"};
  EXPECT_EQ(judged_write(observation).reason, "row-altered");
  observation = captured_write();
  observation["rows_after_delete"] = 1;
  EXPECT_EQ(judged_write(observation).reason, "row-survived-delete");
}

TEST(DatabaseWriteJudge, AStepThatIsMissingIsAnError) {
  auto observation = captured_write();
  observation["steps"].erase(3);
  EXPECT_EQ(judged_write(observation).outcome, Outcome::error);
  EXPECT_EQ(judged_write(Json::object()).outcome, Outcome::error);
}

TEST(DatabaseWrite, TakesOnlyNamesThatCannotEndAStatement) {
  const auto problems_of = [](const std::string& table, const std::string& column) {
    std::vector<JsonProblem> problems;
    write().validate({{"database", "d"}, {"user", "u"}, {"password", "p"}, {"table", table}, {"column", column}}, "",
                     problems);
    return problems.size();
  };
  EXPECT_EQ(problems_of("lab_probe", "note"), 0U);
  EXPECT_EQ(problems_of("sales.orders2", "Note"), 0U);
  EXPECT_EQ(problems_of("a b", "note"), 1U);
  EXPECT_EQ(problems_of("t; DROP TABLE x", "note"), 1U);
  EXPECT_EQ(problems_of("a.b.c", "note"), 1U);
  EXPECT_EQ(problems_of("a b.c", "note"), 1U);
  EXPECT_EQ(problems_of("2nd", "note"), 1U);
  EXPECT_EQ(problems_of("t", "a.b"), 1U);
  EXPECT_EQ(problems_of("t", ""), 1U);
}

Judgement judged_login(const Json& step) {
  return login_refused().judge({{"database", "corp"}, {"user", "app"}}, {{"steps", Json::array({step})}});
}

TEST(DatabaseLoginRefusedJudge, PassesOnlyOnARefusalOfThePassword) {
  const auto refused = judged_login(failed("connect", "08001", "FATAL:  password authentication failed for user"));
  EXPECT_EQ(refused.outcome, Outcome::pass);
  EXPECT_EQ(refused.expected, "a wrong password of 'app' is refused");
  EXPECT_EQ(judged_login(failed("connect", "28P01", "no")).outcome, Outcome::pass);
  const auto accepted = judged_login({{"step", "connect"}, {"ok", true}, {"ms", 1}});
  EXPECT_EQ(accepted.outcome, Outcome::fail);
  EXPECT_EQ(accepted.reason, "wrong-password-accepted");
  EXPECT_EQ(judged_login(failed("connect", "08001", "FATAL: permission denied for database \"corp\"")).reason,
            "wrong-password-accepted")
      << "that is looked at when the password was taken";
  EXPECT_EQ(judged_login(failed("connect", "08001", "connection refused")).reason, "connect-failed");
  EXPECT_EQ(judged_login(failed("connect", "HYT00", "timeout")).reason, "timeout");
  EXPECT_EQ(login_refused().judge({}, Json::object()).outcome, Outcome::error);
}

TEST(DatabaseLoginRefused, WithAPasswordItIsTheDatabaseThatIsRefused) {
  const Json with{{"database", "pay"}, {"user", "app"}, {"password", "x"}};
  const auto judged_with = [&](const std::string& message) {
    return login_refused().judge(
        with, {{"steps", {{{"step", "connect"}, {"ok", false}, {"sqlstate", "08001"}, {"message", message}}}}});
  };
  EXPECT_EQ(judged_with("FATAL: permission denied for database \"pay\"").outcome, Outcome::pass);
  EXPECT_EQ(judged_with("FATAL: no pg_hba.conf entry for host").outcome, Outcome::pass);
  EXPECT_EQ(judged_with("FATAL: pg_hba.conf rejects connection for host").outcome, Outcome::pass);
  EXPECT_EQ(judged_with("FATAL: password authentication failed for user \"app\"").reason, "password-refused");
  EXPECT_EQ(judged_with("FATAL: database \"pay\" does not exist").reason, "connect-failed");
  EXPECT_EQ(login_refused().judge(with, {{"steps", {{{"step", "connect"}, {"ok", true}}}}}).reason, "login-accepted");
}

Judgement judged_denied(const Json& query_step) {
  auto all = steps({"connect", "begin"});
  all.push_back(query_step);
  return denied().judge({{"database", "corp"}, {"user", "app"}, {"password", "p"}, {"query", "SELECT 1"}},
                        {{"steps", all}});
}

TEST(DatabaseDeniedJudge, PassesOnlyOnMissingRights) {
  EXPECT_EQ(judged_denied(failed("query", "42501", "permission denied for table pg_authid")).outcome, Outcome::pass);
  EXPECT_EQ(judged_denied(failed("query", "42000", "The SELECT permission was denied")).outcome, Outcome::pass);
  EXPECT_EQ(judged_denied(failed("query", "42P01", "no such table")).reason, "refused-for-another-reason");
  EXPECT_EQ(judged_denied({{"step", "query"}, {"ok", true}, {"ms", 1}}).reason, "query-allowed");
  EXPECT_EQ(judged_denied(failed("query", "HYT00", "timeout")).reason, "timeout");
}

}  // namespace
}  // namespace patchlab::checks::database
