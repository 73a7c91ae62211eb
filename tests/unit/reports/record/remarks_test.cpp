// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "reports/record/remarks.hpp"

#include <gmock/gmock.h>

#include "reports/csv/csv.hpp"
#include "reports/html/html.hpp"
#include "reports/junit/junit.hpp"
#include "reports/record/queries.hpp"
#include "reports/tap/tap.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::reports {
namespace {
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

checks::CheckResult& check_in(RunRecord& record, std::size_t trial, std::size_t phase = 0, std::size_t check = 0) {
  return record.departments[0].trials[trial].phases[phase].checks[check];
}

// In good_record: 0 is the baseline, 1 the control, 2 the batch.
void make_flaky(checks::CheckResult& check) {
  check.tries = {{Outcome::fail, Milliseconds(20), "no-answer", "silence for 5 s", Json()},
                 {Outcome::pass, Milliseconds(10), "", "", Json()}};
}

void leave_unjudged(checks::CheckResult& check) {
  check.slowness = checks::Slowness{
      .judged = false, .quickest = Milliseconds(849), .limit = Milliseconds(847), .why_not = "this host was too busy"};
}

TEST(Remarks, AreNoneOfASteadyRun) {
  const auto record = tests::rich_record();
  for (const auto& department : record.departments) EXPECT_THAT(remarks(department), IsEmpty());
}

TEST(Remarks, CountTheTriesOfAFlakyCheckAndSayWhetherItIsSoWithoutAPatch) {
  auto record = tests::good_record();
  make_flaky(check_in(record, 2));
  make_flaky(check_in(record, 2, 2));
  const auto key = check_key(record.departments[0].trials[2].phases[0].machine, check_in(record, 2).id);
  ASSERT_EQ(key, "dns/a-record");
  EXPECT_THAT(flaky_checks(record.departments[0]),
              ElementsAre(FlakyCheck{
                  "dns", "a-record", 2, 4, false, {"finance/t2 after-install", "finance/t2 after-reboot-1"}}));
  EXPECT_THAT(remarks(record.departments[0]),
              ElementsAre("flaky: dns/a-record failed in 2 of 4 tries in finance/t2 after-install, finance/t2 "
                          "after-reboot-1; without a patch it was steady"));
  make_flaky(check_in(record, 1));
  EXPECT_TRUE(flaky_checks(record.departments[0]).front().without_patch);
}

TEST(Remarks, NameWhatFailsAtAMoveOfTheClockWithoutAnyPatch) {
  auto record = tests::good_record();
  auto& phase = record.departments[0].trials[2].phases[0];
  phase.phase = "clock+90d";
  phase.fails_without_patch = {{"deliver", "expired"}};
  EXPECT_THAT(remarks(record.departments[0]),
              ElementsAre(fmt::format("not judged: {}/deliver at clock+90d: it fails there without any patch as well",
                                      phase.machine)));
}

TEST(Remarks, NameServicesThatWereToBeStoppedAndWereNot) {
  auto record = tests::good_record();
  auto& phase = record.departments[0].trials[2].phases[0];
  phase.phase = services_phase;
  phase.service_cycles = ServiceCycles{.planned = 2, .services = {{.name = "named", .why_not = "there is none"}}};
  EXPECT_THAT(
      remarks(record.departments[0]),
      ElementsAre(fmt::format("not asked on {}: 'named' was not stopped and started: there is none", phase.machine)));
  phase.service_cycles->services[0] = {.name = "named", .done = 2};
  EXPECT_THAT(remarks(record.departments[0]), ElementsAre());
  phase.service_cycles->services.clear();
  EXPECT_THAT(remarks(record.departments[0]),
              ElementsAre(fmt::format("not asked on {}: no service was stopped and started: the role names none",
                                      phase.machine)));
}

TEST(Remarks, NameMachinesWithoutAPackageBehindTheSet) {
  auto record = tests::good_record();
  auto& phase = record.departments[0].trials[2].phases[0];
  phase.phase = next_package_phase;
  phase.next_package = NextPackage{.install = {}, .why_not = "'canary': is for other roles"};
  EXPECT_THAT(
      remarks(record.departments[0]),
      ElementsAre(fmt::format("not asked on {}: no package was installed behind the set: 'canary': is for other "
                              "roles",
                              phase.machine)));
}

TEST(Remarks, GatherTheMachinesOfWhichNobodyKnowsWhetherTheyGrow) {
  auto record = tests::good_record();
  for (const std::size_t trial : {1U, 2U}) {
    for (const std::size_t phase : {0U, 1U})
      record.departments[0].trials[trial].phases[phase].growth =
          checks::growth::Growth{.why_not = "3 of 11 looks", .looks = 3, .planned = 11};
  }
  const auto& phases = record.departments[0].trials[1].phases;
  ASSERT_NE(phases[0].machine, phases[1].machine);
  std::vector<std::string> machines{phases[0].machine, phases[1].machine};
  std::ranges::sort(machines);
  EXPECT_THAT(unjudged_growth(record.departments[0]), ElementsAre(UnjudgedGrowth{machines, "3 of 11 looks"}));
  EXPECT_THAT(remarks(record.departments[0]),
              ElementsAre(fmt::format("not judged: whether anything grows on {}, {}: 3 of 11 looks", machines[0],
                                      machines[1])));
}

TEST(Remarks, GatherTheChecksThatWereNotJudgedForOneReason) {
  auto record = tests::good_record();
  leave_unjudged(check_in(record, 1));
  leave_unjudged(check_in(record, 2));
  leave_unjudged(check_in(record, 2, 0, 1));
  EXPECT_THAT(unjudged_slowness(record.departments[0]),
              ElementsAre(UnjudgedSlowness{"dns", {"a-record", "cname-chain"}, "this host was too busy"}));
  EXPECT_THAT(remarks(record.departments[0]),
              ElementsAre("not judged: whether dns/a-record, dns/cname-chain became slower: this host was too busy"));
}

// What the run did not cover, and configuration that an installation left as it was.
TEST(Remarks, OfWhatWasNotTestedAreInEveryFormat) {
  auto record = tests::good_record();
  auto& trial = record.departments[0].trials.at(2);
  ASSERT_FALSE(trial.installs.empty());
  trial.installs[0].kept_files = {"/etc/bind/named.conf"};
  record.not_tested = {"kernel: it comes from outside the guest"};
  for (const auto* sentence : {"kept its own configuration when", "it comes from outside the guest"}) {
    EXPECT_THAT(html_report(record), HasSubstr(sentence));
    EXPECT_THAT(tap_lines(record), HasSubstr(sentence));
  }
  EXPECT_THAT(tap_lines(record), HasSubstr("\n# not tested: finance: dns kept its own configuration when "));
  EXPECT_THAT(junit_xml(record), HasSubstr("name=\"kept_configuration dns\" value=\"/etc/bind/named.conf\""));
  EXPECT_THAT(junit_trials_xml(record), HasSubstr("name=\"kept_configuration\" value=\"/etc/bind/named.conf\""));
  const auto csv = csv_table(record);
  EXPECT_THAT(csv, HasSubstr(",kept-file,finance,dns,finance/t2,batch,"));
  EXPECT_THAT(csv, HasSubstr(",/etc/bind/named.conf,skipped,own-configuration-kept,,,0\r\n"));
  EXPECT_THAT(csv, HasSubstr(",not-tested,,,,,,,,not-reached,kernel: it comes from outside the guest,,,0\r\n"));
}

// A reader of any one format must see it.
TEST(Remarks, AreInEveryFormat) {
  auto record = tests::good_record();
  make_flaky(check_in(record, 2));
  leave_unjudged(check_in(record, 2, 0, 1));
  const auto html = html_report(record);
  EXPECT_THAT(html, HasSubstr("flaky: dns/a-record failed in 1 of 2 tries"));
  EXPECT_THAT(html, HasSubstr("not judged: whether dns/cname-chain became slower: this host was too busy"));
  const auto tap = tap_lines(record);
  EXPECT_THAT(tap, HasSubstr("\n# finance: flaky: dns/a-record failed in 1 of 2 tries"));
  EXPECT_THAT(tap, HasSubstr("\n# finance: not judged: whether dns/cname-chain"));
  EXPECT_THAT(junit_xml(record), HasSubstr("<property name=\"remark 1\" value=\"flaky: dns/a-record failed in 1 of 2"));
  EXPECT_THAT(junit_xml(record), HasSubstr("<property name=\"remark 2\" value=\"not judged: whether dns/cname-chain"));
  const auto junit = junit_trials_xml(record);
  EXPECT_THAT(junit, HasSubstr("<flakyFailure type=\"no-answer\" message=\"silence for 5 s\"/></testcase>"));
  EXPECT_THAT(junit, HasSubstr("name=\"cname-chain slowness (batch, after-install)\" time=\"0.000\"><skipped "
                               "message=\"not judged: this host was too busy\">not judged: this host"));
  const auto csv = csv_table(record);
  EXPECT_THAT(csv, HasSubstr(",try,finance,dns,finance/t2,batch,dns-update tidy,after-install,a-record,fail,no-answer,,"
                             "silence for 5 s,20\r\n"));
  EXPECT_THAT(csv, HasSubstr(",slowness,finance,dns,finance/t2,batch,dns-update tidy,after-install,cname-chain,skipped,"
                             "not-judged,,this host was too busy,849\r\n"));
  const Json json = record;
  EXPECT_THAT(json.dump(), HasSubstr("\"why_not\":\"this host was too busy\""));
  EXPECT_THAT(json.dump(), HasSubstr("\"observed\":\"silence for 5 s\""));
}

}  // namespace
}  // namespace patchlab::reports
