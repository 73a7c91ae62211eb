// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/tonight/tonight.hpp"

#include <gmock/gmock.h>

#include "process/feeds/folder.hpp"

namespace patchlab::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Day day(const char* text) { return *day_in(text); }

ScannedUpdate lacks(const std::string& department, const std::string& item, const std::string& timeline = "3 days") {
  ScannedUpdate row;
  row.department = department;
  row.machine = "dns";
  row.item = item;
  row.status = RowStatus::missing;
  row.timeline = timeline;
  row.cve = timeline.empty() ? "" : "CVE-2026-1000";
  row.row = "11";
  if (!timeline.empty()) row.due = day("2026-12-03");
  return row;
}

ScanAnswer scan_of(std::vector<ScannedUpdate> rows) {
  ScanAnswer scan;
  scan.today = day("2026-11-30");
  scan.whole = true;
  scan.rows = std::move(rows);
  return scan;
}

std::vector<std::string> ids(const std::vector<DueUpdate>& updates) {
  std::vector<std::string> found;
  for (const auto& update : updates) found.push_back(update.id());
  return found;
}
std::vector<std::string> ids(const TonightPlan& night) {
  std::vector<std::string> found;
  for (const auto& one : night.chosen) found.push_back(one.update.id());
  return found;
}

TEST(DueUpdates, AreThoseOfTheTimelinesInTheOrderOfTheScanEachOnce) {
  auto installed = lacks("finance", "there");
  installed.status = RowStatus::installed;
  const auto scan = scan_of({lacks("sales", "a"), lacks("finance", "b", "14 days"), lacks("finance", "a"),
                             lacks("finance", "c", "fix on system upgrade"), lacks("finance", "d", ""), installed});
  const auto due = due_updates(scan, {"3-days", "14-days"});
  ASSERT_THAT(ids(due), ElementsAre("a", "b"));
  EXPECT_THAT(due[0].machines, ElementsAre("sales/dns", "finance/dns"));
  EXPECT_THAT(due[0].departments, ElementsAre("finance", "sales"));
  EXPECT_THAT(ids(due_updates(scan, {})), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(ids(due_updates(scan, {"none"})), ElementsAre("d"));
}

TEST(DueUpdates, NameTheMachinesWhereItIsDueAnotherTime) {
  const auto scan = scan_of({lacks("sales", "a"), lacks("finance", "a", "60 days"), lacks("annex", "a", "60 days"),
                             lacks("annex", "b", "60 days")});
  TonightPlan night;
  for (const auto& update : due_updates(scan, {"3-days"})) night.chosen.push_back({update, {}});
  EXPECT_THAT(other_outcomes(night, {"sales", "annex"}),
              ElementsAre("candidate 'a' is not due in department 'finance', which was not planned for it: "
                          "finance/dns: 60 days"))
      << "the annex is there for something else, and tests it as well";
  EXPECT_THAT(other_outcomes(night, {"sales", "annex", "finance"}), IsEmpty());
}

// An older one is never left out in silence, least of all when the newer one is left out as well.
TEST(DueUpdates, SayWhatTheyTakeThePlaceOf) {
  const auto older = [](const std::string& item, const std::string& by) {
    auto row = lacks("finance", item);
    row.status = RowStatus::superseded;
    row.superseded_by = by;
    return row;
  };
  auto installed = older("a-0", "a");
  installed.status = RowStatus::installed;
  const auto scan = scan_of({lacks("finance", "a"), older("a-1", "a"), older("a-1", "a"), older("b-1", "b"),
                             older("c-1", "c"), older("d-1", "d"), installed});
  TonightPlan night;
  night.chosen.push_back({due_updates(scan, {}).at(0), {}});
  night.along = {"c"};
  NotPlanned left_out;
  left_out.update.worst = lacks("finance", "b");
  night.left_out.push_back(left_out);
  EXPECT_THAT(superseded_by_due(scan, night),
              ElementsAre("candidate 'a-1' was not planned: 'a' takes its place, and was planned",
                          "candidate 'b-1' was not planned: 'b' takes its place, and was not planned either",
                          "candidate 'c-1' was not planned: 'c' takes its place, and was planned"));
}

// By the names of those that are in each other's way.
class PlannableTest : public ::testing::Test {
 protected:
  Result<Testable> ask(const std::string& names) {
    std::vector<ScannedUpdate> rows;
    for (const char name : names) rows.push_back(lacks("finance", std::string(1, name)));
    return plannable(due_updates(scan_of(std::move(rows)), {}),
                     [&](const std::vector<DueUpdate>& some) -> Result<std::optional<Error>> {
                       ++asked_;
                       std::string all;
                       for (const auto& one : some) all += one.id();
                       if (all.find('!') != std::string::npos) return infrastructure_error("no lab");
                       if (all.find('x') != std::string::npos) return std::optional(configuration_error("x is wrong"));
                       if (all.find('a') < all.find('z') && all.find('z') != std::string::npos)
                         return std::optional(configuration_error("a and z ship the same"));
                       return std::optional<Error>();
                     });
  }
  int asked_ = 0;
};

TEST_F(PlannableTest, LeavesOutTheOneThatIsInTheWayOfThoseBeforeIt) {
  EXPECT_THAT(ids(ask("abc")->updates), ElementsAre("a", "b", "c"));
  EXPECT_EQ(asked_, 1);
  const auto two = ask("abxcz").value();
  EXPECT_THAT(ids(two.updates), ElementsAre("a", "b", "c"));
  ASSERT_THAT(two.left_out, SizeIs(2));
  EXPECT_EQ(two.left_out[0].update.id(), "x");
  EXPECT_EQ(two.left_out[0].why, "x is wrong");
  EXPECT_EQ(two.left_out[0].because, NotPlannedBecause::cannot_be_planned);
  EXPECT_EQ(two.left_out[1].update.id(), "z");
  EXPECT_EQ(two.left_out[1].why, "a and z ship the same");
  const auto none = ask("x").value();
  EXPECT_THAT(none.updates, IsEmpty());
  EXPECT_THAT(none.left_out, SizeIs(1));
  EXPECT_EQ(ask("a!").error().message, "no lab") << "is no fault of a candidate";
}

// The worst that can be made of a scan: that nothing is due, of one that could not tell.
TEST(NotKnown, IsWhateverCouldBeDue) {
  auto scan = scan_of({lacks("finance", "a")});
  const auto today = scan.today;
  const auto found = [&] { return not_known_of(scan, {"3-days"}, today); };
  EXPECT_THAT(found(), IsEmpty());

  scan.rows[0].settled = scan.rows[0].every_settled = false;
  scan.whole = false;
  EXPECT_THAT(found(), IsEmpty()) << "it is among what is due, as the worst that it can be";
  EXPECT_THAT(not_known_of(scan, {"14-days"}, today), SizeIs(1)) << "and here it could be";

  scan.rows[0].settled = scan.rows[0].every_settled = true;
  ASSERT_THAT(found(), SizeIs(1)) << "a scan that is not whole, whyever";
  EXPECT_THAT(found()[0].why, HasSubstr("says that it is not whole"));

  scan.feeds.push_back(
      {.kind = "kev", .digest = {}, .date = {}, .age_days = 40, .usable = false, .why = "is 40 days old"});
  ASSERT_THAT(found(), SizeIs(1));
  EXPECT_EQ(found()[0].why, "is 40 days old");
  scan.not_known.push_back({"what is exploited", "feed 'kev' is 40 days old"});
  EXPECT_THAT(found(), SizeIs(1)) << "once";
  scan.feeds.clear();
  scan.not_known.clear();

  scan.rows.push_back(lacks("finance", ""));
  scan.rows.back().status = RowStatus::unknown;
  scan.rows.back().why = "a Windows machine";
  ASSERT_THAT(found(), SizeIs(1));
  EXPECT_EQ(found()[0].what, "finance/dns");
  scan.rows.pop_back();

  scan.whole = true;
  EXPECT_THAT(not_known_of(scan, {}, today + std::chrono::days(1)), IsEmpty());
  const auto old = not_known_of(scan, {}, today + std::chrono::days(2));
  ASSERT_THAT(old, SizeIs(1));
  EXPECT_EQ(old[0].why, "it is 2 days old");
}

TEST(Testable, IsWhatIsAcquiredAndNotKnownToBeBad) {
  auto bad = lacks("finance", "bad");
  bad.status = RowStatus::known_bad;
  bad.why = "it does not start";
  const auto due =
      due_updates(scan_of({lacks("finance", "here"), lacks("finance", "lacking"), bad, lacks("finance", "gone")}), {});
  const auto found = testable(due, {{"here", {true, {}}}, {"lacking", {true, {"bind9 2 amd64"}}}, {"bad", {true, {}}}});
  EXPECT_THAT(ids(found.updates), ElementsAre("here"));
  ASSERT_THAT(found.left_out, SizeIs(3));
  EXPECT_EQ(found.left_out[0].because, NotPlannedBecause::not_acquired);
  EXPECT_EQ(found.left_out[0].why, "not in the content store: bind9 2 amd64");
  EXPECT_THAT(found.left_out[0].next, HasSubstr("patchlab acquire"));
  EXPECT_EQ(found.left_out[1].because, NotPlannedBecause::known_bad);
  EXPECT_EQ(found.left_out[1].why, "it does not start");
  EXPECT_EQ(found.left_out[2].because, NotPlannedBecause::not_offered);
}

// Each takes what it says; so that the whole can be foreseen by adding up.
struct Minutes {
  std::map<std::string, std::int64_t> each;
  Result<std::optional<std::int64_t>> operator()(const std::set<std::string>& all) const {
    std::int64_t sum = 0;
    for (const auto& id : all) sum += each.at(id);
    return std::optional(sum);
  }
};

class FillNight : public ::testing::Test {
 protected:
  Result<TonightPlan> fill(std::optional<std::int64_t> most) const {
    return fill_night(
        due_updates(scan_of({lacks("finance", "first"), lacks("finance", "long"), lacks("finance", "short")}), {}),
        lab_, most, takes_);
  }
  std::map<std::string, InTheLab> lab_{{"first", {true, {}, {}}}, {"long", {true, {}, {}}}, {"short", {true, {}, {}}}};
  Minutes takes_{{{"first", 10}, {"long", 50}, {"short", 5}, {"lib", 8}}};
};

TEST_F(FillNight, TakesAllWhereThereIsNoMorning) {
  const auto night = fill(std::nullopt).value();
  EXPECT_THAT(ids(night), ElementsAre("first", "long", "short"));
  EXPECT_THAT(night.left_out, IsEmpty());
}

TEST_F(FillNight, LeavesOutWhatDoesNotFitAndSaysHowLongItWouldBe) {
  const auto night = fill(20).value();
  EXPECT_THAT(ids(night), ElementsAre("first", "short")) << "a shorter one has room";
  EXPECT_EQ(night.chosen[1].foreseen_ms, 15);
  ASSERT_THAT(night.left_out, SizeIs(1));
  EXPECT_EQ(night.left_out[0].update.id(), "long");
  EXPECT_EQ(night.left_out[0].because, NotPlannedBecause::does_not_fit);
  EXPECT_EQ(night.left_out[0].foreseen_ms, 60);
  EXPECT_THAT(ids(fill(60).value()), ElementsAre("first", "long")) << "to the last minute";
  EXPECT_THAT(ids(fill(4).value()), IsEmpty());
}

TEST_F(FillNight, CountsWhatIsNeededWithTheOneThatNeedsIt) {
  lab_["lib"] = {true, {}, {}};
  lab_["short"].needs = {"lib"};
  const auto night = fill(22).value();
  EXPECT_THAT(ids(night), ElementsAre("first")) << "10, and 5 with 8";
  EXPECT_THAT(night.along, IsEmpty());
  EXPECT_THAT(fill(23).value().along, ElementsAre("lib"));
}

// More urgent ones that are needed are not taken twice.
TEST_F(FillNight, CountsNothingTwice) {
  lab_["short"].needs = {"first"};
  EXPECT_THAT(ids(fill(15).value()), ElementsAre("first", "short"));
  EXPECT_THAT(fill(15).value().along, IsEmpty());
}

TEST_F(FillNight, TellsWhatTheLabCannotInstallAnywhere) {
  lab_["first"] = {false, "apt would remove 'x'", {}};
  lab_.erase("short");
  const auto night = fill(std::nullopt).value();
  EXPECT_THAT(ids(night), ElementsAre("long"));
  ASSERT_THAT(night.left_out, SizeIs(2));
  EXPECT_EQ(night.left_out[0].why, "apt would remove 'x'");
  EXPECT_EQ(night.left_out[0].because, NotPlannedBecause::applies_nowhere);
  EXPECT_EQ(night.left_out[1].because, NotPlannedBecause::not_offered);
}

// Whatever of it is due: it would come along as if nobody knew.
TEST_F(FillNight, LeavesOutWhatNeedsOneThatIsKnownToBeBad) {
  lab_["lib"] = {true, {}, {}};
  lab_["lib"].known_bad = "'X-1': does not start";
  lab_["short"].needs = {"lib"};
  const auto night = fill(std::nullopt).value();
  EXPECT_THAT(ids(night), ElementsAre("first", "long"));
  EXPECT_THAT(night.along, IsEmpty());
  ASSERT_THAT(night.left_out, SizeIs(1));
  EXPECT_EQ(night.left_out[0].because, NotPlannedBecause::known_bad);
  EXPECT_EQ(night.left_out[0].why, "needs 'lib', which is known to be bad: 'X-1': does not start");
}

TEST_F(FillNight, TakesWhatNobodyCanForesee) {
  const auto due = due_updates(scan_of({lacks("finance", "first")}), {});
  const auto night = fill_night(due, lab_, 1, [](const auto&) { return std::optional<std::int64_t>(); }).value();
  EXPECT_THAT(ids(night), ElementsAre("first"));
  EXPECT_EQ(night.chosen[0].foreseen_ms, std::nullopt);
}

// Of one department, or of this morning: no reason to say that nothing is due.
TEST(NotScanned, AreMachinesAndUpdatesThatTheScanDoesNotName) {
  const auto scan = scan_of({lacks("finance", "a")});
  ScannedMachine dns, mail;
  dns.department = mail.department = "finance";
  dns.machine = "dns";
  mail.machine = "mail";
  Offer a, b, windows;
  a.id = "a";
  b.id = "b";
  windows.id = "kb";
  windows.not_for_it = "is a .msu";
  dns.offers = {a, windows};
  EXPECT_THAT(not_scanned(scan, {dns}), IsEmpty());
  dns.offers.push_back(b);
  mail.offers = {a};
  EXPECT_THAT(not_scanned(scan, {dns, mail}),
              ElementsAre(NotKnown{"finance/dns: b", "is on offer now, and the scan says nothing of it"},
                          NotKnown{"finance/mail", "the scan did not look at it"}));
}

TEST(Facts, AreThoseThatTheOrderGoesBy) {
  auto row = lacks("finance", "a");
  row.exploited_since = day("2026-11-20");
  row.epss = EpssScore{0.153, 0.92};
  row.severity = "high";
  row.settled = false;
  EXPECT_EQ(
      facts_text(due_updates(scan_of({row}), {})[0]),
      "due 2026-12-03, CVE-2026-1000, exploited since 2026-11-20, EPSS 15.3 % (92nd), severity high, row 11: 3 days, "
      "as the worst that it can be");
  EXPECT_EQ(facts_text(due_updates(scan_of({lacks("finance", "a", "")}), {})[0]), "no due date, severity unknown");
  // What failed in an earlier run is told, and planned all the same.
  auto failed = lacks("finance", "a", "");
  failed.failures = {"failed here: run r-7 of 2026-11-29, on dns: fails alone"};
  EXPECT_EQ(facts_text(due_updates(scan_of({lacks("finance", "a", ""), failed}), {})[0]),
            "no due date, severity unknown, failed here: run r-7 of 2026-11-29, on dns: fails alone");
}

// What a scan says is read again as it was meant, and nothing else is taken for one.
class ScanAnswerTest : public ::testing::Test {
 protected:
  ScanAnswerTest() {
    ScanInput input;
    input.today = day("2026-11-30");
    input.table = parse_decision_table("row,In KEV,Outcome\n0,no,60 days\n1,yes,3 days\n", "t.csv").value();
    input.table.origin = {"t.csv", TableNamedBy::policy, "production"};
    input.feeds = no_feeds({.today = input.today});
    ScannedMachine machine;
    machine.department = "finance";
    machine.machine = "dns";
    machine.release = "bookworm";
    machine.packages = {{"bind9", "1", "amd64", "bind9", "1"}};
    Offer offer;
    offer.id = "bind9-2";
    offer.files = {{"bind9", "2", "amd64", std::string(64, 'a'), "bind9", "2"}};
    offer.cves = {"CVE-2026-1000"};
    offer.urgency = "high";
    machine.offers = {offer};
    input.machines = {machine};
    json_ = scan(input);
    json_["schema"] = "patchlab/scan/v1";
    json_["scenario"] = {{"name", "nightly"}, {"digest", std::string(64, 'b')}};
  }
  [[nodiscard]] Result<ScanAnswer> read() const { return read_scan_answer(pretty(json_), "scan.json"); }
  Json json_;
};

TEST_F(ScanAnswerTest, IsReadAgainAsItWasMeant) {
  const auto answer = read();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->today, day("2026-11-30"));
  EXPECT_FALSE(answer->whole) << "there are no feeds";
  EXPECT_EQ(answer->scenario_name, "nightly");
  EXPECT_EQ(answer->table_origin, (TableOrigin{"t.csv", TableNamedBy::policy, "production"}));
  const auto due = due_updates(*answer, {});
  ASSERT_THAT(due, SizeIs(1));
  const auto& worst = due[0].worst;
  EXPECT_EQ(worst.item, "bind9-2");
  EXPECT_EQ(worst.cve, "CVE-2026-1000");
  EXPECT_EQ(worst.timeline, "3 days") << "whether it is exploited is unknown, and counts as yes";
  EXPECT_FALSE(worst.settled);
  EXPECT_EQ(worst.facts, "exploited unknown");
  EXPECT_EQ(worst.due, day("2026-12-03"));
  EXPECT_EQ(worst.severity, "high");
  ASSERT_THAT(worst.closes, SizeIs(1));
  EXPECT_THAT(worst.closes[0].vulnerabilities, ElementsAre("CVE-2026-1000"));
  EXPECT_THAT(worst.closes[0].needs, ElementsAre(NeededPackage{"bind9:amd64", "2"}));
  // That no feed answers is told once of each.
  const auto unknown = not_known_of(*answer, {}, answer->today);
  EXPECT_GE(unknown.size(), 4U);
  const auto of_kev =
      std::ranges::count_if(unknown, [](const auto& one) { return one.why.find("'kev'") != one.why.npos; });
  EXPECT_EQ(of_kev, 1);
}

TEST_F(ScanAnswerTest, SaysWhatTakesThePlaceOfAnUpdate) {
  json_["rows"][0]["status"] = "superseded";
  json_["rows"][0]["superseded_by"] = "bind9-3";
  const auto answer = read();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->rows[0].superseded_by, "bind9-3");
}

TEST_F(ScanAnswerTest, IsRefusedWithThePlace) {
  const auto says = [&](const char* at, const Json& value) {
    const auto before = json_;
    json_[Json::json_pointer(at)] = value;
    const auto answer = read();
    json_ = before;
    return answer ? std::string("taken") : answer.error().message;
  };
  EXPECT_THAT(says("/schema", "patchlab/acquire/v1"), HasSubstr("scan.json: /schema: must be patchlab/scan/v1"));
  EXPECT_THAT(says("/rows", 5), HasSubstr("/rows: is required: a list"));
  EXPECT_THAT(says("/rows/0/status", "fine"), HasSubstr("/rows/0/status: 'fine' is no status"));
  EXPECT_THAT(says("/rows/0/due", "soon"), HasSubstr("/rows/0/due: 'soon' is no date"));
  EXPECT_THAT(says("/today", nullptr), HasSubstr("/today"));
  EXPECT_THAT(says("/more", 1), HasSubstr("/more: unknown key"));
  EXPECT_THAT(says("/rows/0/vulnerabilities/0/decision", nullptr), HasSubstr("/rows/0/vulnerabilities/0/decision"));
  json_.erase("whole");
  EXPECT_THAT(read().error().message, HasSubstr("whole"));
}

}  // namespace
}  // namespace patchlab::process
