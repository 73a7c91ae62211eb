// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/junit/junit.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "tests/support/golden.hpp"
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

std::string head_of(const std::string& xml) {
  const auto start = xml.find("<testsuites");
  return xml.substr(start, xml.find('>', start) - start);
}

TEST(Junit, IsAsReviewed) {
  tests::expect_golden("reports/good.junit.xml",
                       junit_xml(tests::good_record(), tests::sample_decisions(tests::good_record())));
}

// As properties: a waived failure is a failure to whoever counts tests.
TEST(Junit, TellsWhatWasWaivedAndAnEmergencyAsProperties) {
  auto record = tests::good_record();
  auto& check = record.departments[0].trials[2].phases[0].checks[0];
  check.outcome = Outcome::fail;
  const auto xml = junit_xml(record, tests::waived_decisions(record));
  EXPECT_THAT(xml, HasSubstr("<property name=\"waived 1\" value=\"mail/deliver: fail, waived by"));
  EXPECT_THAT(xml, HasSubstr("known limit; approved by"));
  EXPECT_THAT(xml, HasSubstr(std::string("<property name=\"emergency\" value=\"") + tests::emergency_text + "\""));
  EXPECT_THAT(xml, HasSubstr("<failure "));
  EXPECT_THAT(junit_xml(record, tests::sample_decisions(record)),
              AllOf(Not(HasSubstr("\"emergency\"")), Not(HasSubstr("waived"))));
}

TEST(Junit, APatchThatBreaksSomethingIsAFailure) {
  const auto xml = junit_xml(tests::rich_record());
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"finance.check.mail\" name=\"deliver\" time=\"0.000\">"
                             "<failure type=\"candidate-fails\" message=\"fails with postfix-tls-strict\">"
                             "fails with postfix-tls-strict&#10;after-install in finance/t3: smtp-refused"));
  EXPECT_THAT(xml, HasSubstr("&lt;mail.corp.example&gt;"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"finance.verdict\" name=\"pg-tuning-memory\" "
                             "time=\"0.000\"><failure type=\"candidates-fail-together\""));
  EXPECT_THAT(head_of(xml), HasSubstr("errors=\"0\""));
  const auto trials = junit_trials_xml(tests::rich_record());
  EXPECT_THAT(trials,
              HasSubstr("<testcase classname=\"finance.mail\" name=\"deliver (batch, after-install)\" time=\"0.180\">"
                        "<failure type=\"smtp-refused\" message=\"smtp-refused: expected 250 after DATA"));
  EXPECT_THAT(head_of(trials), HasSubstr("errors=\"0\""));
}

// Jenkins shows the message, GitLab the text alone: whoever reads sees the reason.
TEST(Junit, SaysEachMessageInTheTextAsWell) {
  auto record = tests::rich_record();
  record.departments[0].error = Error{ErrorClass::infrastructure, "the disk is full", "free some"};
  record.departments[1].verdicts[0].outcome = Outcome::skipped;
  record.departments[1].verdicts[0].reason = "is not installed";
  const auto xml = junit_xml(record);
  EXPECT_THAT(xml, HasSubstr("message=\"the disk is full\">the disk is full&#10;free some"));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"is not installed\">is not installed</skipped>"));
  for (const auto& text : {xml, junit_trials_xml(record)}) {
    for (auto at = text.find(" message=\""); at != std::string::npos; at = text.find(" message=\"", at + 1)) {
      const auto begin = at + 10;
      const auto end = text.find('"', begin);
      if (text.compare(end, 2, "\"/") == 0) continue;  // a try that did not count
      EXPECT_EQ(text.substr(end + 2, end - begin), text.substr(begin, end - begin));
    }
  }
}

// As Jenkins' xUnit plugin reads it.
// A reader that others wrote finds as many of each as the file says itself.
TEST(Junit, IsReadByJunitparser) {
  ProcessSpec spec;
  spec.program = "/usr/bin/python3";
  spec.arguments = {"-c", R"(
import sys
from junitparser import JUnitXml, Error, Failure, Skipped
xml = JUnitXml.fromstring(sys.stdin.buffer.read())
said, found = [0, 0, 0], [0, 0, 0]
for suite in xml:
    said = [a + b for a, b in zip(said, (suite.tests, suite.failures, suite.errors))]
    for case in suite:
        assert case.name and case.classname, case
        found[0] += 1
        found[1] += any(isinstance(one, Failure) for one in case.result)
        found[2] += any(isinstance(one, Error) for one in case.result)
print(found == said, *found)
)"};
  const auto read = [&](const std::string& xml) {
    spec.input = xml;
    return host_processes().run(spec);
  };
  const auto good = tests::good_record();
  const auto first = read(junit_xml(good, tests::sample_decisions(good)));
  if (first.errors.find("ModuleNotFoundError") != std::string::npos || std::holds_alternative<NotStarted>(first.end))
    GTEST_SKIP() << "python3-junitparser is not installed";
  EXPECT_THAT(first.output, AllOf(StartsWith("True "), EndsWith(" 0 0\n"))) << first.errors;
  for (const auto& record : {tests::rich_record(), RunRecord{}}) {
    for (const auto& xml : {junit_xml(record, tests::sample_decisions(record)), junit_trials_xml(record)}) {
      const auto outcome = read(xml);
      EXPECT_THAT(outcome.output, StartsWith("True ")) << outcome.errors << xml;
    }
  }
}

TEST(Junit, IsValidAgainstTheSchemaOfJenkins) {
  if (patchlab::testing::is_missing("xmllint")) GTEST_SKIP() << "xmllint is not installed (libxml2-utils)";
  const auto schema = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "tests/golden/junit-10.xsd";
  auto flaky = tests::good_record();
  flaky.departments[0].trials[2].phases[0].checks[0].tries = {
      {Outcome::fail, Milliseconds(20), "no-answer", "silence", Json()},
      {Outcome::pass, Milliseconds(10), "", "", Json()}};
  auto broken = tests::rich_record();
  broken.error = Error{ErrorClass::cancelled, "interrupted <\x1b&\">", "hint"};
  broken.departments[0].verdicts.clear();
  broken.departments[1].fence = {};
  const auto is_valid = [&](const std::string& xml) {
    ProcessSpec spec;
    spec.program = "xmllint";
    spec.arguments = {"--noout", "--nonet", "--schema", schema.string(), "-"};
    spec.input = xml;
    const auto outcome = host_processes().run(spec);
    const auto* exited = std::get_if<Exited>(&outcome.end);
    return exited != nullptr && exited->code == 0 ? std::string() : outcome.errors + outcome.describe();
  };
  for (const auto& record : {tests::good_record(), tests::rich_record(), flaky, broken, RunRecord{}}) {
    EXPECT_EQ(is_valid(junit_xml(record, tests::sample_decisions(record))), "");
    EXPECT_EQ(is_valid(junit_trials_xml(record)), "");
  }
  EXPECT_NE(is_valid("<testsuites skipped=\"0\"/>"), "") << "the check can fail";
}

TEST(Junit, ALabThatCouldNotTellIsAnErrorNotAFailure) {
  auto record = tests::good_record();
  auto& check = record.departments[0].trials[2].phases[0].checks[0];
  check.outcome = Outcome::error;
  check.error = timeout_error("no reply from the worker");
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("failures=\"0\" errors=\"1\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<error type=\"timeout\" message=\"error in after-install: no reply"));
  EXPECT_THAT(head_of(junit_trials_xml(record)), HasSubstr("failures=\"0\" errors=\"1\""));
  EXPECT_THAT(junit_trials_xml(record), HasSubstr("<error type=\"timeout\" message=\"no reply from the worker\">"));
}

TEST(Junit, WhatWasNotReachedIsNeverGreen) {
  auto record = tests::good_record();
  auto& trial = record.departments[0].trials[2];
  trial.phases[0].checks[0].outcome = Outcome::not_reached;
  trial.phases[1].checks.pop_back();
  EXPECT_THAT(head_of(junit_trials_xml(record)), HasSubstr("failures=\"0\" errors=\"2\""));
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("failures=\"0\" errors=\"2\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<error type=\"not-reached\" message=\"planned, but not executed in"));
  record.departments[0].verdicts.pop_back();
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("errors=\"3\""));
}

TEST(Junit, ASearchMayStopAtItsFirstFailure) {
  auto record = tests::rich_record();
  auto& search = record.departments[0].trials[3];
  ASSERT_EQ(search.purpose, reports::Purpose::search);
  search.outcome = Outcome::fail;
  search.phases.pop_back();
  search.phases.push_back({.phase = stability_phase, .machine = search.machines[0], .outcome = Outcome::not_reached});
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("errors=\"0\""));
  EXPECT_THAT(head_of(junit_trials_xml(record)), HasSubstr("errors=\"0\""));
  EXPECT_THAT(junit_trials_xml(record), HasSubstr("left out on purpose, as the trial had failed before</skipped>"));
}

TEST(Junit, SkippedVerdictsAreSkipped) {
  auto record = tests::good_record();
  record.departments[0].verdicts[0].outcome = Outcome::skipped;
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("errors=\"0\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<testcase classname=\"finance.verdict\" name=\"dns-update\" "
                                           "time=\"0.000\"><skipped message="));
}

TEST(Junit, AnInterruptedRunAndABrokenFenceAreErrors) {
  auto record = tests::good_record();
  record.complete = false;
  record.departments[0].fence.attempts[0].answered = true;
  record.departments[0].fence.troubles = {"no IPv6"};
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("errors=\"3\"")) << "the run, the fence, and its phase";
  EXPECT_THAT(junit_xml(record),
              HasSubstr("<testcase classname=\"finance.fence\" name=\"before\" time=\"0.000\"><error "
                        "type=\"fence-breach\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<testcase classname=\"finance.fence\" name=\"during\" time=\"0.000\"/>"));
  EXPECT_THAT(junit_xml(record), HasSubstr("<testcase classname=\"finance.fence\" name=\"fence\" time=\"0.000\"><error "
                                           "type=\"fence-breach\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<error type=\"run-incomplete\""));
  EXPECT_THAT(head_of(junit_trials_xml(record)), HasSubstr("errors=\"2\"")) << "an attempt, and a trouble";
}

std::set<std::string> names_in(const std::string& xml) {
  std::set<std::string> names;
  for (std::size_t at = 0; (at = xml.find("<testcase ", at)) != std::string::npos; ++at)
    names.insert(xml.substr(at, xml.find(" time=", at) - at));
  return names;
}

TEST(Junit, ATrialThatWasTriedAgainRenamesNoOther) {
  const auto before = names_in(junit_trials_xml(tests::rich_record()));
  auto record = tests::rich_record();
  auto& trials = record.departments[0].trials;
  auto lost = trials[1];
  ASSERT_EQ(lost.purpose, Purpose::control);
  lost.outcome = Outcome::error;
  lost.error = guest_error("the agent did not answer");
  lost.phases.clear();
  // Numbers move on by one, as they do in a run.
  for (std::size_t i = 1; i < trials.size(); ++i) trials[i].id = fmt::format("finance/t{}", i + 1);
  lost.retried_as = trials[1].id;
  trials.insert(trials.begin() + 1, lost);
  EXPECT_EQ(names_in(junit_xml(record)), names_in(junit_xml(tests::rich_record())));
  const auto xml = junit_trials_xml(record);
  const auto after = names_in(xml);
  EXPECT_TRUE(std::ranges::includes(after, before));
  EXPECT_THAT(xml, HasSubstr("name=\"control, lost try\""));
  EXPECT_THAT(xml, HasSubstr("was tried again as finance/t2: the agent did not answer"));
  EXPECT_THAT(head_of(xml), HasSubstr("errors=\"0\"")) << "it is no error of the run";
}

TEST(Junit, TellsOfFlakesAndAnUnexplainedOneIsAnError) {
  auto record = tests::good_record();
  record.departments[0].flaky = {{FlakeKind::in_search, "dns/a-record", {"tidy"}, {"finance/t3"}, {"finance/t4"}}};
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("errors=\"0\""));
  record.departments[0].flaky[0].kind = FlakeKind::not_reproduced;
  EXPECT_THAT(head_of(junit_xml(record)), HasSubstr("errors=\"1\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("\"finance.flaky\" name=\"dns/a-record (not-reproduced: tidy)\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("failed once and passed once"));
}

TEST(Junit, LeavesOutWhatXmlForbids) {
  auto record = tests::good_record();
  auto& install = record.departments[0].trials[2].installs[0];
  install.outcome = Outcome::fail;
  using namespace std::string_literals;
  install.log = "bell\a nul\0 esc\x1b[1m caf\xe9 \xEF\xBF\xBE tab\t ]]>"s;
  const auto xml = junit_trials_xml(record);
  EXPECT_THAT(xml, HasSubstr("bell nul esc[1m caf\xEF\xBF\xBD  tab&#9; ]]&gt;"));
  for (const char c : xml) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  EXPECT_THAT(xml, Not(HasSubstr("\xEF\xBF\xBE")));
  EXPECT_THAT(xml, StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
}

}  // namespace
}  // namespace patchlab::reports
