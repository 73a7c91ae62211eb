// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/junit/junit.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "tests/support/golden.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string head_of(const RunRecord& record) {
  const auto xml = junit_xml(record);
  const auto start = xml.find("<testsuites");
  return xml.substr(start, xml.find('>', start) - start);
}

TEST(Junit, IsAsReviewed) {
  tests::expect_golden("reports/good.junit.xml",
                       junit_xml(tests::good_record(), tests::sample_decisions(tests::good_record())));
}

TEST(Junit, APatchThatBreaksSomethingIsAFailure) {
  const auto xml = junit_xml(tests::rich_record());
  EXPECT_THAT(xml,
              HasSubstr("<testcase classname=\"finance.mail\" name=\"deliver (batch, after-install)\" time=\"0.180\">"
                        "<failure type=\"smtp-refused\" message=\"smtp-refused: expected 250 after DATA"));
  EXPECT_THAT(xml, HasSubstr("&lt;mail.corp.example&gt;"));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"finance.verdicts\" name=\"pg-tuning-memory\" "
                             "time=\"0.000\"><failure type=\"candidates-fail-together\""));
  EXPECT_THAT(head_of(tests::rich_record()), HasSubstr("errors=\"0\""));
}

TEST(Junit, ALabThatCouldNotTellIsAnErrorNotAFailure) {
  auto record = tests::good_record();
  auto& check = record.departments[0].trials[2].phases[0].checks[0];
  check.outcome = Outcome::error;
  check.error = timeout_error("no reply from the worker");
  EXPECT_THAT(head_of(record), HasSubstr("failures=\"0\" errors=\"1\" skipped=\"0\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<error type=\"timeout\" message=\"no reply from the worker\">"));
}

TEST(Junit, WhatWasNotReachedIsNeverGreen) {
  auto record = tests::good_record();
  auto& trial = record.departments[0].trials[2];
  trial.phases[0].checks[0].outcome = Outcome::not_reached;
  trial.phases[1].checks.pop_back();
  EXPECT_THAT(head_of(record), HasSubstr("failures=\"0\" errors=\"2\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<error type=\"not-reached\" message=\"planned, but not executed\">"));
  record.departments[0].verdicts.pop_back();
  EXPECT_THAT(head_of(record), HasSubstr("errors=\"3\""));
}

TEST(Junit, ASearchMayStopAtItsFirstFailure) {
  auto record = tests::rich_record();
  auto& search = record.departments[0].trials[3];
  ASSERT_EQ(search.purpose, reports::Purpose::search);
  search.phases.pop_back();
  EXPECT_THAT(head_of(record), HasSubstr("errors=\"0\""));
}

TEST(Junit, SkippedVerdictsAreSkipped) {
  auto record = tests::good_record();
  record.departments[0].verdicts[0].outcome = Outcome::skipped;
  EXPECT_THAT(head_of(record), HasSubstr("errors=\"0\" skipped=\"1\""));
}

TEST(Junit, AnInterruptedRunAndABrokenFenceAreErrors) {
  auto record = tests::good_record();
  record.complete = false;
  record.departments[0].fence.attempts[0].answered = true;
  record.departments[0].fence.troubles = {"no IPv6"};
  EXPECT_THAT(head_of(record), HasSubstr("errors=\"3\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("<error type=\"fence-breach\""));
}

std::set<std::string> names_in(const std::string& xml) {
  std::set<std::string> names;
  for (std::size_t at = 0; (at = xml.find("<testcase ", at)) != std::string::npos; ++at)
    names.insert(xml.substr(at, xml.find(" time=", at) - at));
  return names;
}

TEST(Junit, ATrialThatWasTriedAgainRenamesNoOther) {
  const auto before = names_in(junit_xml(tests::rich_record()));
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
  const auto xml = junit_xml(record);
  const auto after = names_in(xml);
  EXPECT_TRUE(std::ranges::includes(after, before));
  EXPECT_THAT(xml, HasSubstr("name=\"control, lost try\""));
  EXPECT_THAT(xml, HasSubstr("was tried again as finance/t2: the agent did not answer"));
  EXPECT_THAT(head_of(record), HasSubstr("errors=\"0\"")) << "it is no error of the run";
}

TEST(Junit, TellsOfFlakesAndAnUnexplainedOneIsAnError) {
  auto record = tests::good_record();
  record.departments[0].flaky = {{FlakeKind::in_search, "dns/a-record", {"tidy"}, {"finance/t3"}, {"finance/t4"}}};
  EXPECT_THAT(head_of(record), HasSubstr("errors=\"0\" skipped=\"1\""));
  record.departments[0].flaky[0].kind = FlakeKind::not_reproduced;
  EXPECT_THAT(head_of(record), HasSubstr("errors=\"1\" skipped=\"0\""));
  EXPECT_THAT(junit_xml(record), HasSubstr("flaky dns/a-record (not-reproduced: tidy)"));
  EXPECT_THAT(junit_xml(record), HasSubstr("failed once and passed once"));
}

TEST(Junit, LeavesOutWhatXmlForbids) {
  auto record = tests::good_record();
  auto& install = record.departments[0].trials[2].installs[0];
  install.outcome = Outcome::fail;
  using namespace std::string_literals;
  install.log = "bell\a nul\0 esc\x1b[1m caf\xe9 \xEF\xBF\xBE tab\t ]]>"s;
  const auto xml = junit_xml(record);
  EXPECT_THAT(xml, HasSubstr("bell nul esc[1m caf\xEF\xBF\xBD  tab&#9; ]]&gt;"));
  for (const char c : xml) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  EXPECT_THAT(xml, Not(HasSubstr("\xEF\xBF\xBE")));
  EXPECT_THAT(xml, StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"));
}

}  // namespace
}  // namespace patchlab::reports
