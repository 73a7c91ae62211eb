// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/questions.hpp"

#include <gmock/gmock.h>

#include <set>

#include "lab/guest/recording/scrub_rules.hpp"

namespace patchlab::lab::guest::recording {
namespace {
using windows::Command;
using windows::Effect;

// Every command of the adapter says what it does, in its one row; whoever adds one without that meets this test.
TEST(RecordedQuestions, KnowOfEveryCommandWhetherItOnlyAsks) {
  for (const auto& row : windows::commands()) {
    const auto is_known = row.effect == Effect::reads || row.effect == Effect::own_files || row.effect == Effect::acts;
    EXPECT_TRUE(is_known) << row.line << " is neither among those that only ask nor among those that act";
  }
}

TEST(RecordedQuestions, AskEveryCommandThatOnlyAsksOrSayWhyNot) {
  std::set<Command> asked;
  for (const auto& one : recorded_questions()) asked.insert(one.command);
  std::set<Command> left_out;
  for (const auto& [command, why] : not_recorded()) left_out.insert(command);
  for (const auto& row : windows::commands()) {
    if (row.effect == Effect::acts) {
      EXPECT_FALSE(asked.contains(row.command)) << row.line;
      EXPECT_FALSE(left_out.contains(row.command)) << row.line;
    } else {
      EXPECT_NE(asked.contains(row.command), left_out.contains(row.command)) << row.line;
    }
  }
}

// What the words of the lines say, beside what the table says of them.
TEST(RecordedQuestions, HoldNoWordOfWhatChangesAMachine) {
  auto all = recorded_questions();
  const auto names = name_questions();
  all.insert(all.end(), names.begin(), names.end());
  EXPECT_GT(all.size(), 90U);
  for (const auto& one : all) {
    for (const auto* word :
         {" add ",   " delete ", "/add-",   "/remove-",  "import",   "restore",  " set ",      " sl ",
          " cl ",    "/quiet",   "msiexec", "wusa",      "shutdown", "taskkill", "powershell", "/create",
          "/change", "/run ",    "/grant",  "/setowner", "start ",   "stop ",    " config ",   ">"}) {
      const bool is_variable = one.command == Command::architecture && std::string_view(word) == " set ";
      EXPECT_TRUE(is_variable || one.line.find(word) == std::string::npos) << one.line << ": " << word;
    }
    const auto known = windows::command_in(one.by, one.line);
    ASSERT_TRUE(known) << one.line;
    EXPECT_TRUE(windows::is_only_asking(*known));
  }
}

TEST(RecordedQuestions, HaveIdsThatNameFilesAndLinesThatAreAskedOnce) {
  std::set<std::string> ids;
  std::set<std::string> lines;
  for (const auto& one : recorded_questions()) {
    EXPECT_EQ(plain_id(one.id), one.id);
    EXPECT_TRUE(ids.insert(one.id).second) << one.id;
    EXPECT_TRUE(lines.insert(one.line).second) << one.line;
  }
  EXPECT_TRUE(ids.contains("acl-c-windows-system32-config"));
  EXPECT_TRUE(ids.contains("errors-microsoft-windows-printservice-admin"));
  for (const auto& one : name_questions()) EXPECT_FALSE(ids.contains(one.id)) << one.id;
}

TEST(RecordedQuestions, AreNoneThatAnInterpreterWouldMakeSomethingElseOf) {
  const auto known = [](const std::string& line) {
    const auto command = windows::command_in("job", line);
    return command && windows::is_only_asking(*command);
  };
  EXPECT_TRUE(known("C:\\Windows\\System32\\reg.exe query \"HKLM\\X\" /reg:64"));
  EXPECT_FALSE(known("C:\\Windows\\System32\\reg.exe query \"HKLM\\X\" & del x & \"\" /reg:64"));
  EXPECT_FALSE(known("C:\\Windows\\System32\\reg.exe query \"HKLM\\X\" /reg:64 & del C:\\x"));
  EXPECT_FALSE(known("C:\\Windows\\System32\\reg.exe query \"HKLM\\%X%\" /reg:64"));
  EXPECT_FALSE(known("C:\\Windows\\System32\\reg.exe delete \"HKLM\\X\" /reg:64"));
  EXPECT_FALSE(known("C:\\Windows\\System32\\wusa.exe C:\\patchlab\\x.msu /quiet /norestart"));
}

// A rule for a reply that nobody asks for would never find anything.
TEST(ScrubRulesFile, NamesRepliesThatThereAre) {
  const auto rules = read_scrub_rules(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios/recording/rules.json");
  ASSERT_TRUE(rules) << rules.error().message;
  std::set<std::string> ids;
  for (const auto& one : recorded_questions()) ids.insert(one.id);
  for (const auto& one : name_questions()) ids.insert(one.id);
  for (const auto& rule : rules->take) {
    for (const auto& from : rule.from) EXPECT_TRUE(ids.contains(from)) << rule.id << ": " << from;
  }
  for (const auto& rule : rules->forms) {
    for (const auto& from : rule.from) EXPECT_TRUE(ids.contains(from)) << rule.id << ": " << from;
  }
}
}  // namespace
}  // namespace patchlab::lab::guest::recording
