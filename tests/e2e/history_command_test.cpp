// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdlib>

#include "lab/core/paths.hpp"
#include "program.hpp"
#include "tests/support/sample_record.hpp"

// History asked by the built program, of runs without machines. What the ledger adds, DeployCommand asks.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Words = std::vector<std::string>;

class HistoryCommand : public ::testing::Test {
 protected:
  HistoryCommand() {
    ::unsetenv("PATCHLAB_RUNS");
    ::unsetenv("PATCHLAB_HISTORY");
    put(tests::good_record(), "2026-10-03", "10");
    auto bad = tests::held_back_record();
    bad.tool_version = "0.0.9";
    auto& check = bad.departments[0].trials[0].phases[1].checks[0];
    check.tries = {{Outcome::fail, Milliseconds(1)}, {Outcome::pass, Milliseconds(1)}};
    put(bad, "2026-11-03", "11");
  }
  ~HistoryCommand() override { ::unsetenv("PATCHLAB_HISTORY"); }

  void put(reports::RunRecord record, const std::string& day, const std::string& id) const {
    record.id = id;
    record.started = record.finished = day + "T02:00:00.000Z";
    ASSERT_TRUE(create_folders(folder_.path() / "runs" / id));
    ASSERT_TRUE(reports::write_run_record(record, folder_.path() / "runs" / id / "run.json"));
  }
  [[nodiscard]] ProcessOutcome ask(Words words) const {
    words.insert(words.begin(), "history");
    return patchlab(words, folder_.path());
  }
  [[nodiscard]] std::string said(const Words& words, int code = 0) const {
    const auto outcome = ask(words);
    EXPECT_EQ(exit_code(outcome), code) << outcome.describe();
    return outcome.output;
  }
  void expect_refused(const Words& words, int code, const std::string& message, const std::string& hint) const {
    const auto outcome = ask(words);
    EXPECT_EQ(exit_code(outcome), code) << outcome.describe();
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr(message), HasSubstr(hint)));
  }

  TemporaryFolder folder_;
};

TEST_F(HistoryCommand, AnswersEachQuestionInATable) {
  EXPECT_THAT(said({"runs"}), AllOf(ContainsRegex("begun +run +scenario +result"),
                                    ContainsRegex("2026-11-03 02:00 +11 +xavier-nightly +candidate-fails"),
                                    ContainsRegex("2026-10-03 02:00 +10 +xavier-nightly +ok")));
  EXPECT_THAT(said({"runs", "--newest", "1"}),
              AllOf(HasSubstr("1 of 2 runs; --newest 0 lists all"), Not(HasSubstr("2026-10-03"))));
  EXPECT_THAT(said({"runs", "--until", "2026-10"}), Not(HasSubstr("2026-11-03")));
  EXPECT_THAT(
      said({"candidate", "tidy"}),
      AllOf(HasSubstr("tidy: Tidied package (low, deb)"), ContainsRegex("2026-10-03 02:00 +finance +run 10: pass"),
            ContainsRegex("2026-11-03 02:00 +finance +run 11: fail: mail/deliver"),
            HasSubstr(
                "  forecast, if it were tested again; it decides nothing:\n    1 of 1 patch of the same product (deb "
                "from repack) for dns, mail broke something here; with 95 % confidence at most 100 % of such do: "
                "few, and there are no more\n    on a machine 21.3 s with 1 restart (21.3 s to 24.1 s, 4 times on "
                "tcg)\n    drawn from 2 runs: 11, 10\n    such a forecast was never put to the test\n")));
  EXPECT_THAT(
      said({"flaky"}),
      AllOf(ContainsRegex("finance +mail/deliver +10 +1 +1 +10.0 % +39.4 % +0 +0 of 4 failed +2026-10 to 2026-11"),
            HasSubstr("1 of 7 checks")));
  EXPECT_THAT(said({"flaky", "--until", "2026-10"}), HasSubstr("none of 7 checks had to be asked again"));
  EXPECT_THAT(said({"durations", "--role", "mail"}),
              AllOf(ContainsRegex("mail +deb +restart +tcg"), ContainsRegex("mail +none +checks +tcg"),
                    Not(ContainsRegex("\ndns ")), HasSubstr("-: of fewer than 5 times nothing is said")));
  EXPECT_THAT(said({"trend"}), AllOf(ContainsRegex("2026-10 +1 +1 +1"), ContainsRegex("2026-11 +1 +1 +0"),
                                     ContainsRegex("2026-11 +finance +1 +1 +50.0 %")));
  EXPECT_THAT(said({"trend", "--by", "candidate"}), ContainsRegex("tidy +1 +1 +50.0 %"));
  EXPECT_THAT(said({"changed"}),
              AllOf(HasSubstr("since the last good run 10"), ContainsRegex("patchlab +patchlab +0.1.0 +0.0.9")));
  EXPECT_THAT(said({"changed", "--run", "10"}, 3), HasSubstr("before it no run of xavier-nightly was good"));
  EXPECT_THAT(said({"rebuild"}), HasSubstr(": 2 runs, 0 lines of the ledger\n  stage '"));
}

TEST_F(HistoryCommand, SaysWhatIsNotInIt) {
  ASSERT_TRUE(create_folders(folder_.path() / "runs" / "12"));
  ASSERT_TRUE(write_file_atomically(folder_.path() / "runs" / "12" / "run.json", "{"));
  ASSERT_TRUE(create_folders(folder_.path() / "runs" / "13"));
  ASSERT_TRUE(write_file_atomically(folder_.path() / "runs" / "13" / "events.jsonl", ""));
  const auto runs = ask({"runs"});
  EXPECT_EQ(exit_code(runs), 0);
  EXPECT_THAT(runs.output, HasSubstr("run 13 has no record: it is under way, or was killed"));
  EXPECT_THAT(runs.errors, AllOf(HasSubstr("no run of '12' is in here: "),
                                 HasSubstr("has no ledger: nothing is known of decisions")));
  for (const auto& words :
       {Words{"flaky"}, Words{"trend"}, Words{"durations"}, Words{"changed"}, Words{"candidate", "tidy"}})
    EXPECT_THAT(ask(words).errors, HasSubstr("no run of '12' is in here: ")) << words[0];
  const auto json = Json::parse(said({"trend", "--json"}));
  EXPECT_EQ(json["index"]["left_out"].size(), 2U);
  EXPECT_EQ(json["index"]["has_ledger"], false);
  EXPECT_THAT(said({"rebuild"}), AllOf(HasSubstr("not in it: '12': "), HasSubstr("1 folders have no record")));
}

TEST_F(HistoryCommand, NamesThingPlaceAndNextStepOfWhatItRefuses) {
  expect_refused({"runs", "--since", "2026-13"}, 64, "--since '2026-13' is no month", "write it as 2026-11");
  expect_refused({"runs", "--history", "x.db"}, 64, "--history 'x.db' is no place for an index",
                 "sqlite3://FILE or postgresql://");
  expect_refused({"candidate", "tidi"}, 64, "'tidi' is in no run; there are: dns-update, tidy", "did you mean tidy?");
  expect_refused({"flaky", "--scenario", "xavier"}, 64, "there are: xavier-nightly", "did you mean xavier-nightly?");
  expect_refused({"durations", "--kind", "msu"}, 64, "there are: deb, none", "");
  expect_refused({"changed", "--run", "99"}, 64, "there is no run '99' in the index", "patchlab history runs");
  expect_refused({"runs", "--runs", "elsewhere"}, 65, "there is no folder of runs '", "name the folder with --runs");
  expect_refused({"runs", "--stage", "elsewhere"}, 65, "there is no stage '", "--stage");
  ASSERT_TRUE(create_folders(folder_.path() / "empty"));
  for (const char* question : {"runs", "flaky", "durations", "trend", "changed"})
    expect_refused({question, "--runs", "empty"}, 65, "there is no run in 'empty'", "patchlab run SCENARIO");
}

TEST_F(HistoryCommand, AnIndexThatIsNoneOrDamagedIsMadeAnewOnlyWhenAskedAndOnlyWhenItIsOurs) {
  const auto index = folder_.path() / "index.db";
  ::setenv("PATCHLAB_HISTORY", "sqlite3://index.db", 1);
  EXPECT_THAT(said({"runs"}), HasSubstr("2026-11-03"));
  EXPECT_FALSE(is_there(folder_.path() / "runs" / "history.sqlite3"));
  ASSERT_TRUE(create_folders(folder_.path() / "other"));
  expect_refused({"runs", "--stage", "other"}, 65, "is of the stage in '", "patchlab history rebuild");
  auto bytes = read_file(index).value();
  ASSERT_TRUE(write_file_atomically(index, bytes.substr(0, 100) + std::string(bytes.size() - 100, 'x')));
  expect_refused({"runs"}, 65, "index.db", "patchlab history rebuild");
  EXPECT_THAT(said({"rebuild"}), HasSubstr("2 runs"));
  EXPECT_THAT(said({"runs"}), HasSubstr("2026-11-03"));
  ASSERT_TRUE(write_file_atomically(index, "a letter\n"));
  for (const auto& words : {Words{"runs"}, Words{"rebuild"}})
    expect_refused(words, 65, "is no history index: it is no", "it is left alone");
  EXPECT_EQ(read_file(index).value(), "a letter\n");
}

}  // namespace
}  // namespace patchlab::e2e
