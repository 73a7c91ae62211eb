// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::checks::state {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

HostState mail_host() {
  return {.services = {{"postfix", "running"}, {"dovecot", "running"}, {"rsync", "stopped"}, {"old", "failed"}},
          .listeners = {"tcp 0.0.0.0:143 dovecot", "tcp 0.0.0.0:25 master", "udp 0.0.0.0:68 dhclient"},
          .addresses = {"52:54:00:00:00:0e 10.20.0.14/24"},
          .error_kinds = {"postfix/master: warning: <path> is world readable"}};
}

TEST(CompareHostState, FindsNothingBetweenEqualStates) { EXPECT_THAT(compare(mail_host(), mail_host()), IsEmpty()); }

TEST(CompareHostState, ReportsAServiceThatNoLongerRuns) {
  auto after = mail_host();
  after.services["postfix"] = "stopped";
  EXPECT_THAT(compare(mail_host(), after), ElementsAre(StateDifference{"service", "postfix", "running", "stopped"}));
}

TEST(CompareHostState, ReportsAServiceThatIsNoLongerKnown) {
  auto after = mail_host();
  after.services.erase("dovecot");
  EXPECT_THAT(compare(mail_host(), after), ElementsAre(StateDifference{"service", "dovecot", "running", ""}));
}

TEST(CompareHostState, ReportsARunningServiceThatFailedOnce) {
  auto after = mail_host();
  after.services["postfix"] = "failed";
  EXPECT_THAT(compare(mail_host(), after), ElementsAre(StateDifference{"service", "postfix", "running", "failed"}));
}

TEST(CompareHostState, ReportsNewFailedServicesButNotOldOnes) {
  auto after = mail_host();
  after.services["rsync"] = "failed";
  after.services["brand-new"] = "failed";
  EXPECT_THAT(compare(mail_host(), after), ElementsAre(StateDifference{"service", "brand-new", "", "failed"},
                                                       StateDifference{"service", "rsync", "stopped", "failed"}));
}

TEST(CompareHostState, AcceptsServicesThatStarted) {
  auto after = mail_host();
  after.services["rsync"] = "running";
  after.services["old"] = "running";
  after.services["brand-new"] = "running";
  EXPECT_THAT(compare(mail_host(), after), IsEmpty());
}

TEST(CompareHostState, ReportsListenersThatAreGoneOrNew) {
  auto after = mail_host();
  after.listeners = {"tcp 0.0.0.0:143 dovecot", "tcp 0.0.0.0:4444 nc", "udp 0.0.0.0:68 dhclient"};
  EXPECT_THAT(compare(mail_host(), after),
              ElementsAre(StateDifference{"listener", "tcp 0.0.0.0:25 master", "tcp 0.0.0.0:25 master", ""},
                          StateDifference{"listener", "tcp 0.0.0.0:4444 nc", "", "tcp 0.0.0.0:4444 nc"}));
}

TEST(CompareHostState, ReportsAPortThatAnotherProgramTookAsOneChange) {
  auto after = mail_host();
  after.listeners[1] = "tcp 0.0.0.0:25 nc";
  EXPECT_THAT(compare(mail_host(), after), ElementsAre(StateDifference{"listener", "tcp 0.0.0.0:25 master",
                                                                       "tcp 0.0.0.0:25 master", "tcp 0.0.0.0:25 nc"}));
}

TEST(CompareHostState, ReportsAListenerThatMovedToLoopbackAsOneChange) {
  auto after = mail_host();
  after.listeners[1] = "tcp 127.0.0.1:25 master";
  EXPECT_THAT(compare(mail_host(), after),
              ElementsAre(StateDifference{"listener", "tcp 0.0.0.0:25 master", "tcp 0.0.0.0:25 master",
                                          "tcp 127.0.0.1:25 master"}));
}

TEST(CompareHostState, ComparesListenersInUnknownShapeAsAWhole) {
  HostState before;
  before.listeners = {"odd"};
  HostState after;
  after.listeners = {"strange"};
  EXPECT_THAT(compare(before, after), ElementsAre(StateDifference{"listener", "odd", "odd", ""},
                                                  StateDifference{"listener", "strange", "", "strange"}));
}

TEST(CompareHostState, ReportsAddressesByMac) {
  auto after = mail_host();
  after.addresses = {"52:54:00:00:00:0e 10.20.0.99/24", "52:54:00:00:00:0e fd00::1/64", "52:54:00:00:00:ff 10.0.0.1/8"};
  EXPECT_THAT(compare(mail_host(), after),
              ElementsAre(StateDifference{"address", "52:54:00:00:00:0e", "10.20.0.14/24", "10.20.0.99/24, fd00::1/64"},
                          StateDifference{"address", "52:54:00:00:00:ff", "", "10.0.0.1/8"}));
}

TEST(CompareHostState, ReportsALostAddress) {
  auto after = mail_host();
  after.addresses.clear();
  EXPECT_THAT(compare(mail_host(), after),
              ElementsAre(StateDifference{"address", "52:54:00:00:00:0e", "10.20.0.14/24", ""}));
}

TEST(CompareHostState, ReportsOnlyNewKindsOfErrorLines) {
  auto after = mail_host();
  after.error_kinds = {"dovecot: fatal: cannot load <path>", "kernel: known from the control",
                       "postfix/master: warning: <path> is world readable"};
  EXPECT_THAT(compare(mail_host(), after, {}, {"kernel: known from the control"}),
              ElementsAre(StateDifference{"error-log", "dovecot: fatal: cannot load <path>", "", "logged"}));
}

TEST(CompareHostState, ReportsFactsThatChangedCameOrWent) {
  auto before = mail_host();
  before.facts = {{"firewall PublicProfile", "on"}, {"adapter A", "status 0"}, {"driver disk", "kernel"}};
  auto after = before;
  EXPECT_THAT(compare(before, after), IsEmpty());
  after.facts = {{"firewall PublicProfile", "off"}, {"adapter B", "hidden"}, {"driver disk", "kernel"}};
  EXPECT_THAT(compare(before, after), ElementsAre(StateDifference{"fact", "adapter A", "status 0", ""},
                                                  StateDifference{"fact", "adapter B", "", "hidden"},
                                                  StateDifference{"fact", "firewall PublicProfile", "on", "off"}));
}

TEST(CompareHostState, LeavesOutWhatTheScenarioAllows) {
  auto after = mail_host();
  after.services["postfix"] = "stopped";
  after.listeners.erase(after.listeners.begin() + 1);
  after.addresses.clear();
  after.error_kinds.push_back("dovecot: certificate will expire in <n> days");
  EXPECT_EQ(compare(mail_host(), after).size(), 4U);
  const Allowances allowances{.services = {"postfix"},
                              .listeners = {"tcp .*:25 master"},
                              .addresses = {"52:54:.*"},
                              .error_kinds = {".*certificate will expire.*"},
                              .installed = {},
                              .facts = {}};
  EXPECT_THAT(compare(mail_host(), after, allowances), IsEmpty());
}

TEST(CompareInstalled, AcceptsExactlyWhatWasAskedFor) {
  const InstalledSet before{{"bind9:amd64", "1"}, {"zlib1g:amd64", "3"}};
  const InstalledSet expected{{"bind9:amd64", "2"}, {"zlib1g:amd64", "3"}};
  const auto findings = compare_installed(before, expected, expected, Restart::done);
  EXPECT_THAT(findings.differences, IsEmpty());
  EXPECT_EQ(findings.widened, "");
}

TEST(CompareInstalled, ReportsWhatDidNotArrive) {
  const InstalledSet before{{"bind9:amd64", "1"}, {"dropped:all", "1"}};
  const InstalledSet expected{{"bind9:amd64", "2"}, {"dropped:all", "1"}, {"new:amd64", "1"}};
  const InstalledSet found{{"bind9:amd64", "1"}};
  const auto findings = compare_installed(before, expected, found, Restart::done);
  EXPECT_THAT(findings.differences, ElementsAre(StateDifference{"installed", "bind9:amd64", "2", "1"},
                                                StateDifference{"installed", "dropped:all", "1", ""},
                                                StateDifference{"installed", "new:amd64", "1", ""}));
  EXPECT_EQ(findings.widened, "");
}

TEST(CompareInstalled, ComparesVersionsAsVersions) {
  EXPECT_THAT(compare_installed({{"a", "1"}}, {{"a", "0:1.11.0"}}, {{"a", "1.11.0"}}, Restart::done, {}).differences,
              IsEmpty());
  EXPECT_EQ(
      compare_installed({{"a", "1"}}, {{"a", "0:1.11.0"}}, {{"a", "1:1.11.0"}}, Restart::done, {}).differences.size(),
      1U);
  EXPECT_EQ(compare_installed({{"a", "1"}}, {{"a", "2"}}, {{"a", "2 (half-configured)"}}, Restart::done, {})
                .differences.size(),
            1U);
}

TEST(CompareInstalled, NamesWhatNobodyAskedFor) {
  const InstalledSet before{{"bind9:amd64", "1"}, {"zlib1g:amd64", "3"}};
  auto expected = before;
  expected["bind9:amd64"] = "2";
  auto found = expected;
  found["extra:all"] = "7";
  EXPECT_EQ(compare_installed(before, expected, found, Restart::done).widened,
            "'extra:all' (7) came along and nobody asked for it");
  found = expected;
  found["zlib1g:amd64"] = "4";
  EXPECT_EQ(compare_installed(before, expected, found, Restart::done).widened,
            "'zlib1g:amd64' became 4 and nobody asked for it");
  found["extra:all"] = "7";
  EXPECT_THAT(compare_installed(before, expected, found, Restart::done).widened, HasSubstr("extra:all"))
      << "one of several is named, and it is always the same";
  Allowances allowances;
  allowances.installed = {"(extra|zlib1g):.*"};
  EXPECT_EQ(compare_installed(before, expected, found, Restart::done, allowances).widened, "");
}

TEST(CompareInstalled, WhatWaitsForARestartCountsUntilThen) {
  const InstalledSet before{{"a~1", "installed"}};
  const InstalledSet expected{{"b~1", "installed"}};
  const InstalledSet found{{"a~1", "uninstall pending"}, {"b~1", "install pending"}};
  const auto early = compare_installed(before, expected, found, Restart::outstanding);
  EXPECT_THAT(early.differences, IsEmpty());
  EXPECT_EQ(early.widened, "");
  const auto late = compare_installed(before, expected, found, Restart::done);
  EXPECT_THAT(late.differences, ElementsAre(StateDifference{"installed", "b~1", "installed", "install pending"}));
  EXPECT_EQ(late.widened, "'a~1' (uninstall pending) came along and nobody asked for it");
}

TEST(CompareInstalled, ANewerUpdateMayReplaceAnOlderOne) {
  const InstalledSet before{{"rollup~1", "installed"}};
  const InstalledSet expected{{"rollup~1", "installed"}, {"rollup~2", "installed"}};
  const InstalledSet found{{"rollup~1", "superseded"}, {"rollup~2", "installed"}};
  EXPECT_EQ(compare_installed(before, expected, found, Restart::done).widened, "");
  EXPECT_NE(compare_installed(before, before, {{"rollup~1", "superseded"}}, Restart::done).widened, "")
      << "nothing was installed that could have replaced it";
}

TEST(StateDifference, SurvivesJson) {
  const StateDifference difference{"service", "postfix", "running", ""};
  EXPECT_EQ(Json(difference).get<StateDifference>(), difference);
  const StateDifference review{"file",    "/etc/named.conf", "a", "b", FindingClass::review, "not of the package",
                               "-a\n+b\n"};
  EXPECT_EQ(Json(review).get<StateDifference>(), review);
}

TEST(StateDifference, IsABreachUnlessARuleSaysOtherwise) {
  EXPECT_EQ(StateDifference{}.finding, FindingClass::breach);
  auto json = Json(StateDifference{"service", "postfix", "running", "", FindingClass::notice});
  EXPECT_EQ(json.get<StateDifference>().finding, FindingClass::notice);
  json["finding"] = "harmless";
  EXPECT_EQ(json.get<StateDifference>().finding, FindingClass::breach) << "a word that this version does not know";
  json.erase("finding");
  EXPECT_EQ(json.get<StateDifference>().finding, FindingClass::breach) << "of a version that had no classes";
  for (const auto finding : {FindingClass::breach, FindingClass::review, FindingClass::notice})
    EXPECT_EQ(finding_class_from(to_string(finding)), finding);
}

}  // namespace
}  // namespace patchlab::checks::state
