// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/server.hpp"

#include <gtest/gtest.h>

#include "checks/database/query_hash.hpp"
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
