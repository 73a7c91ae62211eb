// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "lab/core/digest.hpp"
#include "lab/core/json_items.hpp"
#include "process/feeds/folder.hpp"
#include "tests/support/catalogue_sample.hpp"
#include "tests/support/feeds.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::process {
namespace {

using test::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;
using namespace patchlab::tests;  // NOLINT: only what writes feeds

const Day today = *day_in("2026-11-28");

std::string trouble(const auto& result) { return result ? "" : result.error().message; }

class Feed : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path put(const Json& json, const std::string& name = "feed.json") const {
    return folder_.write(name, json.dump(2));
  }
  [[nodiscard]] FeedsWanted wanted() const {
    FeedsWanted all;
    all.today = today;
    all.sources = {"bind9"};
    return all;
  }
  TemporaryFolder folder_;
};

TEST_F(Feed, OfEachKindIsReadFromAFolderWhateverItsFilesAreCalled) {
  put_feeds(folder_.path());
  std::filesystem::rename(folder_.path() / "feeds/kev/known_exploited_vulnerabilities.json",
                          folder_.path() / "feeds/kev/x");
  folder_.write("feeds/.mirror-state", "not looked at");
  const auto feeds = read_feeds(folder_.path() / "feeds", wanted());
  ASSERT_TRUE(feeds) << trouble(feeds);
  EXPECT_THAT(feeds->kev, ElementsAre(Pair("CVE-2026-1000", *day_in("2026-11-20"))));
  EXPECT_THAT(feeds->epss, ElementsAre(Pair("CVE-2026-1000", EpssScore{0.15312, 0.92011}),
                                       Pair("CVE-2026-1001", EpssScore{0.00043, 0.1})));
  const auto& bind = feeds->tracker.at("bind9");
  ASSERT_EQ(bind.size(), 2U);
  EXPECT_EQ(bind[0], (TrackerEntry{"bind9", "CVE-2026-1000", "bookworm", TrackerEntry::Status::resolved, "1:9.18.2-1",
                                   "high", false}));
  EXPECT_EQ(bind[1], (TrackerEntry{"bind9", "CVE-2026-1001", "bookworm", TrackerEntry::Status::open, "",
                                   "not yet assigned", true}));
  EXPECT_THAT(feeds->tracker_releases, ElementsAre("bookworm"));
  EXPECT_EQ(feeds->records.at("CVE-2026-1000").automatable, true);
  EXPECT_EQ(feeds->records.at("CVE-2026-1000").total_impact, true);
  EXPECT_EQ(feeds->known_bad.at(0).id, "BIND-1");
  for (const auto& state : feeds->states) EXPECT_TRUE(state.usable()) << traits_of(state.kind).name << state.unusable;
  EXPECT_EQ(feeds->state(FeedKind::kev).files.at(0).name, "kev/x");
  EXPECT_EQ(feeds->state(FeedKind::kev).files.at(0).sha256, sha256_of_file(folder_.path() / "feeds/kev/x").value());
}

TEST_F(Feed, ThatIsMissingOrOldAnswersNothingAndSaysSo) {
  put_feeds(folder_.path());
  const auto feeds = [&](const char* day) {
    auto asked = wanted();
    asked.today = *day_in(day);
    return read_feeds(folder_.path() / "feeds", asked).value();
  };
  const auto later = feeds("2026-12-12");
  EXPECT_EQ(later.state(FeedKind::kev).unusable, "is of 2026-11-27, 15 days old: at most 14 days are believed");
  EXPECT_EQ(later.state(FeedKind::debian_tracker).unusable,
            "is of 2026-11-27, 15 days old: at most 7 days are believed");
  EXPECT_THAT(later.kev, IsEmpty());
  EXPECT_THAT(later.tracker, IsEmpty());
  EXPECT_FALSE(later.records.empty()) << "30 days are believed";
  EXPECT_TRUE(feeds("2026-12-11").state(FeedKind::kev).usable());
  std::filesystem::remove_all(folder_.path() / "feeds/epss");
  EXPECT_EQ(feeds("2026-11-28").state(FeedKind::epss).unusable, "is not there");
  std::filesystem::remove_all(folder_.path() / "feeds/known-bad");
  EXPECT_TRUE(feeds("2026-11-28").state(FeedKind::known_bad).usable()) << "there may be none";
  auto asked = wanted();
  asked.max_age_days = 1;
  EXPECT_TRUE(read_feeds(folder_.path() / "feeds", asked)->state(FeedKind::kev).usable());
  asked.today += std::chrono::days(1);
  EXPECT_FALSE(read_feeds(folder_.path() / "feeds", asked)->state(FeedKind::kev).usable());
}

TEST_F(Feed, OfWhichThereAreSeveralIsTheNewest) {
  folder_.write("feeds/a.gz", gzip(epss_text({"CVE-2026-1000,0.5,0.9"}, "2026-11-26")));
  folder_.write("feeds/b.gz", gzip(epss_text({"CVE-2026-1000,0.7,0.9"}, "2026-11-27")));
  folder_.write("feeds/c.gz", gzip(epss_text({"CVE-2026-1000,0.6,0.9"}, "2026-11-25")));
  auto asked = wanted();
  asked.cves = {"CVE-2026-1000"};
  const auto feeds = read_feeds(folder_.path() / "feeds", asked).value();
  EXPECT_EQ(feeds.epss.at("CVE-2026-1000").probability, 0.7);
  EXPECT_EQ(feeds.state(FeedKind::epss).files.size(), 3U);
}

TEST_F(Feed, ThatIsNoneStopsEverythingAndIsNamed) {
  put_feeds(folder_.path());
  folder_.write("feeds/page.json", "<!DOCTYPE html>");
  const auto feeds = read_feeds(folder_.path() / "feeds", wanted());
  EXPECT_THAT(trouble(feeds), AllOf(HasSubstr("page.json' is no feed that is known")));
  EXPECT_THAT(trouble(read_feeds(folder_.path() / "none", wanted())), HasSubstr("none' is no folder"));
}

TEST_F(Feed, BehindALinkToAFolderIsNotPassedOver) {
  put_feeds(folder_.path(), "elsewhere");
  std::filesystem::create_directory(folder_.path() / "feeds");
  std::filesystem::create_directory_symlink(folder_.path() / "elsewhere/kev", folder_.path() / "feeds/kev");
  const auto feeds = read_feeds(folder_.path() / "feeds", wanted());
  ASSERT_FALSE(feeds);
  EXPECT_EQ(feeds.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(trouble(feeds), HasSubstr("feeds/kev' is a link to a folder"));
  EXPECT_EQ(feeds.error().hint, "put the folder itself there");
  std::filesystem::remove(folder_.path() / "feeds/kev");
  std::filesystem::create_symlink(folder_.path() / "elsewhere/kev/known_exploited_vulnerabilities.json",
                                  folder_.path() / "feeds/kev.json");
  EXPECT_THAT(read_feeds(folder_.path() / "feeds", wanted()).value().kev, ::testing::SizeIs(1))
      << "a file is read, link or not";
}

TEST_F(Feed, ThatIsBrokenComesWithTheNextStep) {
  const auto expect = [&](const Json& json, const std::string& hint) {
    const auto text = json.dump();
    const auto file = folder_.write("feeds/x", text.substr(0, text.size() - 1));
    for (const auto& error : {check_feed(file, today).error(), read_feeds(folder_.path() / "feeds", wanted()).error()})
      EXPECT_THAT(error.hint, HasSubstr(hint)) << error.message;
  };
  expect(kev_json({{"CVE-2026-1000"}}), "fetch it again");
  expect(tracker_json({{"bind9", "CVE-2026-1000", "1"}}), "fetch it again");
  expect(cve_record_json("CVE-2026-1000", "yes", "total"), "fetch it again");
  expect(csaf_json({}), "fetch it again");
  expect(known_bad_json("x", {{"kb", "KB1"}}), "docs/process/feeds.md");
}

TEST_F(Feed, OfMicrosoftSaysWhatItsUpdatesCloseInWhichProduct) {
  const auto of_server = [](const std::string& product) { return product == "Windows Server 2019"; };
  auto read = read_msrc(put(csaf_json({})), of_server);
  ASSERT_TRUE(read) << trouble(read);
  EXPECT_EQ(read->id, "msrc_CVE-2026-1001");
  EXPECT_EQ(read->file.date, day_in("2026-11-24"));
  EXPECT_EQ(read->file.entries, 1U);
  EXPECT_THAT(read->fixes, ElementsAre(MsrcFix{"CVE-2026-1001", "KB5050001", "Windows Server 2019", "10.0.17763.6532",
                                               "Security Update",
                                               "https://catalog.update.microsoft.com/v7/site/Search.aspx?q=KB5050001"}))
      << "of a core installation it is the same";
  EXPECT_THAT(read->vulnerabilities, ElementsAre(Pair("CVE-2026-1001", MsrcVulnerability{"critical", false})));
  EXPECT_THAT(read_msrc(put(csaf_json({})), [](const auto&) { return false; })->fixes, IsEmpty());
  auto json = csaf_json({.fixed = "", .exploited = true});
  json["vulnerabilities"][0]["remediations"][0]["details"] = "Security Update";
  read = read_msrc(put(json), of_server);
  ASSERT_TRUE(read) << trouble(read);
  EXPECT_EQ(read->fixes.at(0).kb, "KB5050001") << "by the address";
  EXPECT_EQ(read->fixes.at(0).fixed_version, "");
  EXPECT_EQ(read->vulnerabilities.at("CVE-2026-1001").exploited, true);
}

TEST_F(Feed, OfMicrosoftIsHeldAgainstWhatItSaysOfItself) {
  const auto expect = [&](const std::string& pointer, const Json& value, const std::string& what) {
    auto json = csaf_json({});
    json[Json::json_pointer(pointer)] = value;
    EXPECT_THAT(trouble(read_msrc(put(json), [](const auto&) { return true; })), HasSubstr(what)) << pointer;
  };
  expect("/document/csaf_version", "2.1", "/document/csaf_version: must be 2.0, found '2.1'");
  expect("/document/publisher/namespace", "https://example.com", "must be https://msrc.microsoft.com");
  expect("/document/tracking/current_release_date", "soon", "'soon' is no date");
  expect("/vulnerabilities", Json::array(), "/vulnerabilities: must be a list, with one at least");
  expect("/vulnerabilities/0/cve", "CVE-1", "/vulnerabilities/0/cve: 'CVE-1' is no CVE number");
  expect("/vulnerabilities/0/remediations/0/product_ids/0", "99", "fixes product '99', which is not in its tree");
}

TEST_F(Feed, OfWindowsMustBeThereWhereAMachineOfItIs) {
  put_feeds(folder_.path());
  const auto feeds = [&](bool with_windows) {
    auto asked = wanted();
    asked.sources.clear();
    if (with_windows) asked.windows_products = {{server_2019, "Windows Server 2019"}};
    const auto read = read_feeds(folder_.path() / "feeds", asked);
    EXPECT_TRUE(read) << trouble(read);
    return read.value_or(no_feeds(asked));
  };
  EXPECT_TRUE(feeds(false).state(FeedKind::windows_catalogue).usable());
  EXPECT_EQ(feeds(true).state(FeedKind::windows_catalogue).unusable, "is not there");
  EXPECT_EQ(feeds(true).state(FeedKind::msrc).unusable, "is not there");
  SampleCatalogue sample;
  sample.cabinets = {0};
  sample.updates = {{100, "5050001", "2026-11 Cumulative Update", {}, {"CVE-2026-1000"}}};
  folder_.write("feeds/wsus/wsusscn2.cab", catalogue_bytes(sample));
  folder_.write("feeds/csaf/2026/msrc_cve-2026-1001.json", csaf_json({.day = "2026-11-20"}).dump());
  folder_.write("feeds/csaf/2026/newer.json", csaf_json({.kb = "5050009"}).dump());
  const auto all = feeds(true);
  EXPECT_EQ(all.state(FeedKind::windows_catalogue).date, day_in("2026-11-25"));
  EXPECT_EQ(all.state(FeedKind::windows_catalogue).files.at(0).entries, 3U);
  ASSERT_TRUE(all.catalogue);
  EXPECT_EQ(all.catalogue->updates.at(0).kb, "KB5050001");
  ASSERT_EQ(all.fixes.size(), 1U);
  EXPECT_EQ(all.fixes[0].kb, "KB5050009") << "of an advisory the newest counts";
  EXPECT_EQ(all.microsoft.at("CVE-2026-1001").severity, "critical");
  EXPECT_THAT(all.epss, ::testing::Contains(Pair("CVE-2026-1000", EpssScore{0.15312, 0.92011})))
      << "of what the catalogue names it is asked, too";
  const auto checked = check_feed(folder_.path() / "feeds/wsus/wsusscn2.cab", today);
  ASSERT_TRUE(checked) << trouble(checked);
  EXPECT_EQ(checked->kind, FeedKind::windows_catalogue);
  sample.created = "2026-10-01T00:00:00Z";
  folder_.write("feeds/wsus/wsusscn2.cab", catalogue_bytes(sample));
  const auto old = feeds(true);
  EXPECT_EQ(old.state(FeedKind::windows_catalogue).unusable,
            "is of 2026-10-01, 58 days old: at most 35 days are believed");
  EXPECT_FALSE(old.catalogue);
}

TEST_F(Feed, ThatIsOfTomorrowIsWrong) {
  const auto file = put(kev_json({{"CVE-2026-1000"}}, "2026-12-01"));
  EXPECT_THAT(trouble(check_feed(file, today)),
              HasSubstr("feed.json: its date is 2026-12-01 (dateReleased), and today is 2026-11-28"));
  EXPECT_EQ(trouble(check_feed(put(kev_json({{"CVE-2026-1000"}}, "2026-11-29")), today)), "") << "another time zone";
}

TEST_F(Feed, OfExploitedVulnerabilitiesIsHeldAgainstWhatItSaysOfItself) {
  auto json = kev_json({{"CVE-2026-1000"}, {"CVE-2026-1001"}});
  EXPECT_EQ(trouble(read_kev(put(json))), "");
  const auto expect = [&](const Json& wrong, const std::string& what) {
    EXPECT_THAT(trouble(read_kev(put(wrong))), HasSubstr(what)) << wrong;
  };
  auto wrong = json;
  wrong["count"] = 3;
  expect(wrong, "feed.json: /count: says 3 entries, and there are 2");
  wrong = json;
  wrong["catalogVersion"] = "2026.11.20";
  expect(wrong, "/catalogVersion: '2026.11.20' is not the day of 'dateReleased', 2026-11-27");
  wrong = json;
  wrong["dateReleased"] = "27 November 2026";
  expect(wrong, "/dateReleased: '27 November 2026' is no moment");
  wrong = json;
  wrong["vulnerabilities"][1]["cveID"] = "CVE-2026-1000";
  expect(wrong, "/vulnerabilities/1: CVE-2026-1000 is there twice");
  wrong = json;
  wrong["vulnerabilities"][1]["dateAdded"] = "2026-02-30";
  expect(wrong, "/vulnerabilities/1: 'dateAdded' of CVE-2026-1001 must be a date");
  wrong = json;
  wrong["vulnerabilities"][0]["dateAdded"] = "2026-12-24";
  expect(wrong, "CVE-2026-1000 was added on 2026-12-24, after the release of 2026-11-27");
  wrong = json;
  wrong["vulnerabilities"] = Json::array();
  expect(wrong, "has no entry in 'vulnerabilities'");
  for (const char* key : {"count", "dateReleased"}) {
    wrong = json;
    wrong.erase(key);
    expect(wrong, std::string("has no '") + key + "'");
  }
}

// At each byte: less than the whole is never a feed.
TEST_F(Feed, ThatIsCutOffAnywhereIsNoFeed) {
  const auto cut_off = [&](const std::string& whole, const auto& read) {
    ASSERT_TRUE(read(folder_.write("cut", whole)));
    const auto step = std::max<std::size_t>(1, whole.size() / 97);
    for (std::size_t size = 0; size < whole.size(); size += step)
      EXPECT_FALSE(read(folder_.write("cut", whole.substr(0, size)))) << size << " of " << whole.size();
    EXPECT_FALSE(read(folder_.write("cut", whole.substr(0, whole.size() - 1))));
    EXPECT_FALSE(read(folder_.write("cut", whole + "}"))) << "something behind it";
    // nlohmann's parser takes it for the end.
    EXPECT_FALSE(read(folder_.write("cut", whole + std::string(1, '\0')))) << "a NUL behind it";
    EXPECT_FALSE(read(folder_.write("cut", whole + std::string(1, '\0') + "}"))) << "something behind a NUL";
  };
  const auto all = [](const std::string&) { return true; };
  cut_off(kev_json({{"CVE-2026-1000"}}).dump(), [](const auto& path) { return read_kev(path).has_value(); });
  cut_off(gzip(epss_text({"CVE-2026-1000,0.5,0.9"})),
          [&](const auto& path) { return read_epss(path, all).has_value(); });
  cut_off(tracker_json({{"bind9", "CVE-2026-1000", "1:9.18.2-1"}}).dump(),
          [&](const auto& path) { return read_tracker(path, all).has_value(); });
  cut_off(cve_record_json("CVE-2026-1000", "yes", "total").dump(),
          [](const auto& path) { return read_cve_record(path).has_value(); });
  cut_off(known_bad_json("x", {{"kb", "KB1"}}).dump(),
          [](const auto& path) { return read_known_bad(path).has_value(); });
}

TEST_F(Feed, WithAKeyThatIsGivenTwiceIsWrongWhereverThatIs) {
  const auto all = [](const std::string&) { return true; };
  EXPECT_THAT(trouble(read_tracker(folder_.write("t", R"({"bind9": {"CVE-2026-1000": {"releases": {}}},
 "bind9": {}})"),
                                   all)),
              HasSubstr("/t:2:8: /bind9: key 'bind9' is given twice"));
  EXPECT_THAT(trouble(read_tracker(
                  folder_.write("t", R"({"bind9": {"CVE-2026-1000": {"releases": {}}, "CVE-2026-1000": 1}})"), all)),
              HasSubstr("/bind9/CVE-2026-1000: key 'CVE-2026-1000' is given twice"));
  EXPECT_THAT(trouble(read_tracker(
                  folder_.write("t", R"({"bind9": {"CVE-2026-1000": {"releases": {"x": {}, "x": {}}}}})"), all)),
              HasSubstr("key 'x' is given twice"));
  EXPECT_THAT(trouble(read_kev(folder_.write("k", R"({"count": 0, "count": 0})"))),
              HasSubstr("'count' is given twice"));
}

TEST_F(Feed, OfScoresIsHeldAgainstItsNameAndItself) {
  const auto all = [](const std::string&) { return true; };
  const auto expect = [&](const std::string& packed, const std::string& what, const char* name = "x.csv.gz") {
    EXPECT_THAT(trouble(read_epss(folder_.write(name, packed), all)), HasSubstr(what));
  };
  const auto one = epss_text({"CVE-2026-1000,0.5,0.9"});
  expect(gzip(one), "line 1: score_date is 2026-11-27, and the file's name says 2026-11-26",
         "epss_scores-2026-11-26.csv.gz");
  expect(gzip(epss_text({"CVE-2026-1000,0.5,0.9", "CVE-2026-1001,0.5,0.9", "CVE-2026-1000,0.4,0.9"})),
         "CVE-2026-1000 is there twice");
  expect(gzip(epss_text({"CVE-2026-1000,15.3,0.9"})), "line 3: the two numbers of CVE-2026-1000 must be from 0 to 1");
  expect(gzip(epss_text({"CVE-2026-1000,nan,0.9"})), "must be from 0 to 1");
  expect(gzip(epss_text({"CVE-2026-1000,0.5"})), "line 3: must be a CVE number and two numbers");
  expect(gzip(epss_text({})), "there is no score in it");
  expect(gzip("cve,epss,percentile\n"), "line 1: must be '#model_version:");
  expect(gzip(epss_text({"CVE-2026-1000,0.5,0.9"}, "2026-13-27")), "its score_date is no date");
  expect(gzip(one.substr(0, one.size() - 1)), "its last line does not end");
  expect(gzip(one) + gzip(one), "bytes stand behind the end");
  auto damaged = gzip(one);
  damaged[damaged.size() - 5] = static_cast<char>(damaged[damaged.size() - 5] ^ 1);  // of its CRC
  expect(damaged, "cannot be unpacked");
  expect(gzip("#" + std::string(10'000'000, 'x')), "a line of more than 4096 characters");
}

TEST_F(Feed, OfDebianSaysWhichEntryIsWrong) {
  const auto all = [](const std::string&) { return true; };
  const auto json = tracker_json({{"bind9", "CVE-2026-1000", "1:9.18.2-1"}});
  const auto expect = [&](const char* key, const Json& value, const std::string& what) {
    auto wrong = json;
    wrong["bind9"]["CVE-2026-1000"]["releases"]["bookworm"][key] = value;
    EXPECT_THAT(trouble(read_tracker(put(wrong), all)), HasSubstr(what));
  };
  expect("status", "closed", "'bookworm' of CVE-2026-1000 in bind9: 'status' must be open, resolved or undetermined");
  expect("fixed_version", "not a version", "'fixed_version' 'not a version' is no version");
  expect("fixed_version", "", "is resolved, and has no 'fixed_version'");
  EXPECT_THAT(trouble(read_tracker(put(Json::object()), all)), HasSubstr("names no vulnerability"));
  auto many = json;
  auto& releases = many["bind9"]["CVE-2026-1000"]["releases"];
  const Json bookworm = releases["bookworm"];
  for (int i = 0; i < 1000; ++i) releases[fmt::format("release{}", i)] = bookworm;
  EXPECT_THAT(trouble(read_tracker(put(many), all)), HasSubstr("names more than 1000 releases"));
  EXPECT_THAT(trouble(read_tracker(put({{"bind9", "none"}}), all)), HasSubstr("must be an object of source packages"));
  EXPECT_THAT(trouble(read_tracker(put({{"bind9", {{"x", Json::object()}}}}), all)), HasSubstr("is no number of a"));
  // One that nobody asks for is looked at as well.
  auto other = tracker_json({{"bind9", "CVE-2026-1000", "1:9.18.2-1"}, {"zlib", "CVE-2026-1001", "1"}});
  other["zlib"]["CVE-2026-1001"]["releases"]["bookworm"]["status"] = "?";
  EXPECT_FALSE(read_tracker(put(other), [](const std::string& source) { return source == "bind9"; }));
}

TEST_F(Feed, OfRecordsTakesWordsStrictlyAndAVectorOnlyWhereItSettlesIt) {
  const auto read = [&](const Json& json) { return read_cve_record(put(json)).value(); };
  const auto partial = read(cve_record_json("CVE-2026-1000", "no", "partial"));
  EXPECT_EQ(partial.automatable, false);
  EXPECT_EQ(partial.total_impact, false);
  EXPECT_EQ(partial.impact_from, "ssvc");
  EXPECT_EQ(read(cve_record_json("CVE-2026-1000", "Rapid", "")).automatable, std::nullopt);
  const auto impact = [&](const char* vector) {
    return read(cve_record_json("CVE-2026-1000", "", "", vector)).total_impact;
  };
  EXPECT_EQ(impact("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), true);
  EXPECT_EQ(impact("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"), false);
  EXPECT_EQ(impact("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"), std::nullopt);
  EXPECT_EQ(impact("nonsense"), std::nullopt);
  EXPECT_EQ(impact(""), std::nullopt);
  // What is said outright comes before what is concluded.
  EXPECT_EQ(read(cve_record_json("CVE-2026-1000", "", "partial", "CVSS:3.1/S:U/C:H/I:H")).total_impact, false);
  EXPECT_THAT(trouble(read_cve_record(put(cve_record_json("CVE-2026-1000", "", ""), "CVE-2026-9999.json"))),
              HasSubstr("/cveMetadata/cveId: CVE-2026-1000 is not what the file's name says"));
  auto wrong = cve_record_json("CVE-2026-1000", "", "");
  wrong["dataVersion"] = "4.0";
  EXPECT_THAT(trouble(read_cve_record(put(wrong))), HasSubstr("/dataVersion: must be 5.x, found '4.0'"));
}

TEST_F(Feed, OfWhatIsKnownToBeBadIsReadStrictly) {
  EXPECT_EQ(trouble(read_known_bad(put(known_bad_json("x", {{"package", "bind9"}, {"version", "1"}})))), "");
  EXPECT_EQ(trouble(read_known_bad(put(known_bad_json("x", {{"kb", "KB5035968"}, {"os", "10.0.20348"}})))), "");
  const auto expect = [&](const Json& json, const std::string& what) {
    EXPECT_THAT(trouble(read_known_bad(put(json))), HasSubstr(what));
  };
  expect(known_bad_json("x", {{"kb", "5035968"}}), "/match/0/kb: must be KB and a number");
  expect(known_bad_json("x", {{"sha256", "abc"}}), "/match/0/sha256: must be 64 hexadecimal digits");
  expect(known_bad_json("x", {{"file", "abc"}}), "/match/0: must have 'sha256'");
  auto json = known_bad_json("x", {{"kb", "KB1"}});
  json["state"] = "fixed";
  expect(json, "'fixed_by' must say what fixes it");
  json["symptoms"] = "?";
  expect(json, "/symptoms: unknown key");
  folder_.write("two/a.json", known_bad_json("x", {{"kb", "KB1"}}).dump());
  folder_.write("two/b.json", known_bad_json("x", {{"kb", "KB2"}}).dump());
  EXPECT_THAT(trouble(read_feeds(folder_.path() / "two", wanted())),
              HasSubstr("'a.json' and 'b.json' are both called"));
}

TEST_F(Feed, ThatTheSystemCannotReadIsAnError) {
  std::filesystem::create_directory(folder_.path() / "feed.json");
  EXPECT_FALSE(check_feed(folder_.path() / "feed.json", today));
  EXPECT_FALSE(check_feed(folder_.path() / "none", today));
  EXPECT_FALSE(check_feed(folder_.write("empty", ""), today));
}

// Nobody's memory holds what a file declares.
TEST_F(Feed, OfAnySizeTakesNoMoreMemoryThanWhatIsAskedOfIt) {
  const auto path = folder_.path() / "large.json";
  {
    std::ofstream out(path);
    out << "{";
    for (int source = 0; source < 400; ++source) {
      out << (source == 0 ? "" : ",") << "\n\"source" << source << "\": {";
      for (int i = 0; i < 40; ++i) {
        out << (i == 0 ? "" : ",") << fmt::format("\"CVE-2026-{}\": ", 10000 + i)
            << R"({"scope": "remote", "description": ")" << std::string(200, 'x')
            << R"(", "releases": {"bookworm": {"status": "resolved", "fixed_version": "1.0", "urgency": "low"}}})";
      }
      out << "}";
    }
    out << "}\n";
  }
  // What the first reading takes once and for all.
  ASSERT_TRUE(
      read_tracker(put(tracker_json({{"bind9", "CVE-2026-1000", "1"}})), [](const std::string&) { return true; }));
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const auto tracker = read_tracker(path, [](const std::string& source) { return source == "source7"; });
  ::getrusage(RUSAGE_SELF, &after);
  ASSERT_TRUE(tracker) << trouble(tracker);
  EXPECT_EQ(tracker->entries.size(), 40U);
  EXPECT_EQ(tracker->file.entries, 16'000U);
  EXPECT_GT(tracker->file.bytes, 4U << 20U);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 2 << 10) << "KiB, of a file of " << tracker->file.bytes << " bytes";
}

TEST_F(Feed, ThatAsksForMemoryIsRefused) {
  const auto all = [](const std::string&) { return true; };
  EXPECT_THAT(trouble(read_tracker(folder_.write("x", "{\"" + std::string(1 << 20, 'a') + "\": 1}"), all)),
              HasSubstr("x:1:262147: /: holds one text or number of more than 262144 bytes"));
  EXPECT_THAT(trouble(read_tracker(folder_.write("x", "{\"a\": {\"b\": " + std::string(1 << 20, '1') + "}}"), all)),
              HasSubstr("holds one text or number of more than"));
  std::string list = "{\"a\": {\"b\": [";
  for (int i = 0; i < 400'000; ++i) list += "[],\n";
  EXPECT_THAT(trouble(read_tracker(folder_.write("x", list + "1]}}"), all)), HasSubstr("/a/b/"));
  EXPECT_THAT(trouble(read_tracker(folder_.write("x", "{\"a\": {\"b\": " + std::string(200'000, '[')), all)),
              HasSubstr("is nested more than 100 deep"));
}

// A file that is read item by item means what it means as a whole.
TEST_F(Feed, IsTheSameItemByItemAsAtOnce) {
  const Json whole{{"a", {{"b", {1, 2.5, "x", nullptr, true}}, {"c~/", Json::object()}}},
                   {"list", {Json{{"k", {{"v", Json::array({Json::object()})}}}}, 7}},
                   {"n", -3}};
  Json made;
  const auto read = read_json_items(put(whole), {.depth = 2}, [&](JsonItem item) -> std::string {
    if (item.path.size() == 1) made[item.path[0]] = item.value;
    if (item.path.size() == 2 && item.in_list) made[item.path[0]].push_back(item.value);
    if (item.path.size() == 2 && !item.in_list) made[item.path[0]][item.path[1]] = item.value;
    return {};
  });
  ASSERT_TRUE(read) << trouble(read);
  EXPECT_EQ(made, whole);
  EXPECT_EQ(read->sha256, sha256(whole.dump(2)));
}

TEST_F(Feed, StopsWhereSomethingIsWrongAndNamesThePlace) {
  const auto path = folder_.write("f", "{\n  \"a\": {\"b~\": 1,\n         \"c\": 2}}");
  const auto read = read_json_items(path, {.depth = 2}, [](const JsonItem& item) {
    return item.path.back() == "c" ? std::string("no") : std::string();
  });
  EXPECT_THAT(trouble(read), HasSubstr("/f:3:"));
  EXPECT_THAT(trouble(read), HasSubstr(": /a/c: no"));
}

}  // namespace
}  // namespace patchlab::process
