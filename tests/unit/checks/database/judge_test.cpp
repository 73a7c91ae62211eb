// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Judged from captured observations; real and silent servers are in tests/integration/checks/database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/database/connections.hpp"
#include "checks/database/isolation.hpp"
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

// As FreeTDS hands over what SQL Server says. Texts of sys.messages (Microsoft, "Database engine events and errors"),
// of which some are in the language of the login: only the number decides.
Json failed_by_numbers(const std::string& name, const std::vector<int>& numbers, const std::string& message) {
  auto step = failed(name, "42000", "[FreeTDS][SQL Server]" + message);
  step["numbers"] = numbers;
  return step;
}

TEST(DatabaseTransactionJudge, GoesByTheNumbersOfSqlServerWhateverItsLanguage) {
  struct Sample {
    std::vector<int> numbers;
    const char* message;
    const char* reason;
  };
  const std::vector<Sample> samples{
      {{18456}, "Login failed for user 'app'.", "login-refused"},
      {{18456}, "Fehler bei der Anmeldung f\xc3\xbcr den Benutzer 'app'.", "login-refused"},
      {{18456}, "Error de inicio de sesi\xc3\xb3n del usuario 'app'.", "login-refused"},
      {{18452},
       "Login failed. The login is from an untrusted domain and cannot be used with Integrated authentication.",
       "login-refused"},
      {{18470}, "Login failed for user 'app'. Reason: The account is disabled.", "login-refused"},
      {{18486}, "Login failed for user 'app' because the account is currently locked out.", "login-refused"},
      {{18488}, "Login failed for user 'app'.  Reason: The password of the account must be changed.", "login-refused"},
      {{18456, 4060}, "Cannot open database \"pay\" requested by the login. The login failed.", "database-not-open"},
      {{18456, 4060},
       "Die von der Anmeldung angeforderte \"pay\"-Datenbank kann nicht ge\xc3\xb6"
       "ffnet werden.",
       "database-not-open"},
      {{17187}, "SQL Server is not ready to accept new client connections.", "server-not-ready"},
      {{18401},
       "Login failed for user 'app'. Reason: Server is in script upgrade mode. Only administrator can connect "
       "at this time.",
       "server-not-ready"},
      {{18461}, "Login failed for user 'app'. Reason: Server is in single user mode.", "server-not-ready"},
      {{922}, "Database 'corp' is being recovered. Waiting until recovery is finished.", "server-not-ready"},
      {{17142}, "SQL Server service has been paused. No new connections will be allowed.", "connect-failed"},
      {{20009}, "Unable to connect: Adaptive Server is unavailable or does not exist", "connect-failed"},
  };
  for (const auto& sample : samples) {
    auto observation = captured_transaction();
    observation["steps"] = Json::array({failed_by_numbers("connect", sample.numbers, sample.message)});
    const auto judgement = judged(observation);
    EXPECT_EQ(judgement.outcome, Outcome::fail);
    EXPECT_EQ(judgement.reason, sample.reason) << sample.message;
    EXPECT_THAT(judgement.observed, HasSubstr(fmt::format("error {}", sample.numbers.front())));
  }
}

TEST(DatabaseTransactionJudge, TellsWhoWasGivenUpInFavourOfAnother) {
  for (const auto& step :
       {failed_by_numbers("insert", {1205},
                          "Transaction (Process ID 53) was deadlocked on lock resources with another "
                          "process and has been chosen as the deadlock victim."),
        failed("insert", "40P01", "deadlock detected")}) {
    auto observation = captured_transaction();
    observation["steps"] = steps({"connect", "create", "begin"});
    observation["steps"].push_back(step);
    EXPECT_EQ(judged(observation).reason, "deadlock");
  }
}

TEST(DatabaseTransactionJudge, SaysHowOftenAServerWasAskedThatStarts) {
  auto observation = captured_transaction();
  auto step = failed("connect", "08001", "FATAL:  the database system is starting up");
  step["asked"] = 7;
  observation["steps"] = Json::array({step});
  EXPECT_EQ(judged(observation).reason, "server-not-ready");
  EXPECT_THAT(judged(observation).observed, HasSubstr("asked 7 times"));
}

const Json pair_with{{"database", "d"}, {"user", "u"}, {"password", "p"}, {"table", "desk"}, {"column", "note"}};

Json captured_pair() {
  auto second =
      steps({"connect", "begin", "uncommitted", "committed", "end", "repeatable read", "repeatable", "repeated"});
  second.push_back(failed("stale write", "40001", "could not serialize access due to concurrent update"));
  second.push_back({{"step", "end again"}, {"ok", true}, {"ms", 1}});
  auto write = failed("second write", "57014", "canceling statement due to statement timeout");
  write["ms"] = 1003;
  second.push_back(write);
  for (const auto& step : steps({"give up", "write after release", "commit"})) second.push_back(step);
  return {{"steps", steps({"connect", "insert", "begin", "change", "commit", "change again", "commit again", "lock",
                           "release", "delete", "commit the end"})},
          {"second", {{"steps", second}}},
          {"texts", {"p a", "p b", "p c", "p d"}},
          {"uncommitted", {"p a"}},
          {"committed", {"p b"}},
          {"repeatable", {"p b"}},
          {"repeated", {"p b"}},
          {"after", Json::array()},
          {"blocked", true},
          {"version", "PostgreSQL 15.18.0"},
          {"stopped_at_deadline", false}};
}

std::string reason_of_pair(const char* pointer, const Json& value) {
  auto observation = captured_pair();
  observation[Json::json_pointer(pointer)] = value;
  return isolation().judge(pair_with, observation).reason;
}

TEST(DatabaseIsolationJudge, NamesWhatOneSessionShouldNotSeeOfTheOther) {
  EXPECT_EQ(isolation().judge(pair_with, captured_pair()).outcome, Outcome::pass)
      << isolation().judge(pair_with, captured_pair()).reason;
  EXPECT_EQ(reason_of_pair("/uncommitted", {"p b"}), "dirty-read");
  EXPECT_EQ(reason_of_pair("/uncommitted", Json::array()), "row-altered");
  EXPECT_EQ(reason_of_pair("/committed", {"p a"}), "commit-not-seen");
  EXPECT_EQ(reason_of_pair("/committed", {"somebody's"}), "row-altered");
  EXPECT_EQ(reason_of_pair("/repeated", {"p c"}), "read-not-repeatable");
  EXPECT_EQ(reason_of_pair("/after", {"p e"}), "row-survived-delete");
  auto other = pair_with;
  other["level"] = "repeatable read";
  EXPECT_EQ(isolation().judge(other, captured_pair()).reason, "commit-seen");
}

TEST(DatabaseIsolationJudge, NamesWhatIsWrongWithLocks) {
  EXPECT_EQ(reason_of_pair("/second/steps/8", {{"step", "stale write"}, {"ok", true}}), "stale-write-accepted");
  EXPECT_EQ(reason_of_pair("/second/steps/8/sqlstate", "42501"), "refused-for-another-reason");
  EXPECT_EQ(reason_of_pair("/second/steps/10", {{"step", "second write"}, {"ok", true}}), "lock-ignored");
  EXPECT_EQ(reason_of_pair("/second/steps/10/sqlstate", "55P03"), "lock-refused");
  EXPECT_EQ(reason_of_pair("/second/steps/10/sqlstate", "42501"), "refused-for-another-reason");
  EXPECT_EQ(reason_of_pair("/second/steps/10/ms", 12), "refused-for-another-reason") << "it did not wait";
  EXPECT_EQ(reason_of_pair("/blocked", false), "refused-for-another-reason") << "it was late, for whatever reason";
  auto nobody_looked = captured_pair();
  nobody_looked.erase("blocked");
  EXPECT_EQ(isolation().judge(pair_with, nobody_looked).outcome, Outcome::error);
  EXPECT_EQ(reason_of_pair("/second/steps/12/ok", false), "lock-remained");
  EXPECT_EQ(reason_of_pair("/steps/9/ok", false), "delete-failed");
  EXPECT_EQ(reason_of_pair("/steps/3/ok", false), "change-failed");
  auto refused = pair_with;
  refused["second_writer"] = "refused";
  EXPECT_EQ(isolation().judge(refused, captured_pair()).reason, "lock-waited");
}

TEST(DatabaseIsolationJudge, SaysOfWhatTheDeadlineCutThatItWasLate) {
  for (const std::size_t step : {8U, 10U}) {
    auto cut = captured_pair();
    cut["stopped_at_deadline"] = true;
    auto& entry = cut["second"]["steps"][step];
    entry.update({{"sqlstate", "08S01"}, {"message", "The connection is down"}});
    EXPECT_EQ(isolation().judge(pair_with, cut).reason, "timeout") << entry;
  }
}

TEST(DatabaseIsolationJudge, CallsAnIncompleteObservationAnError) {
  for (const auto& [part, count] : {std::pair("/steps", 11), {"/second/steps", 14}}) {
    for (int i = 0; i < count; ++i) {
      auto observation = captured_pair();
      auto& list = observation[Json::json_pointer(part)];
      list.erase(list.begin() + i, list.end());
      EXPECT_NE(isolation().judge(pair_with, observation).outcome, Outcome::pass) << part << i;
    }
  }
  EXPECT_EQ(isolation().judge(pair_with, Json::object()).outcome, Outcome::error);
}

const Json crowd{{"database", "d"}, {"user", "u"}, {"password", "p"}, {"sessions", 4}};

Json nobody_else() {
  const Json nobody{{"user", 0}, {"database", 0}, {"server", 0}};
  return {{"before", nobody}, {"when full", nobody}, {"after", nobody}};
}

Json captured_crowd() {
  return {{"steps", steps({"connect", "query", "count again"})},
          {"sessions", 4},
          {"refused", failed("connect", "08001", "FATAL:  too many connections for role \"u\"")},
          {"again", steps({"connect", "query"})},
          {"remained", 0},
          {"others", nobody_else()},
          {"stopped_at_deadline", false}};
}

TEST(DatabaseConnectionsJudge, WantsSoManyAndNoMore) {
  const auto good = captured_crowd();
  const auto reason = [&](const char* key, const Json& value) {
    auto observation = good;
    observation[key] = value;
    return connections().judge(crowd, observation).reason;
  };
  EXPECT_EQ(connections().judge(crowd, good).outcome, Outcome::pass);
  EXPECT_EQ(reason("sessions", 3), "too-few-sessions");
  EXPECT_EQ(reason("sessions", 5), "limit-not-kept");
  EXPECT_EQ(reason("refused", failed("connect", "08001", "FATAL:  out of memory")), "refused-for-another-reason");
  auto cut = good;
  cut["stopped_at_deadline"] = true;
  cut["refused"] = failed("query", "08S01", "The connection is down");
  EXPECT_EQ(connections().judge(crowd, cut).reason, "timeout") << "the server refused nothing";
  EXPECT_EQ(reason("refused", nullptr), "timeout");
  EXPECT_EQ(reason("again", Json::array({failed("connect", "08001", "FATAL:  sorry, too many clients already")})),
            "not-let-in-again");
  EXPECT_EQ(reason("remained", 2), "sessions-remained");
  EXPECT_EQ(reason("others", Json::object()), "query-failed");
  EXPECT_EQ(connections().judge(crowd, {{"steps", steps({"connect", "query"})}}).outcome, Outcome::error);
}

// A number that others decide is no fault of a patch, and none to be learnt.
TEST(DatabaseConnectionsJudge, CountsWhoElseHasSessionsThatAreRunningOut) {
  const auto outcome = [](const char* refusal, const char* when, const Json& others, int sessions) {
    auto observation = captured_crowd();
    observation["sessions"] = sessions;
    observation["refused"] = failed("connect", "08001", refusal);
    observation["others"][when].update(others);
    EXPECT_EQ(bool(connections().expecting(crowd, observation)),
              connections().judge(crowd, observation).outcome != Outcome::error);
    return connections().judge(crowd, observation).outcome;
  };
  const auto* role = "FATAL:  too many connections for role \"u\"";
  const auto* database = "FATAL:  too many connections for database \"d\"";
  const Json stranger{{"server", 1}};
  const Json of_database{{"server", 1}, {"database", 1}};
  const Json of_user{{"server", 1}, {"user", 1}};
  for (const char* when : {"before", "when full", "after"}) {
    for (const int sessions : {3, 4}) {
      EXPECT_EQ(outcome(role, when, of_user, sessions), Outcome::error) << when << sessions;
      EXPECT_EQ(outcome(database, when, of_database, sessions), Outcome::error) << when << sessions;
      for (const char* full : {"FATAL:  sorry, too many clients already",
                               "FATAL:  remaining connection slots are reserved for non-replication superuser",
                               "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
                               "FATAL:  remaining connection slots are reserved for roles with privileges of the "
                               "\"pg_use_reserved_connections\" role"})
        EXPECT_EQ(outcome(full, when, stranger, sessions), Outcome::error) << when << sessions << full;
    }
    EXPECT_EQ(outcome(role, when, of_database, 4), Outcome::pass) << when;
    EXPECT_EQ(outcome(role, when, of_database, 3), Outcome::fail) << when;
    EXPECT_EQ(outcome(database, when, of_user, 4), Outcome::pass) << when;
  }
}

TEST(DatabaseConnectionsExpecting, SaysWhyNoNumberIsLearnt) {
  EXPECT_EQ(connections().expecting(crowd, captured_crowd())->at("sessions"), 4);
  const auto why = [](const Json& change) {
    auto observation = captured_crowd();
    observation.update(change);
    const auto expected = connections().expecting(crowd, observation);
    return expected ? expected->dump() : expected.error().message;
  };
  EXPECT_THAT(why({{"refused", nullptr}, {"sessions", 5}}), HasSubstr("more than 4 sessions"));
  EXPECT_THAT(why({{"refused", nullptr}, {"sessions", 3}}), HasSubstr("3 until the deadline"));
  EXPECT_THAT(why({{"sessions", 1}}), HasSubstr("one session"));
  auto others = nobody_else();
  others["before"]["user"] = 2;
  EXPECT_THAT(why({{"others", others}}), HasSubstr("2 of other clients"));
  const Json silent{{"steps", Json::array({failed("connect", "08001", "no route to host")})}};
  const auto nothing = connections().expecting(crowd, silent);
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().message, HasSubstr("no route to host"));
}

TEST(DatabaseConnections, OneSessionIsNoneThatCouldBeLookedAt) {
  for (const auto& [sessions, problems_wanted] : {std::pair(1, 1U), {2, 0U}, {100, 0U}, {101, 1U}}) {
    auto with = crowd;
    with["sessions"] = sessions;
    std::vector<JsonProblem> problems;
    connections().validate(with, "", problems);
    EXPECT_EQ(problems.size(), problems_wanted) << sessions;
  }
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

// SQL Server, which says the same of a database that is not there.
TEST(DatabaseLoginRefused, OnSqlServerTheDatabaseMustBeThereAndNotForThisUser) {
  const Json with{{"driver", "FreeTDS"}, {"database", "pay"}, {"user", "app"}, {"password", "x"}};
  auto made_up = with;
  made_up.erase("password");
  const auto judged_with = [](const Json& parameters, const std::vector<int>& numbers, const Json& elsewhere) {
    Json observation{{"steps", Json::array({failed_by_numbers("connect", numbers, "Login failed")})}};
    if (!elsewhere.is_null()) observation["elsewhere"] = elsewhere;
    return login_refused().judge(parameters, observation);
  };
  const auto asked = [](const char* access, const char* status) {
    return Json{{"steps", steps({"connect", "database"})}, {"database", {{"access", access}, {"status", status}}}};
  };
  EXPECT_EQ(judged_with(with, {18456, 4060}, asked("0", "ONLINE")).outcome, Outcome::pass);
  EXPECT_EQ(judged_with(with, {18456, 4060}, asked("", "")).reason, "database-not-open") << "there is none";
  EXPECT_EQ(judged_with(with, {18456, 4060}, asked("0", "RECOVERING")).reason, "database-not-open");
  EXPECT_EQ(judged_with(with, {18456, 4060}, asked("1", "ONLINE")).reason, "refused-for-another-reason");
  EXPECT_EQ(judged_with(with, {18456, 4060}, Json()).outcome, Outcome::error) << "nobody asked which it is";
  EXPECT_EQ(judged_with(with, {18456}, Json()).reason, "password-refused");
  EXPECT_EQ(judged_with(made_up, {18456}, Json()).outcome, Outcome::pass);
  EXPECT_EQ(judged_with(made_up, {18456, 4060}, Json()).reason, "wrong-password-accepted");
  for (const int about_the_account : {18452, 18470, 18486, 18487, 18488}) {
    EXPECT_EQ(judged_with(made_up, {about_the_account}, Json()).reason, "refused-for-another-reason");
    EXPECT_EQ(judged_with(with, {about_the_account}, Json()).reason, "refused-for-another-reason");
  }
  EXPECT_EQ(judged_with(made_up, {18401}, Json()).reason, "server-not-ready") << "nobody looked at the password";
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
  for (const int number : {229, 230, 262, 297, 300, 916, 15247})
    EXPECT_EQ(judged_denied(failed_by_numbers("query", {number}, "")).outcome, Outcome::pass) << number;
  EXPECT_EQ(judged_denied(failed_by_numbers("query", {102}, "Incorrect syntax near 'x'.")).reason,
            "refused-for-another-reason")
      << "FreeTDS has 42000 for that, too";
  EXPECT_EQ(judged_denied({{"step", "query"}, {"ok", true}, {"ms", 1}}).reason, "query-allowed");
  EXPECT_EQ(judged_denied(failed("query", "HYT00", "timeout")).reason, "timeout");
}

}  // namespace
}  // namespace patchlab::checks::database
