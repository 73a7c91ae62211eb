// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// FreeTDS itself, against a server of our own that speaks the protocol: what is asked, and what answers come to. No SQL
// Server was asked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "checks/database/query_hash.hpp"
#include "checks/database/refusals.hpp"
#include "checks/database/settings.hpp"
#include "checks/database/transaction.hpp"
#include "checks/database/write.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "tests/integration/checks/database/looking.hpp"
#include "tests/integration/checks/database/tds_server.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::checks::database {
namespace {
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::StartsWith;
using Encryption = testing::TdsServer::Encryption;

using testing::loopback;
using testing::Seen;

Seen look(const Check& check, const Json& parameters, Milliseconds limit = std::chrono::seconds(20)) {
  return testing::look_at(check, parameters, testing::TdsServer::password, limit);
}

Json first_step(const Seen& seen) {
  const auto steps = seen.observation.value("steps", Json::array());
  return steps.empty() ? Json::object() : steps.front();
}

Json parameters(const testing::TdsServer& server, const Json& more = Json::object()) {
  Json with{{"driver", "FreeTDS"},
            {"port", server.port()},
            {"database", testing::TdsServer::database},
            {"user", testing::TdsServer::user},
            {"password", testing::TdsServer::password}};
  with.update(more);
  return with;
}

Json with_a_made_up_password(const testing::TdsServer& server, const Json& more = Json::object()) {
  auto with = parameters(server, more);
  with.erase("password");
  return with;
}

const std::vector<testing::TdsError> not_opened{
    {4060, "Cannot open database \"corp\" requested by the login. The login failed.", 11},
    {18456, "Login failed for user 'app'."}};

TEST(SqlServer, ATransactionIsRolledBackInATableOfTheSession) {
  testing::TdsServer server;
  const auto seen = look(transaction(), parameters(server));
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.observed << seen.observation.dump(1);
  EXPECT_EQ(seen.observation.value("version", ""), "Microsoft SQL Server 15.00.4151");
  const auto asked = server.seen();
  ASSERT_GE(asked.statements.size(), 7U);
  EXPECT_THAT(asked.statements[0], AllOf(StartsWith("CREATE TABLE #patchlab_"), HasSubstr("nvarchar(200)")));
  EXPECT_EQ(asked.statements[1], "BEGIN");
  EXPECT_THAT(asked.statements[2], HasSubstr("VALUES (1, N'patchlab "));
  EXPECT_EQ(asked.statements[4], "ROLLBACK");
  EXPECT_THAT(asked.statements[6], StartsWith("DROP TABLE #patchlab_"));
  using Login = std::map<std::string, std::string>;
  EXPECT_EQ(asked.login, (Login{{"database", "corp"},
                                {"host", "patchlab"},
                                {"password", testing::TdsServer::password},
                                {"program", "patchlab"},
                                {"user", "app"}}));
}

TEST(SqlServer, WhatATransactionFindsIsTold) {
  testing::TdsServer keeps;
  keeps.keep_what_is_rolled_back();
  EXPECT_EQ(look(transaction(), parameters(keeps)).judgement.reason, "row-survived-rollback");
  testing::TdsServer full;
  full.refuse("INSERT", {{1105,
                          "Could not allocate space for object '#patchlab' in database 'tempdb' because the 'PRIMARY' "
                          "filegroup is full.",
                          17}});
  const auto judgement = look(transaction(), parameters(full)).judgement;
  EXPECT_EQ(judgement.reason, "insert-failed");
  EXPECT_THAT(judgement.observed, AllOf(HasSubstr("error 1105: "), HasSubstr("filegroup is full")));
}

TEST(SqlServer, IsEncryptedAsFarAsItIsAskedForAndOffered) {
  struct Case {
    Encryption offered;
    const char* sslmode;
    bool is_let_in, login, statements;
  };
  for (const auto& one :
       {Case{Encryption::none, "disable", true, false, false}, Case{Encryption::none, "prefer", true, false, false},
        Case{Encryption::none, "require", false, false, false}, Case{Encryption::of_login, "prefer", true, true, false},
        Case{Encryption::of_all, "disable", true, true, true}, Case{Encryption::of_all, "prefer", true, true, true},
        Case{Encryption::of_all, "require", true, true, true}}) {
    testing::TdsServer server(one.offered);
    const auto seen = look(transaction(), parameters(server, {{"sslmode", one.sslmode}}));
    const auto what = fmt::format("{} {}", static_cast<int>(one.offered), one.sslmode);
    EXPECT_EQ(seen.judgement.reason, one.is_let_in ? "rolled-back" : "connect-failed")
        << what << seen.observation.dump(1);
    EXPECT_EQ(server.seen().login_was_encrypted, one.login) << what;
    EXPECT_EQ(server.seen().statements_were_encrypted, one.statements) << what;
  }
}

// Behind an update it starts with "script upgrade mode", and opens databases when they are recovered.
TEST(SqlServer, IsAskedAgainWhileItSaysThatItIsNotReady) {
  testing::TdsServer server;
  server.refuse_logins(1, {{18401, "Login failed for user 'app'. Reason: Server is in script upgrade mode."}});
  const auto upgraded = look(transaction(), parameters(server));
  EXPECT_EQ(upgraded.judgement.outcome, Outcome::pass) << upgraded.observation.dump(1);
  EXPECT_EQ(first_step(upgraded).value("asked", 0), 2);
  server.refuse_logins(1, not_opened);
  EXPECT_EQ(look(transaction(), parameters(server)).judgement.outcome, Outcome::pass);
  // There is no time for a second try.
  server.refuse_logins(1000, {{17187, "SQL Server is not ready to accept new client connections.", 16}});
  const auto late = look(transaction(), parameters(server), std::chrono::seconds(1));
  EXPECT_EQ(late.judgement.reason, "server-not-ready") << late.observation.dump(1);
  server.refuse_logins(1000, not_opened);
  const auto closed = look(transaction(), parameters(server), std::chrono::seconds(1));
  EXPECT_EQ(closed.judgement.reason, "database-not-open") << closed.observation.dump(1);
  EXPECT_EQ(first_step(closed).value("numbers", Json()), Json({18456, 4060}));
}

TEST(SqlServer, WhoIsRefusedIsToldApart) {
  testing::TdsServer server;
  server.add_database("pay", "ONLINE", {"boss"});
  server.add_database("old", "OFFLINE", {"app"});
  const auto of_database = [&](const char* name) {
    const auto seen = look(login_refused(), parameters(server, {{"database", name}}));
    return fmt::format("{} {}", to_string(seen.judgement.outcome), seen.judgement.reason);
  };
  EXPECT_EQ(of_database("pay"), "pass login-refused");
  EXPECT_EQ(of_database("old"), "fail database-not-open");
  EXPECT_EQ(of_database("gone"), "fail database-not-open");
  EXPECT_EQ(of_database("corp"), "fail login-accepted");
  const auto wrong = look(login_refused(), parameters(server, {{"password", "wrong"}, {"database", "pay"}}));
  EXPECT_EQ(wrong.judgement.reason, "password-refused");
  EXPECT_EQ(look(transaction(), parameters(server, {{"password", "wrong"}})).judgement.reason, "login-refused");
  EXPECT_EQ(look(login_refused(), with_a_made_up_password(server)).judgement.outcome, Outcome::pass);
  EXPECT_EQ(look(login_refused(), with_a_made_up_password(server, {{"database", "pay"}})).judgement.outcome,
            Outcome::pass)
      << "the password is looked at first";
  server.refuse_logins(1, not_opened);
  EXPECT_EQ(look(login_refused(), with_a_made_up_password(server)).judgement.reason, "wrong-password-accepted");
}

TEST(SqlServer, ARightThatIsMissingIsNoOtherTrouble) {
  testing::TdsServer server;
  server.refuse("salaries",
                {{229, "The SELECT permission was denied on the object 'salaries', database 'corp', schema 'dbo'."}});
  server.answer("desks", testing::TdsRows{{"n"}, {{"1"}}});
  const auto seen = [&](const char* query) { return look(denied(), parameters(server, {{"query", query}})).judgement; };
  EXPECT_EQ(seen("SELECT n FROM salaries").outcome, Outcome::pass);
  EXPECT_EQ(seen("SELECT n FROM desks").reason, "query-allowed");
  EXPECT_EQ(seen("SELECT n FROM nowhere").reason, "refused-for-another-reason") << "208";
}

TEST(SqlServer, RowsOfAGoldenQueryAreTheTextThatTheyAre) {
  std::string long_text;
  for (int i = 0; i < 20000; ++i) long_text += "x\xc3\xbc";
  testing::TdsServer server;
  server.answer("short", testing::TdsRows{{"a", "b", "c"},
                                          {{"1", std::nullopt, ""},
                                           {"2", "a\tb\\c\nd",
                                            "Gr\xc3\xbc\xc3\x9f"
                                            "e \xe8\xa3\x9c \xf0\x9f\x98\x80"}}});
  server.answer("long", testing::TdsRows{{"a", "b"}, {{long_text, std::nullopt}, {"", "y"}}});
  const auto seen = [&](const char* query, const std::string& copied) {
    return look(query_hash(), parameters(server, {{"query", query}, {"rows", 2}, {"sha256", sha256(copied)}}));
  };
  const auto of_short = seen("SELECT a, b, c FROM short ORDER BY a",
                             "1\t\\N\t\n2\ta\\tb\\\\c\\nd\tGr\xc3\xbc\xc3\x9f"
                             "e \xe8\xa3\x9c \xf0\x9f\x98\x80\n");
  EXPECT_EQ(of_short.judgement.outcome, Outcome::pass) << of_short.observation.dump(1);
  EXPECT_EQ(of_short.observation.value("columns", Json()), Json({"a", "b", "c"}));
  const auto of_long = seen("SELECT a, b FROM long ORDER BY a", long_text + "\t\\N\n\ty\n");
  EXPECT_EQ(of_long.judgement.outcome, Outcome::pass) << of_long.judgement.observed;
  EXPECT_EQ(seen("SELECT a, b FROM long ORDER BY a", "other").judgement.reason, "hash-differs");
  EXPECT_THAT(server.seen().statements, Contains("ROLLBACK"));
}

TEST(SqlServer, AWrittenRowIsSeenByAnotherSessionAndTakenAway) {
  testing::TdsServer server;
  server.add_table("dbo.probe");
  const auto with = parameters(server, {{"table", "dbo.probe"}, {"column", "note"}});
  const auto seen = look(write(), with);
  EXPECT_EQ(seen.judgement.outcome, Outcome::pass) << seen.judgement.observed << seen.observation.dump(1);
  server.refuse("DELETE", {{1205,
                            "Transaction (Process ID 53) was deadlocked on lock resources with another process and has "
                            "been chosen as the deadlock victim. Rerun the transaction.",
                            13}});
  EXPECT_EQ(look(write(), with).judgement.reason, "deadlock");
}

TEST(SqlServer, AnErrorBehindTheFirstResultIsNotOverlooked) {
  const testing::TdsError aborted{3609, "The transaction ended in the trigger. The batch has been aborted.", 16};
  for (const auto& [statement, reason] : {std::pair("INSERT", "insert-failed"), {"SELECT", "select-failed"}}) {
    testing::TdsServer server;
    server.refuse_behind(statement, aborted);
    const auto seen = look(transaction(), parameters(server));
    EXPECT_EQ(seen.judgement.reason, reason) << seen.observation.dump(1);
    EXPECT_THAT(seen.judgement.observed, HasSubstr("error 3609"));
  }
}

TEST(SqlServer, SettingsAreThoseThatTheInstanceGoesBy) {
  testing::TdsServer server;
  server.add_setting("max degree of parallelism", "8");
  server.add_setting("max server memory (MB)", "2048");
  const auto with = [&](const Json& wanted) { return parameters(server, {{"settings", wanted}}); };
  const auto same = look(settings(), with({{"max degree of parallelism", "8"}, {"max server memory (MB)", "2048"}}));
  EXPECT_EQ(same.judgement.outcome, Outcome::pass) << same.judgement.observed << same.observation.dump(1);
  const auto other = look(settings(), with({{"max degree of parallelism", "4"}, {"xp_cmdshell", "0"}})).judgement;
  EXPECT_EQ(other.reason, "settings-differ");
  EXPECT_EQ(other.observed, "max degree of parallelism 8\nxp_cmdshell is not known");
}

TEST(SqlServer, ThatFallsSilentIsLateAndNotForEver) {
  testing::TdsServer server;
  server.ignore("CREATE");
  const auto start = std::chrono::steady_clock::now();
  const auto seen = look(transaction(), parameters(server), std::chrono::seconds(1));
  EXPECT_THAT(std::chrono::steady_clock::now() - start, Lt(std::chrono::seconds(15)));
  EXPECT_EQ(seen.judgement.reason, "timeout") << seen.observation.dump(1);
}

TEST(SqlServer, ThatIsNotThereIsAFailedConnect) {
  auto with = [] {
    const testing::TdsServer gone;
    return parameters(gone);
  }();
  const auto judgement = look(transaction(), with).judgement;
  EXPECT_EQ(judgement.reason, "connect-failed");
  EXPECT_THAT(judgement.observed, HasSubstr("is unavailable or does not exist"));
  with["driver"] = "FreeTDS of nobody";
  const auto without_driver = transaction().observe(loopback, with, std::chrono::seconds(5));
  ASSERT_FALSE(without_driver);
  EXPECT_EQ(without_driver.error().error_class, ErrorClass::check);
  EXPECT_THAT(without_driver.error().hint, HasSubstr("apt install tdsodbc"));
}

// FreeTDS would write down all that it sends, and a password is only masked there.
TEST(SqlServer, TheEnvironmentOfWhoeverStartedUsSaysNothing) {
  const test::TemporaryFolder folder;
  const auto dump = folder.path() / "dump";
  ::setenv("TDSDUMP", dump.c_str(), 1);
  ::setenv("TDSVER", "4.2", 1);
  testing::TdsServer server;
  EXPECT_EQ(look(transaction(), parameters(server)).judgement.outcome, Outcome::pass);
  EXPECT_FALSE(is_file(dump));
}

}  // namespace
}  // namespace patchlab::checks::database
