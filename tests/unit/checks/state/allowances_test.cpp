// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/allowances.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::checks::state {
namespace {
using testing::HasSubstr;

TEST(Allowances, ReadsEveryListAndWritesItBack) {
  const Json json{{"services", {"a"}},    {"listeners", {"b.*"}}, {"addresses", Json::array()},
                  {"error_kinds", {"c"}}, {"installed", {"d"}},   {"facts", {"e"}}};
  std::vector<JsonProblem> problems;
  const auto allowances = read_allowances(json, "/allow", problems);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(Json(allowances), json);
}

TEST(Allowances, RefusesUnknownKeysAndBadExpressionsWithPointers) {
  std::vector<JsonProblem> problems;
  const auto allowances =
      read_allowances(Json{{"listeners", {"fine", "un(balanced"}}, {"listners", Json::array()}}, "/allow", problems);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_EQ(problems[0].pointer, "/allow/listeners/1");
  EXPECT_THAT(problems[0].message, HasSubstr("'un(balanced' is not a regular expression"));
  EXPECT_EQ(problems[1].pointer, "/allow/listners");
  EXPECT_FALSE(allowances.covers({"listener", "un(balanced", "", ""}));
}

TEST(Allowances, MatchTheWholeItemOfTheirOwnKindOnly) {
  Allowances allowances;
  allowances.services = {"cups"};
  EXPECT_TRUE(allowances.covers({"service", "cups", "running", "stopped"}));
  EXPECT_FALSE(allowances.covers({"service", "cups-browsed", "running", "stopped"}));
  EXPECT_FALSE(allowances.covers({"listener", "cups", "", ""}));
  EXPECT_FALSE(allowances.covers({"unheard-of", "cups", "", ""}));
}

TEST(Allowances, SurviveAVeryLongLine) {
  Allowances allowances;
  allowances.error_kinds = {"(a|b)*"};
  EXPECT_TRUE(allowances.covers({"error-log", std::string(1'000'000, 'a'), "", "logged"}));
}

}  // namespace
}  // namespace patchlab::checks::state
