// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/command/output.hpp"

#include <gmock/gmock.h>

namespace patchlab::checks::command_kind {
namespace {
using ::testing::HasSubstr;
using ::testing::Not;

// Each code there is: only 0 passes, and 1 for who asked for it.
TEST(NagiosOutput, OnlyOkIsAPass) {
  for (int code = 0; code < 256; ++code) {
    const auto said = judge_nagios(code, "SMTP CRITICAL - no answer|time=1s\n", false);
    const auto expected = code == 0 ? Outcome::pass : code <= 2 ? Outcome::fail : Outcome::error;
    EXPECT_EQ(said.outcome, expected) << code;
    EXPECT_THAT(said.observed, HasSubstr("SMTP CRITICAL - no answer"));
    EXPECT_EQ(judge_nagios(code, "", true).outcome, code == 1 ? Outcome::pass : expected) << code;
  }
  EXPECT_EQ(judge_nagios(2, "x", false).reason, "critical");
  EXPECT_EQ(judge_nagios(3, "x", false).reason, "unknown");
  EXPECT_EQ(judge_nagios(0, "\n \n", false).observed, "exit code 0 (OK): (it said nothing)");
}

TEST(NagiosOutput, IsPrintedInertAndShort) {
  const auto said = judge_nagios(2,
                                 "\x1b[2J\xe2\x80\xae"
                                 "evil\x07 \xff" +
                                     std::string(5000, 'x'),
                                 false)
                        .observed;
  EXPECT_THAT(said, Not(HasSubstr("\x1b")));
  EXPECT_THAT(said, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_LT(said.size(), 500U);
}

TEST(NagiosOutput, PerformanceDataIsReadAsThePluginsWriteIt) {
  EXPECT_EQ(performance_in("DNS OK: 0.010 seconds|time=0.010131s;;;0.000000\n"),
            (Json{{{"label", "time"}, {"value", "0.010131"}, {"unit", "s"}}}));
  EXPECT_EQ(performance_in("OK | '/ free'=2643MB;5948;5958;0;5968 users=3\nmore | load=1.5e-1\n"),
            (Json{{{"label", "/ free"}, {"value", "2643"}, {"unit", "MB"}},
                  {{"label", "users"}, {"value", "3"}, {"unit", ""}},
                  {{"label", "load"}, {"value", "1.5e-1"}, {"unit", ""}}}));
  EXPECT_EQ(performance_in("no bar"), Json::array());
  for (const auto* text : {"|", "|x", "|'x", "|'x'", "|=", "|==", "| 'a'b=1", "|x=", "|\n|\n"})
    EXPECT_LE(performance_in(text).size(), 1U) << text;
  std::string many = "|";
  for (int i = 0; i < 1000; ++i) many += " a=1";
  EXPECT_EQ(performance_in(many).size(), 64U);
}

struct TapCase {
  const char* name;
  int code;
  const char* output;
  Outcome outcome;
  const char* reason;
};
void PrintTo(const TapCase& one, std::ostream* out) { *out << one.name; }

class TapOutput : public ::testing::TestWithParam<TapCase> {};
TEST_P(TapOutput, IsTakenAtItsWord) {
  const auto said = judge_tap(GetParam().code, GetParam().output);
  EXPECT_EQ(said.outcome, GetParam().outcome) << said.observed;
  EXPECT_EQ(said.reason, GetParam().reason) << said.observed;
}
INSTANTIATE_TEST_SUITE_P(
    All, TapOutput,
    ::testing::Values(TapCase{"Good", 0, "TAP version 13\n1..2\nok 1 - a\nok 2 - b\n", Outcome::pass, "all-passed"},
                      TapCase{"PlanLast", 0, "ok\nok\n1..2\n", Outcome::pass, "all-passed"},
                      TapCase{"Prints", 0, "# hello\nokay then\n1..1\nnothing\nok 1\r\n", Outcome::pass, "all-passed"},
                      TapCase{"OneFails", 1, "1..2\nnot ok 1 - a\nok 2\n", Outcome::fail, "point-failed"},
                      TapCase{"FailsAndEndsWith0", 0, "1..1\nnot ok 1\n", Outcome::fail, "point-failed"},
                      TapCase{"Todo", 0, "1..1\nnot ok 1 - x # TODO later\n", Outcome::pass, "all-passed"},
                      TapCase{"EscapedHash", 1, "1..1\nnot ok 1 - c\\# todo\n", Outcome::fail, "point-failed"},
                      TapCase{"Skip", 0, "1..2\nok 1\nok 2 # SKIP no network\n", Outcome::skipped, "point-skipped"},
                      TapCase{"SkipAndFailure", 1, "1..2\nnot ok 1\nok 2 # skip\n", Outcome::fail, "point-failed"},
                      TapCase{"SkipAll", 0, "1..0 # SKIP not here\n", Outcome::skipped, "skipped"},
                      TapCase{"SkipAllThatDied", 3, "1..0 # SKIP not here\n", Outcome::error, "exit-code"},
                      TapCase{"Yaml", 0, "1..1\nok 1\n  ---\n  not ok 2\n  message: 'ok 3'\n  ...\n", Outcome::pass,
                              "all-passed"},
                      TapCase{"Subtest", 0, "1..1\n    not ok 1\n    1..1\nok 1 - sub\n", Outcome::pass, "all-passed"},
                      TapCase{"NoPlan", 0, "ok 1\nok 2\n", Outcome::error, "tap-broken"},
                      TapCase{"Nothing", 0, "", Outcome::error, "tap-broken"},
                      TapCase{"TooFew", 0, "1..3\nok 1\nok 2\n", Outcome::error, "tap-broken"},
                      TapCase{"TooMany", 0, "1..1\nok 1\nok 2\n", Outcome::error, "tap-broken"},
                      TapCase{"AnotherNumber", 0, "1..2\nok 1\nok 3\n", Outcome::error, "tap-broken"},
                      TapCase{"Number0", 0, "1..1\nok 0\n", Outcome::error, "tap-broken"},
                      TapCase{"Twice", 0, "1..2\nok 1\nok 1\n", Outcome::error, "tap-broken"},
                      TapCase{"TwoPlans", 0, "1..1\nok 1\n1..1\n", Outcome::error, "tap-broken"},
                      TapCase{"HugePlan", 0, "1..99999999999999999999\nok 1\n", Outcome::error, "tap-broken"},
                      TapCase{"BailOut", 0, "1..1\nok 1\nBail out! the disk is full\n", Outcome::error, "tap-broken"},
                      TapCase{"DiedBehindIt", 9, "1..1\nok 1\n", Outcome::error, "exit-code"}),
    [](const auto& info) { return info.param.name; });

struct LinesCase {
  const char* name;
  int code;
  const char* output;
  Outcome outcome;
  const char* reason;
};
void PrintTo(const LinesCase& one, std::ostream* out) { *out << one.name; }

class JsonLinesOutput : public ::testing::TestWithParam<LinesCase> {};
TEST_P(JsonLinesOutput, IsTakenAtItsWord) {
  const auto said = judge_json_lines(GetParam().code, GetParam().output);
  EXPECT_EQ(said.outcome, GetParam().outcome) << said.observed;
  EXPECT_EQ(said.reason, GetParam().reason) << said.observed;
}
INSTANTIATE_TEST_SUITE_P(
    All, JsonLinesOutput,
    ::testing::Values(
        LinesCase{"Good", 0,
                  R"({"name":"a","outcome":"pass"})"
                  "\n\n"
                  R"({"name":"b","outcome":"pass"})",
                  Outcome::pass, "all-passed"},
        LinesCase{"Fails", 1,
                  R"({"name":"a","outcome":"pass"})"
                  "\n"
                  R"({"name":"b","outcome":"fail","observed":"2","expected":"1"})",
                  Outcome::fail, "point-failed"},
        LinesCase{"FailsAndEndsWith0", 0, R"({"name":"b","outcome":"fail"})", Outcome::fail, "point-failed"},
        LinesCase{"Error", 0,
                  R"({"name":"a","outcome":"fail"})"
                  "\n"
                  R"({"name":"b","outcome":"error"})",
                  Outcome::error, "point-error"},
        LinesCase{"Skipped", 0,
                  R"({"name":"a","outcome":"pass"})"
                  "\n"
                  R"({"name":"b","outcome":"skipped"})",
                  Outcome::skipped, "point-skipped"},
        LinesCase{"Nothing", 0, "\n", Outcome::error, "line-broken"},
        LinesCase{"NoJson", 0,
                  R"({"name":"a","outcome":"pass"})"
                  "\nok\n",
                  Outcome::error, "line-broken"},
        LinesCase{"NoObject", 0, "[]", Outcome::error, "line-broken"},
        LinesCase{"OtherWord", 0, R"({"name":"a","outcome":"passed"})", Outcome::error, "line-broken"},
        LinesCase{"OtherKey", 0, R"({"name":"a","outcome":"pass","result":"fail"})", Outcome::error, "line-broken"},
        LinesCase{"KeyTwice", 0, R"({"name":"a","outcome":"fail","outcome":"pass"})", Outcome::error, "line-broken"},
        LinesCase{"Died", 1, R"({"name":"a","outcome":"pass"})", Outcome::error, "exit-code"},
        LinesCase{"DiedBehindAFailure", 139, R"({"name":"a","outcome":"fail"})", Outcome::error, "exit-code"}),
    [](const auto& info) { return info.param.name; });

// Whatever a program says: only what it says whole and at the end is a pass.
TEST(CommandOutput, NoBeginningOfADocumentPasses) {
  const std::string tap = "TAP version 14\n1..3\nok 1\nok 2 - b\nok 3";
  const std::string lines = R"({"name":"a","outcome":"pass"})";
  for (std::size_t length = 0; length + 4 < tap.size(); ++length)
    EXPECT_NE(judge_tap(0, tap.substr(0, length)).outcome, Outcome::pass) << length;
  for (std::size_t length = 0; length < lines.size(); ++length)
    EXPECT_NE(judge_json_lines(0, lines.substr(0, length)).outcome, Outcome::pass) << length;
  EXPECT_EQ(judge_tap(0, tap).outcome, Outcome::pass);
  EXPECT_EQ(judge_json_lines(0, lines).outcome, Outcome::pass);
}

}  // namespace
}  // namespace patchlab::checks::command_kind
