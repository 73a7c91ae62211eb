// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "checks/database/connections.hpp"
#include "checks/database/isolation.hpp"
#include "checks/database/observe.hpp"
#include "checks/database/query_hash.hpp"
#include "checks/database/refusals.hpp"
#include "checks/database/settings.hpp"
#include "checks/database/transaction.hpp"
#include "checks/database/write.hpp"
#include "checks/learn/learn.hpp"
#include "lab/core/digest.hpp"
#include "tests/integration/checks/command/run_command.hpp"
#include "tests/integration/checks/database/local_postgres.hpp"
#include "tests/integration/checks/database/looking.hpp"

namespace patchlab::checks::database {
namespace {
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Lt;

using testing::loopback;
using testing::Seen;

Seen look(const Check& check, const Json& parameters, Milliseconds limit = std::chrono::seconds(20)) {
  return testing::look_at(check, parameters, testing::LocalPostgres::password, limit);
}

// Where no deadline is meant to be met: with more time when this host was too busy for that. A deadline cuts every
// connection of this process to the server, so what is to be there besides is made again.
Seen look_in_time(
    const Check& check, const Json& parameters, Milliseconds limit, const std::function<void()>& besides = [] {}) {
  for (int more = 0;; ++more, limit *= 4) {
    besides();
    auto seen = look(check, parameters, limit);
    if (more == 2 || !seen.observation.value("stopped_at_deadline", false)) return seen;
  }
}

// Against a real server.
class DatabaseChecks : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto started = testing::LocalPostgres::start();
    if (started)
      server() = *std::move(started);
    else
      trouble() = started.error().message;
  }
  static void TearDownTestSuite() { server().reset(); }
  void SetUp() override {
    if (!server()) GTEST_SKIP() << trouble();
  }
  static std::unique_ptr<testing::LocalPostgres>& server() {
    static std::unique_ptr<testing::LocalPostgres> one;
    return one;
  }
  static std::string& trouble() {
    static std::string text;
    return text;
  }
  static Json parameters() {
    return {{"port", server()->port()},
            {"database", "postgres"},
            {"user", testing::LocalPostgres::user},
            {"password", testing::LocalPostgres::password}};
  }
  // As the server's owner.
  static void run_sql(const std::string& sql) {
    const Server owner{"PostgreSQL Unicode",
                       server()->port(),
                       "postgres",
                       testing::LocalPostgres::user,
                       testing::LocalPostgres::password,
                       "prefer"};
    const auto seen = observe_server(loopback, owner, std::chrono::seconds(20),
                                     [&](OdbcSession& session, Json& observation, Deadline /*deadline*/) {
                                       observation["ok"] = session.execute("sql", sql);
                                       return Result<void>();
                                     });
    ASSERT_TRUE(seen);
    EXPECT_TRUE(seen->value("ok", false)) << seen->dump(1);
  }
  static Json as_clerk() {
    auto with = parameters();
    with.update({{"user", "clerk"}, {"password", "ink"}});
    return with;
  }
  static Json golden(const std::string& query, const std::string& sha, int rows) {
    auto with = parameters();
    with.update({{"query", query}, {"sha256", sha}, {"rows", rows}});
    return with;
  }
};

TEST_F(DatabaseChecks, TransactionPasses) {
  const auto seen = look(transaction(), parameters());
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.observed << seen.observation.dump(1);
  EXPECT_THAT(seen.observation["version"].get<std::string>(), HasSubstr("PostgreSQL"));
  EXPECT_EQ(seen.observation["steps"].size(), 8U);
}

TEST_F(DatabaseChecks, TransactionPassesTwiceInARow) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(look(transaction(), parameters()).judgement.outcome, Outcome::pass);
}

TEST_F(DatabaseChecks, SettingsAreThoseOfTheSession) {
  run_sql("CREATE ROLE hasty LOGIN PASSWORD 'ink'");
  auto with = parameters();
  with.update(
      {{"user", "hasty"}, {"password", "ink"}, {"settings", {{"fsync", "off"}, {"statement_timeout", "0 ms"}}}});
  const auto good = look(settings(), with);
  EXPECT_EQ(good.judgement.outcome, Outcome::pass) << good.judgement.observed << good.observation.dump(1);
  run_sql("ALTER ROLE hasty SET statement_timeout = '300ms'");
  with["settings"]["no_such_thing"] = "1";
  const auto bad = look(settings(), with).judgement;
  EXPECT_EQ(bad.reason, "settings-differ");
  EXPECT_EQ(bad.expected, "no_such_thing 1\nstatement_timeout 0 ms");
  EXPECT_EQ(bad.observed, "no_such_thing is not known\nstatement_timeout 300 ms");
  run_sql("DROP ROLE hasty");
}

// What `learn` asks for can be asked by whoever may log in, and holds.
TEST_F(DatabaseChecks, SettingsAndFormatsAreLearnt) {
  run_sql("CREATE ROLE reader LOGIN PASSWORD 'ink'");
  const learn::Answers answers{
      {"databases", {0, fmt::format(R"({{"database": "postgres", "port": "{}"}})", server()->port()), {}}},
      {"listeners", {0, {}, {}}},
      {"database postgres", {0, {}, {}}}};
  std::size_t asked = 0;
  for (const auto& draft : learn::database().drafts({{"reader"}}, answers).checks) {
    const auto& way = draft.ways.front();
    const bool is_settings = way.kind == "database.settings";
    if (!is_settings && !draft.id.ends_with("-formats")) continue;
    ++asked;
    auto with = way.parameters;
    with["password"] = "ink";
    const auto& check = is_settings ? settings() : query_hash();
    const auto observation = check.observe(loopback, with, std::chrono::seconds(20));
    ASSERT_TRUE(observation) << observation.error().message;
    const auto expected = check.expecting(with, *observation);
    ASSERT_TRUE(expected) << expected.error().message << observation->dump(1);
    if (is_settings) EXPECT_GT(expected->at("settings").size(), 75U) << expected->dump(1);
    EXPECT_EQ(look(check, *expected).judgement.outcome, Outcome::pass);
    if (is_settings) continue;
    run_sql("ALTER ROLE reader SET datestyle = 'ISO, DMY'");
    EXPECT_EQ(look(check, *expected).judgement.reason, "hash-differs") << "dates come in another order";
  }
  EXPECT_EQ(asked, 2U);
  run_sql("DROP ROLE reader");
}

TEST_F(DatabaseChecks, WrongPasswordIsALoginRefused) {
  auto with = parameters();
  with["password"] = "wrong";
  const auto judgement = look(transaction(), with).judgement;
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "login-refused") << judgement.observed;
}

TEST_F(DatabaseChecks, MissingDatabaseIsAFailedConnect) {
  auto with = parameters();
  with["database"] = "nowhere";
  const auto judgement = look(transaction(), with).judgement;
  EXPECT_EQ(judgement.reason, "connect-failed");
  EXPECT_THAT(judgement.observed, HasSubstr("database \"nowhere\" does not exist"));
}

TEST_F(DatabaseChecks, MissingTableIsAFailedQuery) {
  const auto judgement = look(query_hash(), golden("SELECT note::text FROM not_there", sha256(""), 0)).judgement;
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_EQ(judgement.reason, "query-failed");
  EXPECT_THAT(judgement.observed, HasSubstr("42P01"));
}

TEST_F(DatabaseChecks, GoldenQueryHashesLikeCopy) {
  // The text after COPY (...) TO STDOUT of psql 15 for the same query.
  const std::string copied =
      "1\t\\N\t\n2\ta\\tb\\\\c\\nd\tGr\xc3\xbc\xc3\x9f"
      "e \xf0\x9f\x98\x80\n";
  const auto seen = look(query_hash(), golden("SELECT * FROM (VALUES ('1', NULL, ''), ('2', E'a\\tb\\\\c\\nd', "
                                              "'Gr\xc3\xbc\xc3\x9f"
                                              "e \xf0\x9f\x98\x80')) AS t(a, b, c) ORDER BY a",
                                              sha256(copied), 2));
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.observation.dump(1);
  EXPECT_EQ(seen.observation["columns"], Json({"a", "b", "c"}));
}

TEST_F(DatabaseChecks, GoldenQueryReadsLongValuesAndManyRows) {
  std::string expected;
  for (int i = 1; i <= 3000; ++i) expected += std::to_string(i) + "\n";
  const auto many = golden("SELECT i::text FROM generate_series(1, 3000) AS s(i) ORDER BY s.i", sha256(expected), 3000);
  EXPECT_EQ(look(query_hash(), many).judgement.outcome, Outcome::pass);
  const auto wide = golden("SELECT repeat('x\xc3\xbc', 50000)", sha256([] {
                             std::string text;
                             for (int i = 0; i < 50000; ++i) text += "x\xc3\xbc";
                             return text + "\n";
                           }()),
                           1);
  EXPECT_EQ(look(query_hash(), wide).judgement.outcome, Outcome::pass);
}

TEST_F(DatabaseChecks, GoldenQueryMayBeHowOneWouldBeExecuted) {
  const auto plan =
      golden("EXPLAIN (COSTS OFF) SELECT 'x' WHERE false", sha256("Result\n  One-Time Filter: false\n"), 2);
  const auto judgement = look(query_hash(), plan).judgement;
  EXPECT_EQ(judgement.outcome, Outcome::pass) << judgement.observed;
}

TEST_F(DatabaseChecks, GoldenQueryShowsTheRightHash) {
  const auto seen = look(query_hash(), golden("SELECT 'x'", std::string(64, '0'), 1));
  EXPECT_EQ(seen.judgement.reason, "hash-differs");
  EXPECT_EQ(seen.observation["sha256"], sha256("x\n"));
  EXPECT_EQ(seen.observation["sample"], "x\n");
}

TEST_F(DatabaseChecks, GoldenQueryCountsRows) {
  EXPECT_EQ(look(query_hash(), golden("SELECT 'x' UNION ALL SELECT 'x'", sha256("x\nx\n"), 1)).judgement.reason,
            "row-count-differs");
}

TEST_F(DatabaseChecks, GoldenQueryCannotChangeAnything) {
  const auto changing = golden("SELECT 'x'::text AS a INTO left_behind", sha256(""), 0);
  (void)look(query_hash(), changing);
  const auto there = golden("SELECT count(*)::text FROM pg_tables WHERE tablename = 'left_behind'", sha256("0\n"), 1);
  EXPECT_EQ(look(query_hash(), there).judgement.outcome, Outcome::pass);
}

TEST_F(DatabaseChecks, SlowQueryIsStoppedAtTheDeadline) {
  const auto start = std::chrono::steady_clock::now();
  const auto judgement =
      look(query_hash(), golden("SELECT pg_sleep(30)::text", sha256("\n"), 1), std::chrono::seconds(2)).judgement;
  EXPECT_THAT(std::chrono::steady_clock::now() - start, Lt(std::chrono::seconds(8)));
  EXPECT_EQ(judgement.outcome, Outcome::fail);
  EXPECT_THAT(judgement.reason, AnyOf("timeout", "query-failed"));
}

TEST_F(DatabaseChecks, WriteIsSeenByAnotherConnectionAndLeavesNothing) {
  run_sql("CREATE TABLE probe (id serial PRIMARY KEY, note text NOT NULL)");
  auto with = parameters();
  with.update({{"table", "public.probe"}, {"column", "note"}});
  const auto seen = look(write(), with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.observed << seen.observation.dump(1);
  const auto empty = golden("SELECT count(*)::text FROM probe", sha256("0\n"), 1);
  EXPECT_EQ(look(query_hash(), empty).judgement.outcome, Outcome::pass);
}

TEST_F(DatabaseChecks, WriteFindsMissingRightsAndServersThatOnlyRead) {
  run_sql("CREATE TABLE ledger (note text); CREATE ROLE clerk LOGIN PASSWORD 'ink'; GRANT SELECT ON ledger TO clerk");
  auto with = as_clerk();
  with.update({{"table", "ledger"}, {"column", "note"}});
  const auto denied_write = look(write(), with).judgement;
  EXPECT_EQ(denied_write.reason, "insert-failed");
  EXPECT_THAT(denied_write.observed, HasSubstr("42501"));
  run_sql("GRANT INSERT, DELETE ON ledger TO clerk");
  EXPECT_EQ(look(write(), with).judgement.outcome, Outcome::pass);
  run_sql("ALTER ROLE clerk SET default_transaction_read_only = on");
  EXPECT_EQ(look(write(), with).judgement.reason, "insert-failed");
  run_sql("ALTER ROLE clerk RESET default_transaction_read_only");
  run_sql(
      "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := upper(NEW.note); RETURN NEW; "
      "END'");
  run_sql("CREATE TRIGGER spoil BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION spoil()");
  EXPECT_EQ(look(write(), with).judgement.reason, "row-not-seen");

  auto question = as_clerk();
  question["query"] = "SELECT rolname FROM pg_authid";
  EXPECT_EQ(look(denied(), question).judgement.outcome, Outcome::pass);
  run_sql("ALTER ROLE clerk SUPERUSER");
  EXPECT_EQ(look(denied(), question).judgement.reason, "query-allowed");
}

TEST_F(DatabaseChecks, TwoSessionsSeeOfEachOtherWhatTheyAreTo) {
  run_sql(
      "CREATE TABLE desk (id serial PRIMARY KEY, note text NOT NULL); CREATE ROLE pair LOGIN PASSWORD 'ink'; "
      "GRANT ALL ON desk, desk_id_seq TO pair");
  auto with = parameters();
  with.update({{"user", "pair"}, {"password", "ink"}, {"table", "desk"}, {"column", "note"}});
  const auto good = look(isolation(), with);
  EXPECT_EQ(good.judgement.outcome, Outcome::pass)
      << good.judgement.reason << good.judgement.observed << good.observation.dump(1);
  EXPECT_EQ(isolation().expecting(with, good.observation)->at("second_writer"), "waits");

  run_sql("ALTER ROLE pair SET default_transaction_isolation = 'repeatable read'");
  const auto other = look(isolation(), with);
  EXPECT_EQ(other.judgement.reason, "commit-not-seen") << other.observation.dump(1);
  const auto learnt = isolation().expecting(with, other.observation);
  ASSERT_TRUE(learnt) << learnt.error().message;
  EXPECT_EQ(learnt->at("level"), "repeatable read");
  run_sql("ALTER ROLE pair RESET default_transaction_isolation");
  EXPECT_EQ(look(isolation(), *learnt).judgement.reason, "commit-seen");

  run_sql("ALTER ROLE pair SET lock_timeout = '50ms'");
  const auto hasty = look(isolation(), with);
  EXPECT_EQ(hasty.judgement.reason, "lock-refused") << hasty.observation.dump(1);
  EXPECT_EQ(isolation().expecting(with, hasty.observation)->at("second_writer"), "refused");
  run_sql("ALTER ROLE pair RESET lock_timeout");

  // A second writer who is late, and whom no lock keeps: it never came to the row.
  run_sql(
      "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF current_query() LIKE ''% y_ WHERE %'' "
      "THEN PERFORM pg_sleep(2); END IF; RETURN NULL; END'; "
      "CREATE TRIGGER dawdle BEFORE UPDATE ON desk FOR EACH STATEMENT EXECUTE FUNCTION dawdle()");
  const auto late = look(isolation(), with);
  EXPECT_EQ(late.judgement.reason, "refused-for-another-reason") << late.observation.dump(1);
  run_sql("DROP TRIGGER dawdle ON desk");

  // A lock of the session, not of its transaction, for what is a row's second change.
  run_sql(
      "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.note LIKE ''% d'' THEN PERFORM "
      "pg_advisory_lock(1); ELSIF NEW.note LIKE ''% e'' THEN PERFORM pg_advisory_lock(1); END IF; RETURN NEW; END'");
  run_sql("CREATE TRIGGER keep BEFORE UPDATE ON desk FOR EACH ROW EXECUTE FUNCTION keep()");
  const auto kept = look(isolation(), with, std::chrono::seconds(4));
  EXPECT_EQ(kept.judgement.reason, "lock-remained") << kept.observation.dump(1);
  run_sql("DROP TRIGGER keep ON desk; REVOKE UPDATE ON desk FROM pair");
  EXPECT_EQ(look(isolation(), with).judgement.reason, "change-failed");
}

// The driver has the server stop a statement (statement_timeout), which tells how long the check would have waited.
TEST_F(DatabaseChecks, OfTwoSessionsOnlyTheWriterWhoIsToWaitIsInAHurry) {
  run_sql(
      "CREATE TABLE tray (note text NOT NULL); CREATE ROLE calm LOGIN PASSWORD 'ink'; GRANT ALL ON tray TO calm; "
      "CREATE FUNCTION look_at_patience() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF (SELECT setting::int NOT "
      "BETWEEN 5000 AND 20000 FROM pg_settings WHERE name = ''statement_timeout'') THEN RAISE ''in a hurry''; END IF; "
      "RETURN NEW; END'; "
      "CREATE TRIGGER stale BEFORE UPDATE ON tray WHEN (current_setting('transaction_isolation') = 'repeatable read') "
      "EXECUTE FUNCTION look_at_patience(); "
      "CREATE TRIGGER after_release BEFORE UPDATE ON tray FOR EACH ROW WHEN (NEW.note LIKE '% e') EXECUTE FUNCTION "
      "look_at_patience()");
  auto with = parameters();
  with.update({{"user", "calm"}, {"password", "ink"}, {"table", "tray"}, {"column", "note"}});
  const auto seen = look(isolation(), with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.reason << seen.observation.dump(1);
}

TEST_F(DatabaseChecks, ThereAreAsManySessionsAsTheRoleMayHave) {
  run_sql("CREATE ROLE crowd LOGIN PASSWORD 'ink' CONNECTION LIMIT 4");
  constexpr Milliseconds limit{6000};  // of which a third is for sessions of others to end
  auto with = parameters();
  with.update({{"user", "crowd"}, {"password", "ink"}, {"sessions", 50}});
  const auto seen = look_in_time(connections(), with, limit);
  const auto learnt = connections().expecting(with, seen.observation);
  ASSERT_TRUE(learnt) << learnt.error().message << seen.observation.dump(1);
  EXPECT_EQ(learnt->at("sessions"), 4);
  for (int i = 0; i < 2; ++i) {
    const auto again = look_in_time(connections(), *learnt, limit);
    EXPECT_EQ(again.judgement.outcome, Outcome::pass) << again.judgement.reason << again.observation.dump(1);
  }
  run_sql("ALTER ROLE crowd CONNECTION LIMIT 2");
  EXPECT_EQ(look_in_time(connections(), *learnt, limit).judgement.reason, "too-few-sessions");
  {
    auto fewest = *learnt;
    fewest["sessions"] = 2;
    const auto two = look_in_time(connections(), fewest, limit);
    EXPECT_EQ(two.judgement.outcome, Outcome::pass) << two.judgement.reason << two.observation.dump(1);
  }
  run_sql("ALTER ROLE crowd CONNECTION LIMIT -1");
  EXPECT_EQ(look_in_time(connections(), *learnt, limit).judgement.reason, "limit-not-kept");
  run_sql("ALTER ROLE crowd NOLOGIN");
  EXPECT_EQ(look_in_time(connections(), *learnt, limit).judgement.reason, "connect-failed");
  run_sql("DROP ROLE crowd");
}

// An application of another machine that has the same user.
TEST_F(DatabaseChecks, ANumberOfSessionsThatOthersDecideIsNone) {
  run_sql("CREATE ROLE pool LOGIN PASSWORD 'ink' CONNECTION LIMIT 5");
  auto with = parameters();
  with.update({{"user", "pool"}, {"password", "ink"}, {"sessions", 5}});
  const Server application{"PostgreSQL Unicode", server()->port(), "postgres", "pool", "ink", "prefer"};
  std::optional<OdbcSession> session;
  const auto is_there = [&] {
    session.reset();
    auto made = OdbcSession::make(Deadline(std::chrono::seconds(60)));
    if (!made) return false;
    session.emplace(std::move(*made));
    return session->connect(application, "127.0.0.1").value_or(false);
  };
  const auto begin = [&] {
    const Wait wait{"a session of the application", std::chrono::seconds(30), Milliseconds(50), {}, {}};
    ASSERT_TRUE(wait_until(system_clock_source(), wait, is_there));
  };
  constexpr Milliseconds limit{3000};
  const auto seen = look_in_time(connections(), with, limit, begin);
  EXPECT_EQ(seen.judgement.outcome, Outcome::error) << seen.judgement.reason << seen.observation.dump(1);
  EXPECT_EQ(seen.judgement.reason, "others-have-sessions");
  EXPECT_FALSE(connections().expecting(with, seen.observation));
  // Of whom the role's limit does not speak.
  run_sql("CREATE ROLE other LOGIN PASSWORD 'ink' CONNECTION LIMIT 3");
  with.update({{"user", "other"}, {"sessions", 3}});
  const auto other = look_in_time(connections(), with, limit, begin);
  EXPECT_EQ(other.judgement.outcome, Outcome::pass) << other.judgement.reason << other.observation.dump(1);
  run_sql("DROP ROLE other");
}

// A time with a zone is another text in another zone of the session, unless the check says which.
TEST_F(DatabaseChecks, GoldenQueryMayHaveATimeZoneOfItsOwn) {
  run_sql("CREATE ROLE traveller LOGIN PASSWORD 'ink'; ALTER ROLE traveller SET TimeZone = 'Asia/Tokyo'");
  auto with = golden("SELECT TIMESTAMPTZ '2026-03-04 05:06:07+00'::text", sha256("2026-03-04 05:06:07+00\n"), 1);
  with.update({{"user", "traveller"}, {"password", "ink"}});
  EXPECT_EQ(look(query_hash(), with).judgement.reason, "hash-differs");
  with["time_zone"] = "UTC";
  const auto seen = look(query_hash(), with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.observation.dump(1);
  run_sql("DROP ROLE traveller");
  // Nor is it the zone of whoever asks.
  ::setenv("PGTZ", "Asia/Tokyo", 1);
  const auto plain = golden("SELECT current_setting('TimeZone')", sha256("x\n"), 1);
  EXPECT_NE(look(query_hash(), plain).observation["sample"], "Asia/Tokyo\n");
}

TEST_F(DatabaseChecks, AMadeUpPasswordIsRefused) {
  auto with = parameters();
  with.erase("password");
  const auto refused = look(login_refused(), with).judgement;
  EXPECT_EQ(refused.outcome, Outcome::pass) << refused.observed;
  with["database"] = "nowhere";  // the password is looked at first
  EXPECT_EQ(look(login_refused(), with).judgement.outcome, Outcome::pass);
}

TEST_F(DatabaseChecks, WhoMayNotUseADatabaseIsToldApartFromAWrongPassword) {
  run_sql("CREATE ROLE guest LOGIN PASSWORD 'ink'");
  auto with = parameters();
  with.update({{"user", "guest"}, {"password", "ink"}});
  EXPECT_EQ(look(login_refused(), with).judgement.reason, "login-accepted");
  run_sql("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC");
  const auto refused = look(login_refused(), with).judgement;
  EXPECT_EQ(refused.outcome, Outcome::pass) << refused.reason << refused.observed;
  EXPECT_THAT(refused.observed, HasSubstr("permission denied"));
  with["password"] = "wrong";
  EXPECT_EQ(look(login_refused(), with).judgement.reason, "password-refused");
  run_sql("GRANT CONNECT ON DATABASE postgres TO PUBLIC");
}

TEST_F(DatabaseChecks, AServerThatAsksForNoPasswordIsFound) {
  auto with = parameters();
  with.erase("password");
  server()->trust_everybody();
  EXPECT_EQ(look(login_refused(), with).judgement.reason, "wrong-password-accepted");
  server()->ask_for_passwords();
  EXPECT_EQ(look(login_refused(), with).judgement.outcome, Outcome::pass);
}

TEST_F(DatabaseChecks, CheckPgsqlOfTheMonitoringPluginsRunsAsItIs) {
  if (!plugins::has_plugin("check_pgsql")) GTEST_SKIP() << "monitoring-plugins-standard is not installed";
  const auto ask = [](const char* password) {
    return plugins::run_plugin("check_pgsql",
                               {"-H", "{address}", "-P", "{port}", "-d", "postgres", "-l", testing::LocalPostgres::user,
                                "-p", password, "-t", "{deadline_s}"},
                               server()->port());
  };
  const auto right = ask(testing::LocalPostgres::password);
  EXPECT_EQ(right.outcome, Outcome::pass) << right.observed << right.evidence;
  EXPECT_THAT(right.observed, HasSubstr("database postgres"));
  const auto wrong = ask("wrong");
  EXPECT_EQ(wrong.outcome, Outcome::fail) << wrong.observed << wrong.evidence;
}

TEST_F(DatabaseChecks, MissingDriverIsAnErrorOfTheCheck) {
  auto with = parameters();
  with["driver"] = "No Such Driver";
  const auto observation = transaction().observe(loopback, with, std::chrono::seconds(5));
  ASSERT_FALSE(observation);
  EXPECT_EQ(observation.error().error_class, ErrorClass::check);
  EXPECT_THAT(observation.error().message, HasSubstr("No Such Driver"));
}

}  // namespace
}  // namespace patchlab::checks::database
