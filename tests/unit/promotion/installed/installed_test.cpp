// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/installed/installed.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<PromotedPart> promoted{{"dns", "bind9", "amd64", "1:9.18-2", sha256("a")},
                                         {"tidy", "tidy", "all", "2.0", sha256("b")},
                                         {"KB5035968", "KB5035968", "", "", sha256("c")}};

std::vector<InstalledState> states(const MachineSays& said) {
  std::vector<InstalledState> all;
  for (const auto& row : compare_installed(said, promoted).rows) all.push_back(row.state);
  return all;
}

TEST(Installed, ReadsWhatDpkgQueryPrints) {
  using enum InstalledState;
  EXPECT_THAT(states(from_dpkg_query("bind9\t1:9.18-2\ntidy\t1.9\n", "f").value()),
              ElementsAre(as_promoted, older, not_reported));
  EXPECT_THAT(states(from_dpkg_query("bind9:amd64\t1:9.18-2\tii \r\ntidy\t2.1\tii \n", "f").value()),
              ElementsAre(as_promoted, newer, not_reported));
  EXPECT_THAT(states(from_dpkg_query("bind9:i386\t1:9.18-2\ntidy\t2.0\trc \n", "f").value()),
              ElementsAre(not_installed, not_installed, not_reported))
      << "another architecture, and one that left its configuration";
  EXPECT_THAT(states(from_dpkg_query("bind9\t1:9.18-2\tiF \n", "f").value()),
              ElementsAre(failed, not_installed, not_reported))
      << "unpacked is not installed";
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "f:1: lists no package"},
           {"bind9\n", "f:1: is not 'PACKAGE<tab>VERSION'"},
           {"bind9\t1\nb$(id)\t1\n", "f:2: 'b$(id)' is no package"},
           {"bind9\t1 2\n", "f:1: '1 2' is no version"},
           {"bind9\t1\tinstalled\n", "f:1: the third column"}})
    EXPECT_THAT(from_dpkg_query(text, "f").error().message, HasSubstr(why)) << text;
}

TEST(Installed, ReadsWhatAptDid) {
  using enum InstalledState;
  const std::string log =
      "\nStart-Date: 2026-11-28  22:00:01\nCommandline: apt-get upgrade\nUpgrade: bind9:amd64 (1:9.18-1, 1:9.18-2), "
      "tidy:amd64 (1.8, 1.9)\nEnd-Date: 2026-11-28  22:00:09\n"
      "\nStart-Date: 2026-11-29  22:00:01\nInstall: tidy:amd64 (2.0), libx:amd64 (1, automatic)\nEnd-Date: x\n";
  const auto said = from_apt_history(log, "f").value();
  EXPECT_THAT(states(said), ElementsAre(as_promoted, as_promoted, not_reported));
  EXPECT_EQ(compare_installed(said, promoted).rows[0].since, "2026-11-28  22:00:01");
  const auto later = [&](const std::string& more) { return states(from_apt_history(log + more, "f").value()); };
  EXPECT_THAT(later("\nStart-Date: d\nRemove: bind9:amd64 (1:9.18-2)\n"),
              ElementsAre(not_installed, as_promoted, not_reported));
  EXPECT_THAT(later("\nStart-Date: d\nReinstall: bind9:amd64 (1:9.18-2)\nError: Sub-process returned 1\n"),
              ElementsAre(failed, as_promoted, not_reported));
  EXPECT_THAT(states(from_apt_history("Start-Date: d\nEnd-Date: e\n", "f").value()),
              ElementsAre(not_reported, not_reported, not_reported))
      << "what is not in the log is not known";
  for (const char* text : {"", "bind9\t1\n", "Start-Date: d\nUpgrade: bind9:amd64 (1)\n", "Start-Date: d\nInstall: a\n",
                           "Start-Date: d\nInstall: a (`id`)\n"})
    EXPECT_FALSE(from_apt_history(text, "f")) << text;
}

TEST(Installed, ReadsOneObjectForEachMachine) {
  using enum InstalledState;
  const auto said =
      from_json_lines(
          R"({"machine":"dns1","observed":"2026-11-28T22:00:00Z","packages":[{"name":"tidy","version":"2.0"}]})"
          "\n\n"
          R"({"machine":"dc1","observed":"2026-11-28T22:00:00Z","updates":["KB5035968","KB1234567"]})"
          "\n",
          "f")
          .value();
  ASSERT_THAT(said, SizeIs(2));
  EXPECT_THAT(states(said[0]), ElementsAre(not_installed, as_promoted, not_reported));
  EXPECT_THAT(states(said[1]), ElementsAre(not_reported, not_reported, as_promoted));
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"\n", "has no line"},
           {"{\"machine\":\"a\"}", "'observed' is required"},
           {R"({"machine":"a b","observed":"2026-11-28T22:00:00Z","updates":[]})", "/machine"},
           {R"({"machine":"a","observed":"yesterday","updates":[]})", "/observed"},
           {R"({"machine":"a","observed":"2026-11-28T22:00:00Z"})", "neither packages nor updates"},
           {R"({"machine":"a","observed":"2026-11-28T22:00:00Z","updates":["5035968"]})", "/updates"},
           {R"({"machine":"a","observed":"2026-11-28T22:00:00Z","updates":[],"extra":1})", "extra"}})
    EXPECT_THAT(from_json_lines(text, "f").error().message, HasSubstr(why)) << text;
  const std::string twice = R"({"machine":"a","observed":"2026-11-28T22:00:00Z","updates":[]})";
  EXPECT_THAT(from_json_lines(twice + "\n" + twice, "f").error().message, HasSubstr("in an earlier line"));
}

TEST(Installed, TellsFormatsApart) {
  EXPECT_EQ(source_of_text("\n {\"a\":1}"), InstalledSource::json);
  EXPECT_EQ(source_of_text("\nStart-Date: x"), InstalledSource::apt_history);
  EXPECT_EQ(source_of_text("a\t1"), InstalledSource::dpkg_query);
}

// Nothing looked at is no pass.
TEST(Installed, NothingOfItIsUnknownAndNotFine) {
  const auto of = [](const MachineSays& said) { return compare_installed(said, promoted).outcome(); };
  EXPECT_EQ(of(from_dpkg_query("other\t1\n", "f").value()), InstalledOutcome::unknown);
  EXPECT_EQ(of(from_dpkg_query("tidy\t2.0\n", "f").value()), InstalledOutcome::as_promoted);
  EXPECT_EQ(of(from_dpkg_query("tidy\t2.0\nbind9\t1:9.17\n", "f").value()), InstalledOutcome::differs);
  EXPECT_EQ(DeployedReport{}.outcome(), InstalledOutcome::unknown);
}

TEST(Installed, KnowsAFileByItsBytesAlone) {
  const auto known = compare_by_hand("dns1", "2026-11-28T22:00:00Z", "x.deb", sha256("b"), promoted);
  EXPECT_EQ(known.outcome(), InstalledOutcome::as_promoted);
  EXPECT_EQ(known.rows[1].state, InstalledState::as_promoted);
  const auto other = compare_by_hand("dns1", "2026-11-28T22:00:00Z", "bind9.deb", sha256("z"), promoted);
  EXPECT_EQ(other.outcome(), InstalledOutcome::differs);
  EXPECT_EQ(other.rows.back().state, InstalledState::other_bytes);
}

DeployedReport some_report() {
  DeployedReport report{"finance", sha256("p"), 7, InstalledSource::by_hand, sha256("f"), {}};
  report.machines = {compare_by_hand("dns1", "2026-11-28T22:00:00Z", "bind9.deb", sha256("z"), promoted),
                     compare_installed(from_dpkg_query("tidy\t1\n", "f").value(), promoted)};
  report.machines[1].machine = "dns2";
  report.machines[1].observed = "2026-11-28T22:00:00Z";
  return report;
}

TEST(Installed, AReportComesBackFromItsJson) {
  const auto report = some_report();
  const auto json = deployed_json(report);
  EXPECT_EQ(deployed_from_json(json, "r").value(), report);
  auto lie = json;
  lie["machines"][0]["outcome"] = "as-promoted";
  EXPECT_THAT(deployed_from_json(lie, "r").error().message, HasSubstr("/machines/0/outcome: is not that of its rows"));
}

}  // namespace
}  // namespace patchlab::promotion
