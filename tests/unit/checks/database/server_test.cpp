// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/server.hpp"

#include <gtest/gtest.h>

#include "checks/database/connections.hpp"
#include "checks/database/isolation.hpp"
#include "checks/database/query_hash.hpp"
#include "checks/database/settings.hpp"
#include "checks/database/transaction.hpp"

namespace patchlab::checks::database {
namespace {

std::set<std::string> pointers_of_problems(const Check& check, const Json& parameters) {
  std::vector<JsonProblem> problems;
  check.validate(parameters, "/with", problems);
  std::set<std::string> pointers;
  for (const auto& problem : problems) pointers.insert(problem.pointer);
  return pointers;
}

using Pointers = std::set<std::string>;

TEST(DatabaseServer, MakesADsnLessConnectionString) {
  std::vector<JsonProblem> problems;
  const Json json{{"database", "corp"}, {"user", "app"}, {"password", "p;w}d"}};
  JsonReader reader(json, "", problems);
  const auto server = read_server(reader);
  reader.finish();
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(connection_string(server, "10.20.0.15"),
            "DRIVER={PostgreSQL Unicode};SERVER=10.20.0.15;PORT=5432;DATABASE=corp;UID=app;PWD={p;w}}d};SSLMODE=prefer;"
            "Debug=0;CommLog=0");
}

TEST(DatabaseServer, OfSqlServerIsReachedByTheKeywordsOfFreeTds) {
  for (const auto& [sslmode, encryption] :
       {std::pair("disable", "off"), {"prefer", "request"}, {"require", "require"}}) {
    std::vector<JsonProblem> problems;
    const Json json{
        {"driver", "FreeTDS"}, {"database", "corp"}, {"user", "app"}, {"password", "p;w{d"}, {"sslmode", sslmode}};
    JsonReader reader(json, "", problems);
    const auto server = read_server(reader);
    reader.finish();
    EXPECT_TRUE(problems.empty());
    EXPECT_EQ(connection_string(server, "10.20.0.15"),
              fmt::format("DRIVER={{FreeTDS}};SERVER=10.20.0.15;PORT=1433;DATABASE=corp;UID=app;PWD={{p;w{{d}};"
                          "TDS_Version=7.4;ClientCharset=UTF-8;Encryption={};APP=patchlab;WSID=patchlab",
                          encryption));
  }
}

TEST(DatabaseServer, WhatHasNoMeaningOnSqlServerIsRefused) {
  const auto problems_of = [](const Check& check, const char* driver, const Json& more) {
    Json with{{"driver", driver}, {"database", "d"}, {"user", "u"}, {"password", "p"}};
    with.update(more);
    return pointers_of_problems(check, with);
  };
  const Json table{{"table", "t"}, {"column", "c"}};
  const auto query = [](const char* text) {
    return Json{{"query", text}, {"rows", 2}, {"sha256", std::string(64, '0')}};
  };
  const auto* fits_both = "SELECT a FROM t ORDER BY a";
  for (const auto* postgresql : {"PostgreSQL Unicode", "My own"}) {
    EXPECT_EQ(problems_of(isolation(), postgresql, table), Pointers{});
    EXPECT_EQ(problems_of(connections(), postgresql, {{"sessions", 3}}), Pointers{});
    EXPECT_EQ(problems_of(query_hash(), postgresql, query("EXPLAIN (COSTS OFF) SELECT 1")), Pointers{});
    EXPECT_EQ(
        problems_of(settings(), postgresql, {{"settings", {{"xp_cmdshell", "0"}, {"max server memory (MB)", "1"}}}}),
        Pointers{"/with/settings/max server memory (MB)"});
  }
  EXPECT_EQ(problems_of(isolation(), "FreeTDS", table), Pointers{"/with/driver"});
  EXPECT_EQ(problems_of(connections(), "FreeTDS", {{"sessions", 3}}), Pointers{"/with/driver"});
  EXPECT_EQ(problems_of(transaction(), "FreeTDS", Json::object()), Pointers{});
  EXPECT_EQ(problems_of(query_hash(), "FreeTDS", query(fits_both)), Pointers{});
  auto with_zone = query(fits_both);
  with_zone["time_zone"] = "UTC";
  EXPECT_EQ(problems_of(query_hash(), "FreeTDS", with_zone), Pointers{"/with/time_zone"});
  EXPECT_EQ(problems_of(query_hash(), "FreeTDS", query("EXPLAIN (COSTS OFF) SELECT 1")), Pointers{"/with/query"});
  EXPECT_EQ(problems_of(settings(), "FreeTDS",
                        {{"settings",
                          {{"max server memory (MB)", "1"}, {"default full-text language", "1031"}, {"a'b", "1"}}}}),
            Pointers{"/with/settings/a'b"});
  EXPECT_EQ(problems_of(transaction(), "FreeTDS", {{"password", "a}b"}}), Pointers{"/with/password"});
  EXPECT_EQ(problems_of(transaction(), "PostgreSQL Unicode", {{"password", "a}b"}}), Pointers{});
  // They have keywords of their own.
  for (const auto* microsofts : {"ODBC Driver 18 for SQL Server", "SQL Server", "SQL Server Native Client 11.0"})
    EXPECT_EQ(problems_of(transaction(), microsofts, Json::object()), Pointers{"/with/driver"});
}

// T-SQL needs nothing between two of them.
TEST(DatabaseQueryHash, OnSqlServerTakesOneStatementThatChangesNothing) {
  const auto is_refused = [](const std::string& query) {
    const Json with{{"driver", "FreeTDS"},
                    {"database", "d"},
                    {"user", "u"},
                    {"password", "p"},
                    {"query", query},
                    {"rows", 1},
                    {"sha256", std::string(64, '0')}};
    return pointers_of_problems(query_hash(), with) == Pointers{"/with/query"};
  };
  EXPECT_TRUE(is_refused("SELECT 1 DELETE FROM t"));
  EXPECT_TRUE(is_refused("SELECT a INTO b FROM c"));
  EXPECT_TRUE(is_refused("SELECT 1 COMMIT"));
  EXPECT_TRUE(is_refused("SELECT 1 exec sp_who"));
  EXPECT_TRUE(is_refused("DELETE FROM t"));
  EXPECT_FALSE(is_refused("SELECT [delete], 'UPDATE x' FROM [into]"));
  EXPECT_FALSE(is_refused("SELECT updated_at FROM t"));
}

TEST(DatabaseServer, RefusesValuesThatWouldAddKeywords) {
  const Json bad{{"database", "corp;UID=postgres"},
                 {"user", "a}b"},
                 {"password", "a\nb"},
                 {"driver", "x};y"},
                 {"port", 70000},
                 {"sslmode", "perhaps"}};
  EXPECT_EQ(pointers_of_problems(transaction(), bad), (Pointers{"/with/database", "/with/user", "/with/password",
                                                                "/with/driver", "/with/port", "/with/sslmode"}));
}

TEST(DatabaseTransaction, WantsAllOfItsParametersAndNoOthers) {
  EXPECT_EQ(pointers_of_problems(transaction(), {{"host", "x"}}), (Pointers{"/with", "/with/host"}));
}

TEST(DatabaseQueryHash, WantsQueryHashAndRows) {
  const Json base{{"database", "d"}, {"user", "u"}, {"password", "p"}};
  EXPECT_EQ(pointers_of_problems(query_hash(), base), Pointers{"/with"});
  auto bad = base;
  bad.update({{"query", ""}, {"sha256", "abc"}, {"rows", -1}});
  EXPECT_EQ(pointers_of_problems(query_hash(), bad), (Pointers{"/with/query", "/with/sha256", "/with/rows"}));
}

}  // namespace
}  // namespace patchlab::checks::database
