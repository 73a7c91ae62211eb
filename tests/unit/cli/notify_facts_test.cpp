// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/notify_facts.hpp"

#include <gmock/gmock.h>

#include "cli/calendar_argument.hpp"
#include "lab/core/time.hpp"
#include "tests/support/sample_record.hpp"

namespace patchlab::cli {
namespace {

using namespace process;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(VerdictFacts, SayWhatPassedAndWhatDidNot) {
  auto record = tests::good_record();
  const auto good = verdict_facts(record);
  ASSERT_THAT(good, SizeIs(1));
  EXPECT_EQ(good[0].kind, EventKind::verdict_ready);
  EXPECT_EQ(good[0].subject, "finance/" + record.id);
  EXPECT_TRUE(good[0].happened);
  EXPECT_THAT(good[0].says, AllOf(HasSubstr("finance: pass: "), Not(HasSubstr("failed"))));
  EXPECT_FALSE(run_trouble(record));
  record.departments[0].verdicts[0].outcome = Outcome::fail;
  record.complete = false;
  const auto bad = verdict_facts(record)[0];
  EXPECT_THAT(bad.says, AllOf(HasSubstr("failed: " + record.departments[0].verdicts[0].candidate),
                              HasSubstr("the run was not complete")));
  EXPECT_EQ(bad.key, good[0].key) << "a run ends once";
}

TEST(RunTrouble, IsALeakOrALabThatCouldNotTell) {
  auto record = tests::good_record();
  record.error = infrastructure_error("no space left");
  const auto trouble = run_trouble(record);
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->kind, EventKind::lab_broken);
  EXPECT_THAT(trouble->says, HasSubstr("could not tell of everything: no space left"));
}

promotion::Waiting waiting() {
  promotion::Waiting one;
  one.department = "finance";
  one.run = "r1";
  one.set = {"dns-update", "tidy"};
  one.whom = {"alice@x", "bob@x"};
  reports::RequirementRecord missing;
  missing.code = "approval-missing";
  missing.text = "0 of 2 approvals";
  one.missing = {missing};
  one.command = "patchlab approve r1";
  return one;
}

TEST(ApprovalFact, IsANewOneWhenItWaitsForSomebodyElse) {
  const auto first = approval_fact(waiting());
  ASSERT_TRUE(first);
  EXPECT_THAT(first->says, AllOf(HasSubstr("finance: dns-update, tidy of run r1 wait for alice@x, bob@x: "),
                                 HasSubstr("0 of 2 approvals")));
  EXPECT_EQ(first->data.at("command"), "patchlab approve r1");
  EXPECT_TRUE(first->lasting && first->away == 0h) << "an approval that is withdrawn is wanted again";
  auto one = waiting();
  one.missing[0].text = "1 of 2 approvals, as of 12:00";
  EXPECT_EQ(approval_fact(one)->key, first->key) << "words may change";
  one.whom = {"bob@x"};
  EXPECT_NE(approval_fact(one)->key, first->key);
  one.whom.clear();
  one.missing[0].code = "window-closed";
  EXPECT_FALSE(approval_fact(one)) << "nobody can do anything but wait";
  one.missing.clear();
  EXPECT_THAT(approval_fact(one)->says, HasSubstr("nothing is missing but that somebody promotes it"));
}

TEST(ReviewFact, IsToldAgainWhenItIsLate) {
  promotion::Review review;
  review.department = "finance";
  review.run = "r1";
  review.due = std::chrono::floor<std::chrono::milliseconds>(NotifyTime(500000h));
  const auto early = review_fact(review, NotifyTime(499999h)), late = review_fact(review, NotifyTime(500001h));
  EXPECT_NE(early.key, late.key);
  EXPECT_THAT(early.says, HasSubstr("is to be reviewed by"));
  EXPECT_THAT(late.says, HasSubstr("should have been reviewed by"));
}

class MissedWindow : public ::testing::Test {
 protected:
  MissedWindow() {
    waiting_.department = "finance";
    waiting_.serial = 3;
    waiting_.run = "r1";
    waiting_.promoted = "2026-12-01T08:00:00Z";
    waiting_.machines = {"dns1"};
  }
  // Saturdays from 22:00 to 02:00.
  [[nodiscard]] std::optional<News> at(const std::string& now, std::chrono::hours reported_within = 24h) const {
    const auto moment = [](const std::string& text) {
      return std::chrono::floor<std::chrono::seconds>(*parse_rfc3339(text));
    };
    return missed_window(waiting_, days_of(calendar_, "finance", moment("2026-11-01T00:00:00Z"), moment(now)),
                         moment(now), reported_within);
  }
  Calendar calendar_ = parse_calendar(
                           "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nCATEGORIES:WINDOW\nSUMMARY:Saturday\n"
                           "DTSTART:20261107T220000Z\nDURATION:PT4H\nRRULE:FREQ=WEEKLY;BYDAY=SA\nEND:VEVENT\n"
                           "BEGIN:VEVENT\nCATEGORIES:FREEZE\nSUMMARY:Christmas\nDTSTART:20261219T000000Z\n"
                           "DURATION:P7D\nEND:VEVENT\nEND:VCALENDAR\n",
                           "windows.ics")
                           .value();
  promotion::WaitingDepartment waiting_;
};

TEST_F(MissedWindow, IsTheLastOneInWhichItCouldHaveBeenInstalled) {
  EXPECT_FALSE(at("2026-12-05T21:00:00Z")) << "none was yet; those before it was promoted do not count";
  EXPECT_FALSE(at("2026-12-06T03:00:00Z")) << "machines have a day to report";
  EXPECT_TRUE(at("2026-12-06T03:00:00Z", 1h));
  const auto first = at("2026-12-07T02:00:00Z");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind, EventKind::window_missed);
  EXPECT_THAT(first->says, AllOf(HasSubstr("the window of 2026-12-05T22:00:00Z to 2026-12-06T02:00:00Z is over"),
                                 HasSubstr("dns1 have not reported that serial 3 of run r1 is installed")));
  EXPECT_EQ(at("2026-12-11T00:00:00Z")->key, first->key);
  const auto second = at("2026-12-14T03:00:00Z");
  EXPECT_NE(second->key, first->key) << "the next one was missed as well";
  EXPECT_EQ(at("2026-12-22T00:00:00Z")->key, second->key) << "a window that was frozen was none";
}

TEST_F(MissedWindow, IsNoneOfWhatIsInstalledRejectedOrInTheEmergencyLane) {
  const auto late = "2026-12-10T00:00:00Z";
  ASSERT_TRUE(at(late));
  waiting_.machines.clear();
  EXPECT_FALSE(at(late));
  waiting_.nobody_reported = true;
  EXPECT_THAT(at(late)->says, HasSubstr("no machine has reported"));
  waiting_.rejected = "by carol";
  EXPECT_FALSE(at(late));
  waiting_.rejected.clear();
  waiting_.emergency = true;
  EXPECT_FALSE(at(late));
}

TEST(DeploymentFacts, AreOfMachinesThatHaveSomethingElse) {
  using promotion::InstalledState;
  promotion::DeployedDepartment department;
  department.department = "finance";
  department.serial = 3;
  promotion::DeployedMachine machine;
  machine.serial = 3;
  machine.report = {"dns1",
                    "2026-12-06T03:00:00Z",
                    {{"dns-update", "bind9", "2", "", InstalledState::failed},
                     {"tidy", "tidy", "1", "1", InstalledState::as_promoted}}};
  department.machines = {machine};
  const auto facts = deployment_facts(department);
  ASSERT_THAT(facts, SizeIs(1));
  EXPECT_EQ(facts[0].kind, EventKind::deployment_failed);
  EXPECT_EQ(facts[0].says, "finance/dns1: differs from serial 3, which is promoted: bind9 failed");
  EXPECT_THAT(facts[0].data.at("differs"), SizeIs(1));
  EXPECT_TRUE(facts[0].lasting && facts[0].away == 0h) << "it may differ again in the same way";
  department.machines[0].report.rows[0].state = InstalledState::older;
  EXPECT_NE(deployment_facts(department)[0].key, facts[0].key);
  department.machines[0].report.rows[0].state = InstalledState::as_promoted;
  EXPECT_THAT(deployment_facts(department), IsEmpty());
  department.machines = {machine};
  department.serial = 4;
  EXPECT_THAT(deployment_facts(department), IsEmpty()) << "it was compared with what is not promoted any more";
}

TEST(FeedFacts, AreOfThoseThatAnswerNothing) {
  FeedsWanted wanted;
  wanted.today = *day_in("2026-11-30");
  const auto facts = feed_facts(no_feeds(wanted));
  ASSERT_THAT(facts, Not(IsEmpty()));
  for (const auto& fact : facts) {
    EXPECT_EQ(fact.kind, EventKind::feed_stale);
    EXPECT_TRUE(fact.lasting);
    EXPECT_THAT(fact.says, HasSubstr("is not there"));
  }
}

TEST(HealthFacts, AreOfWhatIsNotFine) {
  EXPECT_FALSE(health_fact({"disk", Health::ok, "much", {}}, ""));
  const auto warning = health_fact({"disk", Health::warning, "12.1 GiB free", {}}, "");
  EXPECT_EQ(health_fact({"disk", Health::warning, "11.9 GiB free", {}}, "")->key, warning->key);
  EXPECT_NE(health_fact({"disk", Health::critical, "1 GiB free", {}}, "")->key, warning->key);
  EXPECT_NE(health_fact({"disk", Health::warning, "12.1 GiB free", {}}, "r2")->key, warning->key);
}

Json row(const std::string& machine, const std::string& status, const std::string& due, const std::string& timeline) {
  return {{"department", "finance"},
          {"machine", machine},
          {"item", "apt-bind9-2"},
          {"status", status},
          {"offered", "bind9 2"},
          {"due", due},
          {"decided_by", "CVE-2026-1"},
          {"severity", "high"},
          {"vulnerabilities",
           {{{"cve", "CVE-2026-1"}, {"exploited_since", nullptr}, {"decision", {{"timeline", timeline}}}},
            {{"cve", "CVE-2026-2"}, {"exploited_since", "2026-11-20"}, {"decision", {{"timeline", "later"}}}}}}};
}
Json scan_of(const Json& rows) {
  return {{"schema", "patchlab/scan/v1"}, {"today", "2026-11-28"}, {"whole", true}, {"rows", rows}};
}
std::vector<News> facts_of(const Json& scan, const std::string& today = "2026-11-30") {
  return scan_facts(scan, "scan.json", *day_in(today), 20).value();
}

TEST(ScanFacts, AreOnePatchWithItsMachines) {
  const auto facts = facts_of(
      scan_of({row("dns1", "missing", "2026-12-05", "next window"), row("dns2", "missing", "2026-12-04", "next window"),
               row("dns3", "installed", "2026-12-01", "next window")}));
  ASSERT_THAT(facts, SizeIs(1));
  EXPECT_EQ(facts[0].says,
            "finance: apt-bind9-2 is missing on dns1, dns2, closes CVE-2026-1, CVE-2026-2, which is exploited, due "
            "2026-12-04 (next window)");
  EXPECT_TRUE(facts[0].happened);
  const auto more = facts_of(scan_of(Json::array({row("dns1", "missing", "2026-12-05", "next window")})));
  EXPECT_EQ(more[0].key, facts[0].key) << "on another machine it is the same patch";
  EXPECT_EQ(more[0].members, (std::set<std::string>{"dns1", " exploited"}));
  EXPECT_EQ(facts[0].members.size(), 3U) << "one more of them is news";
  EXPECT_EQ(facts[0].due, "2026-12-04") << "an earlier day is news";
  EXPECT_TRUE(facts[0].lasting && facts[0].away == 0h) << "when it is missing again that is news";
  const auto worse = facts_of(scan_of(Json::array({row("dns1", "missing", "2026-11-30", "act now")})));
  EXPECT_NE(worse[0].key, facts[0].key) << "that it is due at once is news";
}

TEST(ScanFacts, AreThatItIsOldOrDoesNotKnowEverything) {
  auto scan = scan_of(Json::array());
  EXPECT_THAT(facts_of(scan), IsEmpty());
  EXPECT_THAT(facts_of(scan, "2026-12-18"), IsEmpty());
  const auto old = facts_of(scan, "2026-12-19");
  ASSERT_THAT(old, SizeIs(1));
  EXPECT_THAT(old[0].says, HasSubstr("the scan is of 2026-11-28, 21 days old"));
  EXPECT_THAT(facts_of(scan, "2026-11-27").at(0).says, HasSubstr("in the future"));
  scan["whole"] = false;
  scan["rows"] = Json::array({row("dns1", "unknown", "", "")});
  EXPECT_THAT(facts_of(scan).at(0).says, HasSubstr("does not know everything (1 updates or machines unknown)"));
  for (const auto& wrong : {Json(), Json::array(), Json{{"schema", "patchlab/scan/v2"}},
                            Json{{"schema", "patchlab/scan/v1"}, {"today", "x"}, {"rows", Json::array()}}})
    EXPECT_FALSE(scan_facts(wrong, "scan.json", *day_in("2026-11-30"), 20)) << wrong;
  // Whatever is in it.
  auto odd = scan_of(Json::array(
      {1, "x", nullptr, Json::array(), {{"status", "missing"}, {"vulnerabilities", Json::array({1, "x", nullptr})}}}));
  odd["whole"] = "yes";
  EXPECT_THAT(facts_of(odd), SizeIs(2));
}

}  // namespace
}  // namespace patchlab::cli
