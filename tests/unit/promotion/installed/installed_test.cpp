// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/installed/installed.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"
#include "lab/core/time.hpp"

namespace patchlab::promotion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::vector<PromotedPart> promoted{{"dns", "bind9", "amd64", "1:9.18-2", sha256("a")},
                                         {"tidy", "tidy", "all", "2.0", sha256("b")},
                                         {"KB5035968", "KB5035968", "", "", sha256("c")}};

// What dpkg-query prints of a machine that has these, too.
MachineSays listed(const std::string& lines) { return from_dpkg_query(lines + "dpkg\t1.21\tii \n", "f").value(); }

std::vector<InstalledState> states(const MachineSays& said) {
  std::vector<InstalledState> all;
  for (const auto& row : compare_installed(said, promoted).rows) all.push_back(row.state);
  return all;
}

TEST(Installed, ReadsWhatDpkgQueryPrints) {
  using enum InstalledState;
  EXPECT_THAT(states(listed("bind9\t1:9.18-2\ntidy\t1.9\n")), ElementsAre(as_promoted, older, not_for_it));
  EXPECT_THAT(states(listed("bind9:amd64\t1:9.18-2\tii \r\ntidy\t2.1\tii \n")),
              ElementsAre(as_promoted, newer, not_for_it));
  EXPECT_THAT(states(listed("bind9:i386\t1:9.18-2\ntidy\t2.0\trc \n")),
              ElementsAre(not_installed, not_installed, not_for_it))
      << "another architecture, and one that left its configuration";
  EXPECT_THAT(states(listed("bind9\t1:9.18-2\tiF \n")), ElementsAre(failed, not_installed, not_for_it))
      << "unpacked is not installed";
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "f:1: lists no package"},
           {"bind9\n", "f:1: is not 'PACKAGE<tab>VERSION'"},
           {"bind9\t1\nb$(id)\t1\n", "f:2: 'b$(id)' is no package"},
           {"bind9\t1 2\n", "f:1: '1 2' is no version"},
           {"bind9\t1\tinstalled\n", "f:1: the third column"},
           {"dpkg\t1.21\nbind9\t1:9.18-2", "f:2: has no end of line: the list was cut"},
           {"bind9\t1:9.18-2\ndbus\t1\n", "'dpkg' was not in the list"},
           {"bind9:amd64\t1\ndpkg\t1.21\nbind9:amd64\t2\n", "f:3: 'bind9:amd64' is in an earlier line, too"}})
    EXPECT_THAT(from_dpkg_query(text, "f").error().message, HasSubstr(why)) << text;
}

TEST(Installed, ReadsWhatAptDid) {
  using enum InstalledState;
  const std::string log =
      "\nStart-Date: 2026-11-28  22:00:01\nCommandline: apt-get upgrade\nUpgrade: bind9:amd64 (1:9.18-1, 1:9.18-2), "
      "tidy:amd64 (1.8, 1.9)\nEnd-Date: 2026-11-28  22:00:09\n"
      "\nStart-Date: 2026-11-29  22:00:01\nInstall: tidy:amd64 (2.0), libx:amd64 (1, automatic)\nEnd-Date: x\n";
  const auto said = from_apt_history(log, "f").value();
  EXPECT_THAT(states(said), ElementsAre(as_promoted, as_promoted, not_for_it));
  EXPECT_EQ(compare_installed(said, promoted).rows[0].since, "2026-11-28  22:00:01");
  const auto later = [&](const std::string& more) { return states(from_apt_history(log + more, "f").value()); };
  EXPECT_THAT(later("\nStart-Date: d\nRemove: bind9:amd64 (1:9.18-2)\nEnd-Date: e\n"),
              ElementsAre(not_installed, as_promoted, not_for_it));
  EXPECT_THAT(later("\nStart-Date: d\nReinstall: bind9:amd64 (1:9.18-2)\nError: Sub-process returned 1\nEnd-Date: e\n"),
              ElementsAre(failed, as_promoted, not_for_it));
  const std::string killed = "\nStart-Date: d\nReinstall: bind9:amd64 (1:9.18-2)\n";
  EXPECT_THAT(later(killed), ElementsAre(failed, as_promoted, not_for_it)) << "killed halfway";
  EXPECT_THAT(later(killed + "\nStart-Date: d\nReinstall: tidy:amd64 (2.0)\nEnd-Date: e\n"),
              ElementsAre(failed, as_promoted, not_for_it))
      << "the end of another step";
  EXPECT_THAT(states(from_apt_history("Start-Date: d\nEnd-Date: e\n", "f").value()),
              ElementsAre(not_reported, not_reported, not_for_it))
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
  EXPECT_THAT(states(said[0]), ElementsAre(not_reported, as_promoted, not_for_it)) << "without dpkg it is not all";
  EXPECT_THAT(states(said[1]), ElementsAre(not_for_it, not_for_it, as_promoted));
  const std::string all =
      R"({"machine":"a","observed":"2026-11-28T22:00:00Z","packages":[{"name":"dpkg","version":"1"}]})";
  EXPECT_THAT(states(from_json_lines(all, "f").value()[0]), ElementsAre(not_installed, not_installed, not_for_it));
  for (const auto& [text, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"\n", "has no line"},
           {"{\"machine\":\"a\"}", "'observed' is required"},
           {R"({"machine":"a b","observed":"2026-11-28T22:00:00Z","updates":[]})", "/machine"},
           {R"({"machine":"a","observed":"yesterday","updates":[]})", "/observed"},
           {R"({"machine":"a","observed":"2026-11-28T22:00:00Z"})", "neither packages nor updates"},
           {R"({"machine":"a","observed":"2026-11-28T22:00:00Z","updates":["5035968"]})", "/updates"},
           {R"({"machine":"a","observed":"2026-11-28T22:00:00Z","packages":[{"name":"b","version":"1","architecture":)"
            R"("all"},{"name":"b","version":"2","architecture":"all"}]})",
            "'b:all' is there twice"},
           {R"({"machine":"a","observed":"2026-11-28T22:00:00Z","updates":[],"extra":1})", "extra"}})
    EXPECT_THAT(from_json_lines(text, "f").error().message, HasSubstr(why)) << text;
  const std::string twice = R"({"machine":"a","observed":"2026-11-28T22:00:00Z","updates":[]})";
  EXPECT_THAT(from_json_lines(twice + "\n" + twice, "f").error().message, HasSubstr("in an earlier line"));
}

// A report of WSUS of one machine; of each update the end of its GUID, KB number and state.
std::string wsus_report(const std::vector<std::tuple<int, std::string, std::string>>& updates) {
  auto list = Json::array();
  for (const auto& [id, kb, state] : updates) {
    list.push_back({{"kb", kb.empty() ? Json::array() : Json::array({kb})},
                    {"update", fmt::format("6f0d83cc-1a4e-4d0c-9c1c-{:012x}", id)},
                    {"revision", 200},
                    {"state", state}});
  }
  return Json{{"schema", wsus_report_schema},
              {"machine", "fin-dc1.corp.example"},
              {"observed", "2026-11-28T22:00:00Z"},
              {"updates", list}}
             .dump() +
         "\n";
}

TEST(Installed, OfAWsusOnlyWhatItCallsInstalledIs) {
  using enum InstalledState;
  const auto of = [](const std::vector<std::tuple<int, std::string, std::string>>& updates) {
    const auto said = from_wsus_report(wsus_report(updates), "f");
    EXPECT_TRUE(said) << said.error().message;
    return compare_installed(said.value().at(0), promoted);
  };
  for (const auto& [word, state, outcome] :
       std::initializer_list<std::tuple<const char*, InstalledState, InstalledOutcome>>{
           {"Installed", as_promoted, InstalledOutcome::as_promoted},
           {"InstalledPendingReboot", not_installed, InstalledOutcome::unknown},
           {"NotInstalled", not_installed, InstalledOutcome::unknown},
           {"Downloaded", not_installed, InstalledOutcome::unknown},
           {"NotApplicable", not_installed, InstalledOutcome::unknown},
           {"Unknown", not_reported, InstalledOutcome::unknown},
           {"Failed", failed, InstalledOutcome::differs}}) {
    const auto report = of({{1, "KB5035968", word}});
    EXPECT_EQ(report.rows[0].state, not_for_it) << "a package of Debian";
    EXPECT_EQ(report.rows[2].state, state) << word;
    EXPECT_EQ(report.rows[2].found, state == as_promoted ? "KB5035968" : word);
    EXPECT_EQ(report.outcome(), outcome) << word;
  }
  const auto silent = of({{1, "KB1234567", "Installed"}, {2, "", "Installed"}});
  EXPECT_EQ(silent.rows[2].state, not_reported) << "that WSUS does not know it says nothing of the machine";
  EXPECT_EQ(silent.outcome(), InstalledOutcome::unknown);
  // One number, several products: what is for others does not count, and of the rest the worst does.
  EXPECT_EQ(of({{1, "KB5035968", "NotApplicable"}, {2, "KB5035968", "Installed"}}).rows[2].state, as_promoted);
  EXPECT_EQ(of({{1, "KB5035968", "Installed"}, {2, "KB5035968", "NotInstalled"}}).rows[2].state, not_installed);
  EXPECT_EQ(of({{1, "KB5035968", "Unknown"}, {2, "KB5035968", "Installed"}}).rows[2].state, not_reported);
  EXPECT_EQ(of({{1, "KB5035968", "Failed"}, {2, "KB5035968", "Installed"}}).rows[2].state, failed);
}

TEST(Installed, ReadsAReportOfWsusStrictly) {
  const auto good = wsus_report({{1, "KB5035968", "Installed"}});
  EXPECT_EQ(from_wsus_report(good, "f").value().at(0).machine, "fin-dc1.corp.example");
  const auto with = [&](const std::string& find, const std::string& with) {
    auto text = good;
    text.replace(text.find(find), find.size(), with);
    const auto said = from_wsus_report(text, "f");
    return said ? std::string() : said.error().message;
  };
  for (const auto& [find, instead, why] : std::initializer_list<std::tuple<const char*, const char*, const char*>>{
           {"Installed", "installed", "/updates/0/state: 'installed' is no word of this"},
           {"Installed", "4", "/updates/0/state"},
           {"KB5035968", "5035968", "'5035968' is no KB5035968"},
           {"6f0d83cc-1a4e", "6F0D83CC-1A4E", "/updates/0/update: must be a GUID in lower case"},
           {"200", "-1", "/updates/0/revision"},
           {"wsus-report/v1", "wsus-report/v2", "/schema: must be 'patchlab/wsus-report/v1'"},
           {"28T22:00:00Z", "28 22:00", "/observed"},
           {"fin-dc1.corp", "fin dc1.corp", "/machine"},
           {"\"machine\"", "\"title\":\"x\",\"machine\"", "title"},
           {"}\n", "}", "f:1: has no end of line: the report was cut"},
           {"\"updates\":[", "\"updates\":3,\"x\":[", "/updates: must be a list"}})
    EXPECT_THAT(with(find, instead), HasSubstr(why)) << instead;
  EXPECT_THAT(
      from_wsus_report(wsus_report({{1, "KB5035968", "Installed"}, {1, "KB5035968", "Failed"}}), "f").error().message,
      HasSubstr("/updates/1/update: is there twice"));
  EXPECT_THAT(from_wsus_report(good + good, "f").error().message,
              HasSubstr("f:2: /machine: is in an earlier line, too"));
  EXPECT_THAT(from_wsus_report("\n", "f").error().message, HasSubstr("has no line"));
}

TEST(Installed, TellsFormatsApart) {
  EXPECT_EQ(source_of_text(wsus_report({})), InstalledSource::wsus);
  EXPECT_EQ(source_of_text(R"({"schema":"patchlab/wsus-report)"), InstalledSource::json);
  EXPECT_EQ(source_of_text("\n {\"a\":1}"), InstalledSource::json);
  EXPECT_EQ(source_of_text("\nStart-Date: x"), InstalledSource::apt_history);
  EXPECT_EQ(source_of_text("a\t1"), InstalledSource::dpkg_query);
}

// Nothing looked at is no pass.
TEST(Installed, NothingOfItIsUnknownAndNotFine) {
  const auto of = [](const MachineSays& said) { return compare_installed(said, promoted).outcome(); };
  EXPECT_EQ(of(listed("")), InstalledOutcome::unknown);
  EXPECT_EQ(of(listed("tidy\t2.0\n")), InstalledOutcome::as_promoted) << "bind9 is not installed there, and said so";
  EXPECT_EQ(of(listed("tidy\t2.0\nbind9\t1:9.17\n")), InstalledOutcome::differs);
  EXPECT_EQ(DeployedReport{}.outcome(), InstalledOutcome::unknown);
}

// One part as promoted says nothing of the others.
TEST(Installed, WhatDoesNotSayOfAllOfItIsUnknown) {
  const auto apt = compare_installed(
      from_apt_history("Start-Date: d\nInstall: tidy:amd64 (2.0)\nEnd-Date: e\n", "f").value(), promoted);
  EXPECT_EQ(apt.outcome(), InstalledOutcome::unknown);
  EXPECT_EQ(apt.open().parts, 1U);
  EXPECT_EQ(apt.open().of, 2U) << "the update is not for it";
  const auto updates = std::vector<PromotedPart>{{"KB5035968", "KB5035968", "", "", sha256("c")},
                                                 {"KB5035969", "KB5035969", "", "", sha256("d")}};
  const auto windows = [&](const std::string& has) {
    const auto text = R"({"machine":"a","observed":"2026-11-28T22:00:00Z","updates":[)" + has + "]}";
    return compare_installed(from_json_lines(text, "f").value()[0], updates);
  };
  EXPECT_EQ(windows(R"("KB5035968","KB5035969")").outcome(), InstalledOutcome::as_promoted);
  EXPECT_EQ(windows(R"("KB5035968")").outcome(), InstalledOutcome::unknown);
  EXPECT_EQ(windows(R"("KB5035968")").open().parts, 1U);
  EXPECT_EQ(compare_installed(listed(""), updates).open().of, 0U);
  EXPECT_EQ(compare_installed(listed(""), updates).outcome(), InstalledOutcome::unknown) << "none of it is for it";
}

TEST(Installed, NothingIsObservedInTheFuture) {
  const auto now = *parse_rfc3339("2026-11-28T22:00:00Z");
  const auto at = [](const std::string& time) { return std::vector<MachineReport>{{"dns1", time, {}}}; };
  EXPECT_TRUE(refuse_future(at("2026-11-29T22:00:00Z"), now)) << "a clock may be a little wrong";
  EXPECT_THAT(refuse_future(at("2026-11-29T22:00:01Z"), now).error().message,
              HasSubstr("'dns1' was observed at 2026-11-29T22:00:01Z, and here it is 2026-11-28T22:00:00.000Z"));
}

TEST(Installed, KnowsAFileByItsBytesAlone) {
  const auto known = compare_by_hand("dns1", "2026-11-28T22:00:00Z", "x.deb", sha256("b"), promoted);
  EXPECT_EQ(known.outcome(), InstalledOutcome::unknown) << "of the other two nobody said anything";
  EXPECT_EQ(known.open().parts, 2U);
  EXPECT_EQ(compare_by_hand("dns1", "2026-11-28T22:00:00Z", "x.deb", sha256("b"), {promoted[1]}).outcome(),
            InstalledOutcome::as_promoted);
  EXPECT_EQ(known.rows[1].state, InstalledState::as_promoted);
  const auto other = compare_by_hand("dns1", "2026-11-28T22:00:00Z", "bind9.deb", sha256("z"), promoted);
  EXPECT_EQ(other.outcome(), InstalledOutcome::differs);
  EXPECT_EQ(other.rows.back().state, InstalledState::other_bytes);
}

DeployedReport some_report() {
  DeployedReport report{"finance", sha256("p"), 7, InstalledSource::by_hand, sha256("f"), {}};
  report.machines = {compare_by_hand("dns1", "2026-11-28T22:00:00Z", "bind9.deb", sha256("z"), promoted),
                     compare_installed(listed("tidy\t1\n"), promoted)};
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
