// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/state/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::checks::state {
namespace {
using testing::ElementsAre;
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
                              .installed = {}};
  EXPECT_THAT(compare(mail_host(), after, allowances), IsEmpty());
}

TEST(CompareInstalled, AcceptsExactlyWhatWasAskedFor) {
  const InstalledSet before{{"bind9:amd64", "1"}, {"old:all", "1"}, {"zlib1g:amd64", "3"}};
  const InstalledSet after{{"bind9:amd64", "2"}, {"zlib1g:amd64", "3"}};
  EXPECT_THAT(compare_installed(before, after, {{"bind9:amd64", "2"}, {"old:all", ""}}), IsEmpty());
}

TEST(CompareInstalled, ReportsWhatWidensOrMissesTheSet) {
  const InstalledSet before{{"bind9:amd64", "1"}, {"dropped:all", "1"}, {"zlib1g:amd64", "3"}};
  const InstalledSet after{{"bind9:amd64", "1"}, {"extra:all", "7"}, {"zlib1g:amd64", "4"}};
  const InstalledSet expected{{"bind9:amd64", "2"}};
  EXPECT_THAT(compare_installed(before, after, expected),
              ElementsAre(StateDifference{"installed", "bind9:amd64", "2", "1"},
                          StateDifference{"installed", "dropped:all", "1", ""},
                          StateDifference{"installed", "extra:all", "", "7"},
                          StateDifference{"installed", "zlib1g:amd64", "3", "4"}));
  Allowances allowances;
  allowances.installed = {"(extra|dropped|zlib1g|bind9):.*"};
  EXPECT_THAT(compare_installed(before, after, expected, allowances), IsEmpty());
}

TEST(StateDifference, SurvivesJson) {
  const StateDifference difference{"service", "postfix", "running", ""};
  EXPECT_EQ(Json(difference).get<StateDifference>(), difference);
}

TEST(HostState, SurvivesJsonAndToleratesGarbage) {
  EXPECT_EQ(host_state_from_json(Json(mail_host())), mail_host());
  EXPECT_EQ(host_state_from_json(Json{{"services", 3}, {"listeners", {1, "tcp x"}}}).listeners,
            std::vector<std::string>{"tcp x"});
  EXPECT_EQ(host_state_from_json(Json("text")), HostState{});
}

}  // namespace
}  // namespace patchlab::checks::state
