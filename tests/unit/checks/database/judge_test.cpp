// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Judged from captured observations; real and silent servers are in tests/integration/checks/database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/database/query_hash.hpp"
#include "checks/database/transaction.hpp"

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

}  // namespace
}  // namespace patchlab::checks::database
