// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/command/command.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "checks/command/parameters.hpp"
#include "checks/identity.hpp"
#include "checks/program.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks {
namespace {
using ::testing::HasSubstr;

std::vector<std::string> problems_of(const Json& parameters) {
  std::vector<JsonProblem> problems;
  command().validate(parameters, "/with", problems);
  std::vector<std::string> texts;
  for (const auto& problem : problems) texts.push_back(problem.pointer + ": " + problem.message);
  return texts;
}

Observation seen(const std::string& end, int code, const std::string& output = "all is well\n") {
  return {{"program", "x"},   {"end", end},   {"code", code},
          {"output", output}, {"errors", ""}, {"performance", Json::array()}};
}
Judgement judged(const Json& parameters, const Observation& observation) {
  return command().judge(parameters, observation);
}

TEST(Command, ReadsItsParametersStrictly) {
  EXPECT_THAT(problems_of({{"program", "check_dns"}}), ::testing::IsEmpty());
  EXPECT_EQ(problems_of(Json::object()).size(), 1U);
  EXPECT_EQ(problems_of({{"program", ""}}).size(), 1U);
  EXPECT_EQ(problems_of({{"program", "x"}, {"output", "nagois"}}).size(), 1U);
  EXPECT_EQ(problems_of({{"program", "x"}, {"port", 0}}).size(), 1U);
  EXPECT_EQ(problems_of({{"program", "x"}, {"arguments", "-H"}}).size(), 1U);
  EXPECT_EQ(problems_of({{"program", "x"}, {"output", "tap"}, {"warning_passes", true}}).size(), 1U);
  EXPECT_EQ(problems_of({{"program", "x"}, {"sha256", std::string(64, '0')}}).size(), 1U) << "is taken from the file";
  EXPECT_EQ(command().program_in({{"program", "x"}}), "x");
  EXPECT_EQ(command().program_in({{"program", 5}}), "");
  EXPECT_EQ(command().program_in(Json::array()), "");
}

TEST(Command, FillsInWhatItKnows) {
  const Target target{"10.20.0.14", "10.20.0.250", "br0", "mail", "mail-server"};
  command_kind::Parameters parameters;
  parameters.port = 25;
  const auto facts = command_kind::facts_for(target, parameters, Milliseconds(2900));
  EXPECT_EQ(command_kind::filled_in("{address}:{port} {client} {interface} {machine} {role} {deadline_s} {deadline_ms}",
                                    facts),
            "10.20.0.14:25 10.20.0.250 br0 mail mail-server 2 2900");
  EXPECT_EQ(command_kind::facts_for(target, parameters, Milliseconds(10)).at("deadline_s"), "1");
  for (const auto* same : {"", "{", "}", "{}", "{adress}", "{{", "{print $1}", "a{b", "{\"a\": 1}"})
    EXPECT_EQ(command_kind::filled_in(same, facts), same);
  EXPECT_EQ(command_kind::filled_in("{{port}}", facts), "{25}");
  parameters.port.reset();
  EXPECT_EQ(command_kind::filled_in("{port}", command_kind::facts_for(target, parameters, Milliseconds(1))), "{port}");
}

// What it did not say itself is no verdict about the server, whatever it had printed.
TEST(Command, AnEndThatIsNotItsOwnIsAnError) {
  for (const Json& parameters : {Json{{"program", "x"}}, Json{{"program", "x"}, {"output", "tap"}},
                                 Json{{"program", "x"}, {"output", "json-lines"}}}) {
    for (const auto* end : {"signal", "deadline", "flood", "not-started", "left-processes"}) {
      for (const auto* output : {"OK\n", "1..1\nok 1\n", "1..1\nnot ok 1\n", R"({"name":"a","outcome":"pass"})"}) {
        const auto said = judged(parameters, seen(end, 0, output));
        EXPECT_EQ(said.outcome, Outcome::error);
        EXPECT_EQ(said.reason, end);
      }
    }
  }
  EXPECT_THAT(judged({{"program", "x"}}, seen("signal", 11)).observed, HasSubstr("signal 11"));
}

TEST(Command, SkippedIsNeverAPass) {
  for (const auto* output : {"nagios", "tap", "json-lines"}) {
    const auto said = judged({{"program", "x"}, {"output", output}}, seen("exit", 77, "1..1\nok 1\n"));
    EXPECT_EQ(said.outcome, Outcome::skipped) << output;
    EXPECT_EQ(said.reason, "skipped");
  }
  // 77 of them failed.
  EXPECT_EQ(judged({{"program", "x"}, {"output", "tap"}}, seen("exit", 77, "1..1\nnot ok 1\n")).outcome, Outcome::fail);
}

class ProgramFile : public ::testing::Test {
 protected:
  ProgramFile() { std::filesystem::create_directories(folder_); }
  ~ProgramFile() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(ProgramFile, IsTakenInWithItsDigestAndComesBackAsItWas) {
  const std::string bytes(
      "#!/bin/sh\n\0\xff"
      "exit 0\n",
      19);
  const auto program = read_check_program(file("zone-check.sh", bytes));
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(*program, (CheckProgram{"zone-check.sh", sha256(bytes), bytes}));
  const auto back = check_program_from(check_program_json(*program));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(*back, *program);
}

TEST_F(ProgramFile, WhatCannotBeExecutedIsSaidAtOnce) {
  EXPECT_THAT(read_check_program(file("notes.txt", "hello")).error().message,
              HasSubstr("neither a script nor a program"));
  EXPECT_FALSE(read_check_program(file("empty", "")));
  EXPECT_FALSE(read_check_program(file("-rf", "#!/bin/sh\n")));
  EXPECT_FALSE(read_check_program(file("a b", "#!/bin/sh\n")));
  EXPECT_FALSE(read_check_program(folder_));
  EXPECT_FALSE(read_check_program(folder_ / "gone"));
  EXPECT_FALSE(read_check_program(file("big", "#!" + std::string(largest_program, 'x'))));
}

TEST_F(ProgramFile, OtherBytesThanWereDigestedAreNotTaken) {
  const auto program = read_check_program(file("a", "#!/bin/sh\nexit 0\n")).value();
  auto json = check_program_json(program);
  json["bytes"] = check_program_json(read_check_program(file("b", "#!/bin/sh\nexit 1\n")).value()).at("bytes");
  EXPECT_FALSE(check_program_from(json));
  json = check_program_json(program);
  json["name"] = "../a";
  EXPECT_FALSE(check_program_from(json));
  json = check_program_json(program);
  json["more"] = 1;
  EXPECT_FALSE(check_program_from(json));
}

TEST_F(ProgramFile, AnotherProgramIsAnotherCheck) {
  CheckSpec spec{"banner", "command", Json{{"program", "a"}}, Milliseconds(1000), {}, {}};
  const auto without = check_digest(spec);
  spec.program = read_check_program(file("a", "#!/bin/sh\nexit 0\n")).value();
  const auto first = check_digest(spec);
  EXPECT_NE(first, without);
  spec.program = read_check_program(file("a", "#!/bin/sh\nexit 0 \n")).value();
  EXPECT_NE(check_digest(spec), first);
}

}  // namespace
}  // namespace patchlab::checks
