// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/allowances.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::checks::state {
namespace {
using testing::HasSubstr;

TEST(Allowances, ReadsEveryListAndWritesItBack) {
  const Json json{{"services", {"a"}},
                  {"listeners", {"b.*"}},
                  {"addresses", Json::array()},
                  {"error_kinds", {"c"}},
                  {"installed", {"d"}},
                  {"facts", {"e"}},
                  {"files", {{{"match", "/etc/f"}, {"why", "w"}}}},
                  {"findings", {{{"kind", "sysctl"}, {"match", "g"}, {"why", "w"}}}}};
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

TEST(Allowances, OfTheWholeGuestNeedAReason) {
  const auto problems_of = [](const Json& json) {
    std::vector<JsonProblem> problems;
    (void)read_allowances(json, "/allow", problems);
    std::vector<std::string> pointers;
    for (const auto& problem : problems) pointers.push_back(problem.pointer);
    return pointers;
  };
  using testing::ElementsAre;
  EXPECT_THAT(problems_of({{"files", {{{"match", "/etc/x"}}}}}), ElementsAre("/allow/files/0"));
  EXPECT_THAT(problems_of({{"files", {{{"match", ""}, {"why", "w"}}}}}), ElementsAre("/allow/files/0/match"));
  EXPECT_THAT(problems_of({{"files", {{{"match", "("}, {"why", "w"}}}}}), ElementsAre("/allow/files/0/match"));
  EXPECT_THAT(problems_of({{"files", {{{"match", "x"}, {"why", "w"}, {"kind", "x"}}}}}),
              ElementsAre("/allow/files/0/kind"));
  EXPECT_THAT(problems_of({{"files", "x"}}), ElementsAre("/allow/files"));
  EXPECT_THAT(problems_of({{"findings", {{{"match", "x"}, {"why", "w"}}}}}), ElementsAre("/allow/findings/0"));
  EXPECT_THAT(problems_of({{"findings", {{{"kind", "file"}, {"match", "x"}, {"why", "w"}}}}}),
              ElementsAre("/allow/findings/0/kind"));
}

TEST(Allowances, OfFilesCoverAllThatIsFoundOfThem) {
  Allowances allowances;
  allowances.files = {{"", "/etc/x.*", "w"}};
  allowances.findings = {{"sysctl", "vm\\..*", "w"}};
  for (const auto* kind : {"file", "set-uid", "capability", "acl", "world-writable"})
    EXPECT_TRUE(allowances.covers({kind, "/etc/x/y", "", "file"})) << kind;
  EXPECT_FALSE(allowances.covers({"file", "/etc/y", "", "file"}));
  EXPECT_FALSE(allowances.covers({"account", "/etc/x", "", "file"}));
  EXPECT_TRUE(allowances.covers({"sysctl", "vm.swappiness", "1", "2"}));
  EXPECT_FALSE(allowances.covers({"sysctl", "net.vm.x", "1", "2"}));
  EXPECT_FALSE(allowances.covers({"module", "vm.x", "1", "2"}));
}

TEST(Allowances, SurviveAVeryLongLine) {
  Allowances allowances;
  allowances.error_kinds = {"(a|b)*"};
  EXPECT_TRUE(allowances.covers({"error-log", std::string(1'000'000, 'a'), "", "logged"}));
}

// Each of them would crash the library, or keep it busy for longer than anybody waits.
TEST(Allowances, RefuseExpressionsThatWouldCostTheStackOrTheNight) {
  for (const auto& expression : {std::string(20000, '('), std::string(20000, '(') + std::string(20000, ')'),
                                 std::string(40, '(') + std::string(40, ')'), std::string("((a{1000}){1000}){1000}"),
                                 std::string("a{99999999999999999999}"), std::string("(|a?){50000}"),
                                 std::string(20000, 'a'), std::string("(a)\\1"), std::string("("), std::string("["),
                                 std::string("\\"), std::string("a{"), std::string("{3}")}) {
    std::vector<JsonProblem> problems;
    const auto allowances = read_allowances(Json{{"services", {expression}}}, "/allow", problems);
    ASSERT_EQ(problems.size(), 1U) << expression.substr(0, 40);
    EXPECT_EQ(problems[0].pointer, "/allow/services/0");
    EXPECT_LT(problems[0].message.size(), 300U);
    EXPECT_FALSE(allowances.covers({"service", "a", "", ""}));
  }
}

TEST(Allowances, TakeWhatPeopleWrite) {
  for (const auto& [expression, item] : {std::pair("tcp .*:9100 .*", "tcp 0.0.0.0:9100 jetdirect"),
                                         {"(foo|bar){2,3}", "foobar"},
                                         {"[a-z]{1,64}", "cups"},
                                         {"a\\(b\\)[)(]{2}", "a(b))("},
                                         {"(?:x)+\\d{4}", "xx2026"},
                                         {"[^\\]]*", "any thing"}}) {
    std::vector<JsonProblem> problems;
    const auto allowances = read_allowances(Json{{"services", {expression}}}, "/allow", problems);
    EXPECT_TRUE(problems.empty()) << expression << ": " << problems[0].message;
    EXPECT_TRUE(allowances.covers({"service", item, "", ""})) << expression;
    EXPECT_FALSE(allowances.covers({"service", "]]", "", ""})) << expression;
  }
}

TEST(Allowances, AreNotKeptBusyByALineThatAlmostMatches) {
  Allowances allowances;
  allowances.error_kinds = {"(a+)+b", "(x+x+)+y", "(.*)*(.*)*(.*)*z"};
  EXPECT_FALSE(allowances.covers({"error-log", std::string(2000, 'a'), "", "logged"}));
  EXPECT_FALSE(allowances.covers({"error-log", std::string(2000, 'x'), "", "logged"}));
}

}  // namespace
}  // namespace patchlab::checks::state
