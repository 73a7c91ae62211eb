// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/scan/scan.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "process/scan/first_named.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const Day today = *day_in("2026-11-28");

DecisionTable table() {
  const auto path = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios" / "policies" / "cisa-bod-26-04.csv";
  return parse_decision_table(read_file(path).value(), "shipped").value();
}

TrackerEntry fixed(const std::string& cve, const std::string& version,
                   const std::string& urgency = "not yet assigned") {
  return {"bind9", cve, "bookworm", TrackerEntry::Status::resolved, version, urgency, false};
}

CveRecord record(const std::string& cve, std::optional<bool> automatable, std::optional<bool> total) {
  CveRecord made;
  made.cve = cve;
  made.automatable = automatable;
  made.total_impact = total;
  return made;
}

OfferedFile bind(const std::string& version, const std::string& sha256 = std::string(64, 'a')) {
  return {"bind9", version, "amd64", sha256, "bind9", version};
}

// One machine with bind9 1 and zlib, all feeds there and fresh, and an update of bind9 to 2.
class Scan : public ::testing::Test {
 protected:
  Scan() {
    input_.today = today;
    input_.table = table();
    for (const auto& kind : feed_kinds()) {
      FeedState state;
      state.kind = kind.kind;
      state.date = today;
      state.max_age_days = kind.max_age_days;
      input_.feeds.states.push_back(state);
    }
    input_.feeds.tracker_releases = {"bookworm"};
    ScannedMachine machine;
    machine.department = "finance";
    machine.machine = machine.role = "dns";
    machine.release = "bookworm";
    machine.exposed = true;
    machine.packages = {{"bind9", "1", "amd64", "bind9", "1"},
                        {"bind9-libs", "1", "amd64", "bind9", "1"},
                        {"zlib1g", "1", "amd64", "zlib", "1"}};
    Offer offer;
    offer.id = "apt-bind9-2";
    offer.title = "bind9 2 (security update)";
    offer.files = {bind("2")};
    offer.cves = std::vector<std::string>{"CVE-2026-1000"};
    offer.urgency = "high";
    machine.offers = {offer};
    input_.machines = {machine};
    input_.feeds.records["CVE-2026-1000"] = record("CVE-2026-1000", true, true);
  }
  FeedState& state(FeedKind kind) { return *std::ranges::find(input_.feeds.states, kind, &FeedState::kind); }
  ScannedMachine& machine() { return input_.machines.front(); }
  Offer& offer() { return machine().offers.front(); }
  [[nodiscard]] ScanRow row(const std::string& item) const {
    for (const auto& one : scan(input_).rows) {
      if (one.item == item) return one;
    }
    ADD_FAILURE() << "no row of " << item;
    return {};
  }
  ScanInput input_;
};

TEST_F(Scan, SaysWhatIsMissingAndWhichRowDecidedWithWhichFacts) {
  input_.feeds.kev["CVE-2026-1000"] = *day_in("2026-11-20");
  input_.feeds.epss["CVE-2026-1000"] = {0.153, 0.92};
  const auto result = scan(input_);
  const auto missing = row("apt-bind9-2");
  EXPECT_EQ(missing.status, RowStatus::missing);
  EXPECT_EQ(missing.installed, "bind9 1");
  EXPECT_EQ(missing.offered, "bind9 2");
  EXPECT_EQ(missing.severity, "high");
  EXPECT_EQ(missing.severity_from, "changelog");
  ASSERT_NE(missing.deciding(), nullptr);
  EXPECT_EQ(missing.deciding()->decision.row.id, "15");
  EXPECT_EQ(day_text(*missing.deciding()->due), "2026-12-01");
  EXPECT_EQ(facts_text(*missing.deciding()),
            "exploited yes since 2026-11-20, exposed yes, automatable yes, impact total");
  EXPECT_EQ(epss_text(*missing.deciding()->epss), "15.3 % (92nd)");
  EXPECT_EQ(row("zlib").status, RowStatus::installed);
  EXPECT_EQ(result.rows.front().item, "apt-bind9-2");
  EXPECT_THAT(result.rows, SizeIs(2)) << "bind9 is told by its update";
  EXPECT_TRUE(result.whole());
}

TEST_F(Scan, CountsWhatIsUnknownAsTheWorseValueAndSaysThatItIsUnknown) {
  machine().exposed.reset();
  input_.feeds.records.clear();
  const auto missing = row("apt-bind9-2");
  EXPECT_EQ(missing.deciding()->decision.row.id, "14");
  EXPECT_EQ(facts_text(*missing.deciding()),
            "exploited no, exposed unknown (counts as yes), automatable unknown (counts as yes), impact unknown "
            "(counts as total)");
  EXPECT_FALSE(scan(input_).whole());
}

TEST_F(Scan, AsksHowImportantAMachineIsWhereItsTableDoes) {
  EXPECT_THAT(facts_text(*row("apt-bind9-2").deciding()), Not(HasSubstr("importance"))) << "no row of it does";
  input_.table =
      parse_decision_table("row,Importance,Outcome\n0,low,60 days\n1,medium,14 days\n2,high,3 days\n", "t.csv").value();
  EXPECT_EQ(row("apt-bind9-2").deciding()->decision.row.id, "2");
  EXPECT_EQ(facts_text(*row("apt-bind9-2").deciding()), "importance unknown (counts as high)");
  EXPECT_FALSE(scan(input_).whole()) << "nobody said it, and it could change the decision";
  machine().importance = Importance::medium;
  EXPECT_EQ(facts_text(*row("apt-bind9-2").deciding()), "importance medium");
  EXPECT_EQ(row("apt-bind9-2").deciding()->decision.row.timeline, "14 days");
  EXPECT_TRUE(scan(input_).whole());
}

TEST_F(Scan, SaysWhichTableDecidedAndWhoNamesIt) {
  input_.table.origin = {"ours.csv", TableNamedBy::policy, "production"};
  const auto result = scan(input_);
  EXPECT_EQ(table_text(result.table_digest, result.table_origin),
            fmt::format("decided by 'ours.csv', sha256 {}: policy 'production' names it", input_.table.digest));
  EXPECT_EQ(Json(result).at("decisions"), (Json{{"title", "CISA BOD 26-04 Remediation Timelines"},
                                                {"digest", input_.table.digest},
                                                {"file", "ours.csv"},
                                                {"named_by", "policy"},
                                                {"policy", "production"}}));
  EXPECT_THAT(table_text("1f", {"ours.csv", TableNamedBy::command, ""}), HasSubstr("1f: --decisions names it"));
  EXPECT_THAT(table_text("1f", {"ours.csv", TableNamedBy::nobody, ""}), HasSubstr("1f: as shipped"));
}

TEST_F(Scan, KnowsNotWhoseACatalogueIsThatSomebodyAskedForAndIsNotMicrosofts) {
  using State = CatalogueSignature::State;
  EXPECT_TRUE(Json(scan(input_)).at("catalogue_signature").is_null());
  for (const auto state :
       {State::not_looked_at, State::not_signed, State::by_microsoft, State::by_others, State::not_verified}) {
    input_.catalogue_signature = {"wsusscn2.cab", state, "", "", true};
    EXPECT_EQ(scan(input_).whole(), state == State::by_microsoft) << to_string(state);
    EXPECT_EQ(Json(scan(input_)).at("catalogue_signature").at("state"), to_string(state));
    input_.catalogue_signature->is_asked = false;
    EXPECT_TRUE(scan(input_).whole()) << "it is said, and nobody asked";
  }
}

TEST_F(Scan, NeverBecomesShorterWhenAFeedIsMissing) {
  const auto before = scan(input_);
  for (const auto kind : {FeedKind::kev, FeedKind::epss, FeedKind::cve_records, FeedKind::debian_tracker}) {
    auto& one = state(kind);
    one.unusable = "is not there";
    const auto after = scan(input_);
    EXPECT_EQ(after.rows.size(), before.rows.size());
    EXPECT_FALSE(after.whole()) << traits_of(kind).name;
    ASSERT_THAT(after.not_known, SizeIs(1));
    EXPECT_EQ(after.not_known[0].what, traits_of(kind).tells);
    EXPECT_EQ(after.not_known[0].why, fmt::format("feed '{}' is not there", traits_of(kind).name));
    one.unusable.clear();
  }
  state(FeedKind::kev).unusable = "is not there";
  EXPECT_EQ(row("apt-bind9-2").deciding()->decision.row.id, "15") << "it may be exploited";
}

TEST_F(Scan, TakesAnUpdateOfWhichNobodySaysWhatItClosesForTheWorst) {
  offer().cves.reset();
  EXPECT_EQ(row("apt-bind9-2").deciding(), nullptr) << "the tracker says that it closes nothing";
  state(FeedKind::debian_tracker).unusable = "is not there";
  const auto worst = row("apt-bind9-2");
  ASSERT_NE(worst.deciding(), nullptr);
  EXPECT_EQ(worst.deciding()->cve, "");
  EXPECT_EQ(worst.deciding()->decision.row.id, "15");
}

TEST_F(Scan, TakesWhatTheTrackerSaysOfAnUpdate) {
  input_.feeds.tracker["bind9"] = {fixed("CVE-2026-1001", "2", "medium"), fixed("CVE-2026-1002", "1"),
                                   fixed("CVE-2026-1003", "0"), fixed("CVE-2026-1000", "1.5", "low")};
  auto other = fixed("CVE-2026-1004", "2");
  other.release = "trixie";
  input_.feeds.tracker["bind9"].push_back(other);
  const auto missing = row("apt-bind9-2");
  std::vector<std::string> cves;
  for (const auto& one : missing.vulnerabilities) cves.push_back(one.cve);
  EXPECT_THAT(cves, ::testing::UnorderedElementsAre("CVE-2026-1000", "CVE-2026-1001"));
  EXPECT_EQ(missing.severity, "medium");
  EXPECT_EQ(missing.severity_from, "tracker");
}

// By the packages that the machine has in an older version, whichever of them a source has.
TEST_F(Scan, SaysWhatHasToBeThereForEachToBeClosed) {
  auto libs = bind("2");
  libs.package = "bind9-libs";
  auto zlib = OfferedFile{"zlib1g", "3", "amd64", std::string(64, 'b'), "zlib", "3"};
  auto dev = bind("2");
  dev.package = "bind9-dev";  // is not installed
  offer().files = {bind("2"), libs, zlib, dev};
  machine().packages[0].version = "2";  // as new as it is on offer
  input_.feeds.tracker["bind9"] = {fixed("CVE-2026-1001", "1.5")};
  std::map<std::string, std::vector<NeededPackage>> needs;
  for (const auto& one : row("apt-bind9-2").vulnerabilities) needs[one.cve] = one.needs;
  EXPECT_THAT(needs["CVE-2026-1001"], ElementsAre(NeededPackage{"bind9-libs:amd64", "2"})) << "of that source alone";
  EXPECT_THAT(needs["CVE-2026-1000"],
              ElementsAre(NeededPackage{"bind9-libs:amd64", "2"}, NeededPackage{"zlib1g:amd64", "3"}))
      << "the changelog says it of all";
}

TEST_F(Scan, DoesNotBelieveTheSourcesWhereTheTrackerKnowsOfMore) {
  input_.feeds.tracker["bind9"] = {fixed("CVE-2026-1001", "3")};
  const auto more = row("bind9");
  EXPECT_EQ(more.status, RowStatus::unknown);
  EXPECT_EQ(more.why,
            "Debian's tracker says that 1 of its vulnerabilities are fixed in versions up to 3, and the apt sources "
            "offer none of these");
  ASSERT_NE(more.deciding(), nullptr);
  EXPECT_EQ(more.deciding()->cve, "CVE-2026-1001");
  EXPECT_FALSE(scan(input_).whole());
  machine().offers.clear();
  EXPECT_EQ(row("bind9").status, RowStatus::unknown) << "also when nothing is on offer";
}

TEST_F(Scan, TellsWhatHasNoFixAndIsExploited) {
  TrackerEntry open{"zlib", "CVE-2026-2000", "bookworm", TrackerEntry::Status::open, "", "low", true};
  input_.feeds.tracker["zlib"] = {open};
  EXPECT_EQ(row("zlib").open, 1U);
  EXPECT_THAT(row("zlib").open_exploited, IsEmpty());
  input_.feeds.kev["CVE-2026-2000"] = today;
  EXPECT_THAT(row("zlib").open_exploited, ElementsAre("CVE-2026-2000"));
}

TEST_F(Scan, TellsWhatHasNoFixAlsoWhereAnUpdateIsOnOffer) {
  input_.feeds.tracker["bind9"] = {{"bind9", "CVE-2026-2000", "bookworm", TrackerEntry::Status::open, "", "low", true}};
  input_.feeds.kev["CVE-2026-2000"] = today;
  EXPECT_EQ(row("apt-bind9-2").open, 1U);
  EXPECT_THAT(row("apt-bind9-2").open_exploited, ElementsAre("CVE-2026-2000"));
  Offer newer = offer();
  newer.id = "apt-bind9-3";
  newer.files = {bind("3")};
  machine().offers.push_back(newer);
  EXPECT_THAT(row("apt-bind9-2").open_exploited, IsEmpty()) << "it is superseded";
  EXPECT_THAT(row("apt-bind9-3").open_exploited, ElementsAre("CVE-2026-2000"));
}

TEST_F(Scan, DoesNotTakeATrackerThatDoesNotKnowTheReleaseForNoVulnerability) {
  offer().cves.reset();
  input_.feeds.tracker_releases = {"trixie"};
  auto result = scan(input_);
  EXPECT_FALSE(result.whole());
  EXPECT_THAT(result.not_known, ElementsAre(NotKnown{traits_of(FeedKind::debian_tracker).tells,
                                                     "feed 'debian-tracker' says nothing of release 'bookworm'"}));
  ASSERT_NE(row("apt-bind9-2").deciding(), nullptr) << "it counts as the worst";
  EXPECT_EQ(row("apt-bind9-2").deciding()->cve, "");
  input_.machines.push_back(machine());
  EXPECT_THAT(scan(input_).not_known, SizeIs(1)) << "once for all machines";
  input_.machines.pop_back();
  machine().release.clear();
  result = scan(input_);
  EXPECT_FALSE(result.whole());
  ASSERT_THAT(result.not_known, SizeIs(1));
  EXPECT_EQ(result.not_known[0].why, "which release of Debian finance/dns runs is not known");
}

TEST_F(Scan, DoesNotKnowWhetherWhatIsNoCveIsExploited) {
  input_.feeds.tracker["bind9"] = {fixed("TEMP-0000000-ABCDEF", "2")};
  offer().cves.emplace();
  const auto temporary = row("apt-bind9-2");
  ASSERT_NE(temporary.deciding(), nullptr);
  EXPECT_EQ(temporary.deciding()->cve, "TEMP-0000000-ABCDEF");
  EXPECT_THAT(facts_text(*temporary.deciding()), HasSubstr("exploited unknown (counts as yes)"));
}

TEST_F(Scan, SaysWhatToDoAboutFeedsThatDoNotAnswer) {
  EXPECT_EQ(feeds_hint(scan(input_)), "");
  state(FeedKind::epss).unusable = "is not there";
  EXPECT_THAT(feeds_hint(scan(input_)), HasSubstr("patchlab feed status"));
}

TEST_F(Scan, SaysWhyACandidateIsNotMissing) {
  const auto status = [&] { return row("apt-bind9-2").status; };
  offer().files = {bind("1")};
  EXPECT_EQ(status(), RowStatus::installed);
  offer().files = {{"postfix", "2", "amd64", "", "postfix", "2"}};
  EXPECT_EQ(status(), RowStatus::not_applicable);
  EXPECT_EQ(row("apt-bind9-2").why, "none of its packages is installed");
  offer().files = {bind("2")};
  offer().not_for_it = "is for mail machines only";
  EXPECT_EQ(status(), RowStatus::not_applicable);
  EXPECT_EQ(row("apt-bind9-2").why, "is for mail machines only");
}

TEST_F(Scan, FindsWhatIsSuperseded) {
  Offer newer = offer();
  newer.id = "apt-bind9-3";
  newer.files = {bind("3")};
  machine().offers.push_back(newer);
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::superseded);
  EXPECT_EQ(row("apt-bind9-2").superseded_by, "apt-bind9-3");
  EXPECT_EQ(row("apt-bind9-3").status, RowStatus::missing);
  // By name, where the packages are others.
  machine().offers[1].files = {{"bind9-libs", "3", "amd64", "", "bind9", "3"}};
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::missing);
  machine().offers[1].supersedes = {"apt-bind9-2"};
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::superseded);
}

// One of them at least has to stay.
TEST_F(Scan, DoesNotLetCandidatesReplaceEachOther) {
  Offer other = offer();
  other.id = "other";
  other.files = {{"bind9-libs", "3", "amd64", "", "bind9", "3"}};
  other.supersedes = {"apt-bind9-2"};
  offer().supersedes = {"other"};
  machine().offers.push_back(other);
  auto result = scan(input_);
  EXPECT_EQ(result.count(RowStatus::missing), 2U);
  EXPECT_EQ(result.count(RowStatus::superseded), 0U);
  EXPECT_FALSE(result.whole());
  EXPECT_THAT(result.not_known,
              ElementsAre(NotKnown{"which of 'apt-bind9-2', 'other' is the newest", "they replace each other"}));
  // What stands outside of the circle replaces, and is replaced, as ever: by way of others as well.
  Offer last = offer();
  last.id = "last";
  last.supersedes = {"other"};
  Offer first = offer();
  first.id = "first";
  first.supersedes.clear();
  machine().offers[0].supersedes = {"other", "first"};
  machine().offers[0].files = {{"bind9-host", "3", "amd64", "", "bind9", "3"}, bind("2")};
  machine().offers.push_back(last);
  machine().offers.push_back(first);
  EXPECT_EQ(row("other").superseded_by, "last");
  EXPECT_EQ(row("first").superseded_by, "apt-bind9-2");
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::missing);
  EXPECT_EQ(row("last").status, RowStatus::missing);
}

TEST_F(Scan, KnowsWhatIsBadByItsBytesAndWarnsByItsName) {
  KnownBad bad;
  bad.id = "BIND-1";
  bad.symptom = "named does not start";
  bad.source = "bugs.debian.org/1";
  bad.checks = {"dns.records"};
  bad.match = {{"", "bind9", "2", "", ""}};
  input_.feeds.known_bad = {bad};
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::missing);
  EXPECT_THAT(row("apt-bind9-2").warnings,
              ElementsAre("may be known to be bad: 'BIND-1': named does not start (bugs.debian.org/1); look at "
                          "dns.records"));
  input_.feeds.known_bad[0].match = {{std::string(64, 'a'), "", "", "", ""}};
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::known_bad);
  EXPECT_THAT(row("apt-bind9-2").why, HasSubstr("'BIND-1': named does not start"));
  input_.feeds.known_bad[0].match = {{std::string(64, 'c'), "", "", "", ""}};
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::missing);
}

TEST_F(Scan, TellsWhatFailedHereByItsBytesAndDepartment) {
  input_.failures = {{"finance",
                      "apt-bind9-2",
                      "r-7",
                      "2026-11-29",
                      {std::string(64, 'a')},
                      {"dns"},
                      {"dns/a-record"},
                      {},
                      "breaks dns/a-record: fails alone"}};
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::missing) << "a run decides when it is tried again";
  EXPECT_THAT(row("apt-bind9-2").warnings,
              ElementsAre("failed here: run r-7 of 2026-11-29, on dns: breaks dns/a-record: fails alone"));
  input_.failures[0].with = {"tidy"};
  EXPECT_THAT(
      row("apt-bind9-2").warnings,
      ElementsAre("failed here: run r-7 of 2026-11-29, on dns, together with tidy: breaks dns/a-record: fails alone"));
  // Another department, or other bytes of the same name, say nothing of this one.
  input_.failures[0].department = "engineering";
  EXPECT_THAT(row("apt-bind9-2").warnings, IsEmpty());
  input_.failures[0].department = "finance";
  input_.failures[0].sha256 = {std::string(64, 'c')};
  EXPECT_THAT(row("apt-bind9-2").warnings, IsEmpty());
  // Nobody said why: what it broke is told. And of what is there already nothing is.
  input_.failures[0].sha256 = {std::string(64, 'a')};
  input_.failures[0].reason.clear();
  EXPECT_THAT(row("apt-bind9-2").warnings, ElementsAre(testing::EndsWith("together with tidy: dns/a-record")));
  machine().packages[0].version = "2";
  EXPECT_EQ(row("apt-bind9-2").status, RowStatus::installed);
  EXPECT_THAT(row("apt-bind9-2").warnings, IsEmpty());
}

TEST_F(Scan, OfAMachineThatNobodyKnowsIsUnknownAndComesFirst) {
  input_.feeds.kev["CVE-2026-1000"] = today;
  ScannedMachine unknown;
  unknown.department = "finance";
  unknown.machine = "windows";
  unknown.not_known = "it does not run";
  unknown.offers = {offer()};
  input_.machines.push_back(unknown);
  const auto result = scan(input_);
  EXPECT_EQ(result.rows[0].machine, "windows");
  EXPECT_EQ(result.rows[0].status, RowStatus::unknown);
  EXPECT_EQ(result.rows[1].status, RowStatus::unknown) << "nor can it be told whether the update is missing there";
  EXPECT_EQ(result.rows[1].why, "it does not run");
  EXPECT_FALSE(result.whole());
  machine().offers.clear();
  machine().offers_not_known = "the apt sources of this host are for another release";
  EXPECT_EQ(row("zlib").status, RowStatus::unknown) << "never 'nothing newer is on offer'";
}

TEST_F(Scan, OrdersByDueDateThenExploitedThenLikelihoodThenSeverity) {
  machine().offers.clear();
  input_.feeds.records.clear();
  const auto add = [&](const std::string& name, std::optional<bool> automatable, std::optional<bool> total) {
    machine().packages.push_back({name, "1", "amd64", name, "1"});
    Offer one;
    one.id = name;
    one.files = {{name, "2", "amd64", "", name, "2"}};
    const auto cve = fmt::format("CVE-2026-{}", 3000 + machine().offers.size());
    one.cves = std::vector<std::string>{cve};
    input_.feeds.records[cve] = record(cve, automatable, total);
    machine().offers.push_back(one);
    return cve;
  };
  add("sixty", false, false);
  const auto exploited = add("exploited-14", false, false);
  input_.feeds.kev[exploited] = today;
  const auto likely = add("likely-14", true, false);
  const auto unlikely = add("unlikely-14", true, false);
  add("no-score-14", true, false);
  input_.feeds.epss[likely] = {0.5, 0.9};
  input_.feeds.epss[unlikely] = {0.1, 0.5};
  add("three", true, true);
  std::vector<std::string> order;
  for (const auto& one : scan(input_).rows) {
    if (one.status == RowStatus::missing) order.push_back(one.item);
  }
  EXPECT_THAT(order, ElementsAre("three", "exploited-14", "no-score-14", "likely-14", "unlikely-14", "sixty"));
}

TEST_F(Scan, CountsDaysFromWhenItWasNamedFirst) {
  input_.first_named["CVE-2026-1000"] = *day_in("2026-11-01");
  EXPECT_EQ(day_text(*row("apt-bind9-2").deciding()->due), "2026-11-04");
  input_.first_named["CVE-2026-1000"] = *day_in("2027-01-01");
  EXPECT_EQ(day_text(*row("apt-bind9-2").deciding()->due), "2026-12-01") << "a clock that was wrong gives no time";
}

TEST_F(Scan, NotesWhenAVulnerabilityWasNamedFirstAndNeverLater) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "scan" / "first-named.json";
  EXPECT_THAT(read_first_named(file).value(), IsEmpty());
  ASSERT_TRUE(note_first_named(file, scan(input_)));
  EXPECT_EQ(read_first_named(file)->at("CVE-2026-1000"), today);
  input_.today += std::chrono::days(7);
  ASSERT_TRUE(note_first_named(file, scan(input_)));
  EXPECT_EQ(read_first_named(file)->at("CVE-2026-1000"), today);
  // What nobody can name grows old as well.
  offer().cves.reset();
  state(FeedKind::debian_tracker).unusable = "is not there";
  ASSERT_TRUE(note_first_named(file, scan(input_)));
  input_.first_named = read_first_named(file).value();
  EXPECT_EQ(input_.first_named.at("?apt-bind9-2"), input_.today);
  const auto due = row("apt-bind9-2").deciding()->due;
  input_.today += std::chrono::days(30);
  EXPECT_EQ(row("apt-bind9-2").deciding()->due, due);
  folder.write("scan/first-named.json", "{}");
  EXPECT_THAT(read_first_named(file).error().message, HasSubstr("is no note"));
  EXPECT_FALSE(note_first_named(file, scan(input_)));
}

TEST_F(Scan, IsTheSameForTheSameAndWritesEveryCellInert) {
  EXPECT_EQ(Json(scan(input_)).dump(), Json(scan(input_)).dump());
  offer().title = "=cmd|' /C calc'!A0,\n";
  machine().offers.push_back(offer());
  machine().offers.back().cves.reset();
  const auto csv = scan_csv(scan(input_));
  EXPECT_EQ(csv.find("\n=cmd"), std::string::npos);
  EXPECT_THAT(csv, HasSubstr(",\"'=cmd|' /C calc'!A0,\\n\","));
}

}  // namespace
}  // namespace patchlab::process
