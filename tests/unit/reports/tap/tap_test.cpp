// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/tap/tap.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>

#include "lab/core/files.hpp"
#include "tests/support/programs.hpp"
#include "tests/support/sample_record.hpp"
#include "tests/support/waived_decision.hpp"

namespace patchlab::reports {
namespace {
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Tap, HasOnePointPerFactWithANameThatStays) {
  const auto record = tests::good_record();
  EXPECT_THAT(tap_lines(record),
              StartsWith("TAP version 13\n1..18\n"
                         "ok 1 - run\nok 2 - finance department\nok 3 - finance fence\n"
                         "ok 4 - finance fence before\nok 5 - finance fence during\nok 6 - finance fence after\n"
                         "ok 7 - finance decision # SKIP nobody was asked\n"
                         "ok 8 - finance verdict dns-update\nok 9 - finance verdict tidy\n"
                         "ok 10 - finance check dns/a-record\n"));
}

TEST(Tap, TellsInYamlWhatItFound) {
  auto record = tests::good_record();
  record.candidates.push_back(record.candidates[0]);
  record.candidates[2].id = "#late";
  auto& verdict = record.departments[0].verdicts[1];
  verdict.outcome = Outcome::fail;
  verdict.reason = "breaks #1 of \"two\"";
  verdict.trials = {"finance/t2"};
  EXPECT_THAT(tap_lines(record), AllOf(HasSubstr("\nnot ok 9 - finance verdict tidy\n"
                                                 "  ---\n  message: \"breaks #1 of \\\"two\\\"\"\n  outcome: fail\n"
                                                 "  code: \"candidate-fails\"\n"
                                                 "  detail: \"group: \\nfailed: \\ntrials: finance/t2\\n\"\n  ...\n"),
                                       HasSubstr("\nnot ok 10 - finance verdict \\#late\n  ---\n"
                                                 "  message: \"has no verdict\"\n  outcome: not-reached\n")));
}

TEST(Tap, TellsTheDecisionAlsoAsAComment) {
  const auto record = tests::good_record();
  auto decisions = tests::sample_decisions(record);
  decisions[0].state = DecisionState::refused;
  decisions[0].requirements.push_back({"stale", {}, "finance/dns", false, "is\nanother one", ""});
  EXPECT_THAT(tap_lines(record, decisions), AllOf(HasSubstr("\nnot ok 7 - finance decision\n"),
                                                  EndsWith("# finance: refused as of 2026-11-22T06:20:31.000Z\n"
                                                           "# finance: stale: finance/dns: is\\\\nanother one\n"
                                                           "# not tested: Windows guests: all machines of this "
                                                           "scenario are stand-ins\n")));
}

// A failed test stays one: a waiver is no TODO.
TEST(Tap, TellsWhatWasWaivedAndAnEmergencyAsComments) {
  auto record = tests::good_record();
  record.departments[0].verdicts[1].outcome = Outcome::fail;
  auto decisions = tests::waived_decisions(record);
  const auto text = tap_lines(record, decisions);
  EXPECT_THAT(text, HasSubstr("\nnot ok 9 - finance verdict tidy\n"));
  EXPECT_THAT(text, HasSubstr(std::string("\n# finance: ") + tests::emergency_text + "\n"));
  EXPECT_THAT(text, HasSubstr(std::string("\n# waived: finance ") + tests::waived_text + "\n"));
  EXPECT_THAT(text, Not(HasSubstr("TODO")));
  decisions[0].emergency.answered = "reviewed by carol";
  EXPECT_THAT(tap_lines(record, decisions),
              HasSubstr("# finance: emergency (CHG0042): mail is exploited: reviewed by carol"));
}

TEST(Tap, KeepsLabErrorsAndSkipsApart) {
  auto record = tests::good_record();
  record.departments[0].verdicts[0].outcome = Outcome::error;
  record.departments[0].verdicts[0].reason = "silent agent";
  record.departments[0].verdicts[1].outcome = Outcome::skipped;
  record.departments[0].verdicts[1].reason = "not installed";
  EXPECT_THAT(tap_lines(record), AllOf(HasSubstr("not ok 8 - finance verdict dns-update\n  ---\n"
                                                 "  message: \"silent agent\"\n  outcome: error\n"),
                                       HasSubstr("ok 9 - finance verdict tidy # SKIP not installed\n")));
}

TEST(Tap, IsNotOkWhenThereIsNothingToSay) {
  EXPECT_THAT(tap_lines(RunRecord{}), StartsWith("TAP version 13\n1..1\nnot ok 1 - run\n"));
  auto record = tests::good_record();
  record.complete = false;
  EXPECT_THAT(tap_lines(record), HasSubstr("\nnot ok 1 - run\n  ---\n  message: \"the run was interrupted"));
}

// As Debian's Test::Harness reads it: green, red, and never a syntax that it does not know.
TEST(Tap, IsReadByProve) {
  if (patchlab::testing::is_missing("prove")) GTEST_SKIP() << "prove is not installed (perl)";
  auto pattern = (std::filesystem::temp_directory_path() / "patchlab-tap-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const auto prove = [&](const std::string& lines) {
    EXPECT_TRUE(write_file_atomically(folder / "run.tap", lines));
    ProcessSpec spec;
    spec.program = "prove";
    spec.arguments = {"--exec", "cat", "--failures", (folder / "run.tap").string()};
    return host_processes().run(spec);
  };
  const auto good = prove(tap_lines(tests::good_record(), tests::sample_decisions(tests::good_record())));
  EXPECT_THAT(good.output, AllOf(HasSubstr("All tests successful."), HasSubstr("Result: PASS")));
  auto hostile = tests::rich_record();
  hostile.departments[0].verdicts[0].outcome = Outcome::error;
  hostile.departments[0].verdicts[0].reason = "  ...\nok 1 # SKIP \x1b[2J\nBail out!\n1..0";
  hostile.candidates[1].id = "# TODO not ok 1..0";
  hostile.departments[0].error = infrastructure_error("---\n...\nBail out!");
  for (const auto& record : {tests::rich_record(), RunRecord{}, hostile}) {
    const auto bad = prove(tap_lines(record));
    const auto said = bad.output + bad.errors;
    EXPECT_THAT(said, HasSubstr("Result: FAIL"));
    EXPECT_THAT(said, Not(HasSubstr("Parse errors"))) << tap_lines(record);
    EXPECT_THAT(said, Not(HasSubstr("Bailout"))) << said;
    EXPECT_THAT(said, Not(HasSubstr("TODO passed")));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace patchlab::reports
