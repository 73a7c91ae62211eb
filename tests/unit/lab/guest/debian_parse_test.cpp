// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::lab::guest::debian {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(DebianSections, AreSplitAtTheMarkAndJoinedByName) {
  const auto found = sections("noise\n@@7 a\none\n@@ b\ntwo\n@@7 c d\n@@7 a\nthree", "@@7");
  EXPECT_THAT(found, UnorderedElementsAre(Pair("a", "one\n@@ b\ntwo\nthree\n"), Pair("c d", "")));
}

TEST(DebianInstalledSet, KeepsInstalledPackagesWithTheirArchitecture) {
  const auto set =
      installed_set("bind9:amd64\t1:9.18.33-1~deb12u2\tok\tinstalled\ntzdata:all\t2024a-0\tok\tinstalled\n");
  ASSERT_TRUE(set);
  EXPECT_THAT(*set, ElementsAre(Pair("bind9:amd64", "1:9.18.33-1~deb12u2"), Pair("tzdata:all", "2024a-0")));
}

TEST(DebianInstalledSet, ShowsEveryStateThatIsNotProperlyInstalled) {
  const auto set = installed_set(
      "a:amd64\t1\tok\thalf-configured\nb:amd64\t2\tok\tunpacked\nc:amd64\t3\tok\thalf-installed\nd:"
      "amd64\t4\treinstreq\tinstalled\n"
      "e:amd64\t5\tok\ttriggers-pending\nf:amd64\t6\tok\tconfig-files\ng:amd64\t\tok\tnot-installed\n");
  ASSERT_TRUE(set);
  EXPECT_THAT(*set, ElementsAre(Pair("a:amd64", "1 (half-configured)"), Pair("b:amd64", "2 (unpacked)"),
                                Pair("c:amd64", "3 (half-installed)"), Pair("d:amd64", "4 (reinst-required)"),
                                Pair("e:amd64", "5 (triggers-pending)")));
}

TEST(DebianInstalledSet, RefusesGarbageAndNothing) {
  EXPECT_FALSE(installed_set(""));
  const auto garbage = installed_set("a:amd64\t1\tok\tinstalled\ndpkg-query: error\n");
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().message, "dpkg-query printed an unexpected line: 'dpkg-query: error'");
}

TEST(DebianListeners, NamesProtocolAddressPortAndProgram) {
  const auto table = process_table(
      "socket tcp 0A00140A:0035 1\nsocket udp 0100007F:0035 2\nsocket tcp 00000000000000000000000001000000:03B9 3\n"
      "socket tcp 00000000000000000000000000000000:0016 4\nsocket udp 000080FE00000000FF00545010001400:0223 5\n"
      "owner 1 163\nowner 2 163\nowner 3 163\nowner 4 200\nexe /proc/163/exe /usr/sbin/named\nexe /proc/200/exe "
      "/usr/sbin/sshd\n");
  EXPECT_THAT(listeners(table), ElementsAre("tcp 10.20.0.10:53 named", "tcp [::1]:953 named", "tcp [::]:22 sshd",
                                            "udp 127.0.0.1:53 named", "udp [fe80::5054:ff:14:10]:547 -"));
}

TEST(DebianListeners, NamesTheDaemonWhoseChildrenShareItsSocket) {
  const auto table = process_table(
      "socket tcp 00000000:0019 1\nowner 1 311\nowner 1 298\nowner 1 400\nexe /proc/311/exe "
      "/usr/lib/postfix/sbin/smtpd\n"
      "exe /proc/298/exe /usr/lib/postfix/sbin/master\nexe /proc/400/exe /usr/lib/postfix/sbin/smtpd\n");
  EXPECT_THAT(listeners(table), ElementsAre("tcp 0.0.0.0:25 master"));
}

TEST(DebianListeners, LeavesOutQuerySocketsOfResolversOnly) {
  const auto table = process_table(
      "socket udp 00000000:9C40 1\nsocket udp 00000000:9C40 2\nsocket tcp 00000000:9C40 1\nowner 1 10\nowner 2 20\n"
      "exe /proc/10/exe /usr/sbin/named\nexe /proc/20/exe /usr/sbin/other\n");
  EXPECT_THAT(listeners(table), ElementsAre("tcp 0.0.0.0:40000 named", "udp 0.0.0.0:40000 other"));
}

TEST(DebianListeners, KeepsThatAnRpcServiceListensButNotWhere) {
  const auto table = process_table("socket tcp 00000000:9C40 1\nowner 1 10\nexe /proc/10/exe /usr/sbin/rpc.mountd\n");
  EXPECT_THAT(listeners(table), ElementsAre("tcp 0.0.0.0:ephemeral rpc.mountd"));
}

TEST(DebianListeners, IgnoresLinesThatAreNotWhatTheyShouldBe) {
  const auto table = process_table("socket tcp 1\nsocket tcp zz:0035 1\nowner\nexe 1 2\n\nsocket\n");
  EXPECT_THAT(listeners(table), IsEmpty());
}

TEST(DebianDaemons, AreTheProgramsBelowInit) {
  const auto table = process_table(
      "exe /proc/163/exe /usr/sbin/named\nexe /proc/164/exe /usr/sbin/child\nexe /proc/9/exe /usr/sbin/cron\n");
  EXPECT_THAT(daemons(table, "9 163 777 \n"),
              ElementsAre(Pair("process /usr/sbin/cron", "running"), Pair("process /usr/sbin/named", "running")));
}

TEST(DebianDaemons, AreTheSameWhenTheirFileWasReplacedUnderThem) {
  const auto table = process_table(
      "exe /proc/1/exe /usr/sbin/named (deleted)\nexe /proc/2/exe /usr/sbin/x.dpkg-tmp (deleted)\nexe /proc/3/exe "
      "/opt/my app/d\n");
  EXPECT_THAT(daemons(table, "1 2 3"),
              ElementsAre(Pair("process /opt/my app/d", "running"), Pair("process /usr/sbin/named", "running"),
                          Pair("process /usr/sbin/x", "running")));
}

constexpr const char* ip_json = R"([
 {"ifname":"lo","address":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},
 {"ifname":"eth0","address":"52:54:00:14:00:10","addr_info":[{"family":"inet","local":"10.20.0.10","prefixlen":24},
  {"family":"inet6","local":"2001:db8::99","prefixlen":64,"temporary":true},{"family":"inet6","local":"fe80::1","prefixlen":64}]}])";

TEST(DebianAddresses, AreListedByMacWithDefaultRoutes) {
  const auto found = addresses(ip_json,
                               "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                               "eth0\t00000000\t0100140A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                               "eth0\t0000140A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre("00:00:00:00:00:00 127.0.0.1/8", "52:54:00:14:00:10 10.20.0.10/24",
                                  "52:54:00:14:00:10 fe80::1/64", "default via 10.20.0.1 eth0"));
}

TEST(DebianIdleTime, IsOfAllProcessors) {
  const auto found = idle_time(
      "cpu  10 0 20 3000 50 0 0 0 0 0\ncpu0 5 0 10 1500 25 0 0 0 0 0\ncpu1 5 0 10 1500 25 0 0 0 0 0\nintr 1 2 3 4 5 "
      "6\n");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->idle, Milliseconds(30500));
  EXPECT_EQ(found->processors, 2U);
  EXPECT_FALSE(idle_time(""));
  EXPECT_FALSE(idle_time("cpu  10 0 20 x 50 0\n"));
}

TEST(DebianSupplies, TellPlentyFromAlmostNothing) {
  const std::string df =
      "Filesystem     1024-blocks    Used Available Capacity Mounted on\n"
      "/dev/vda           1992552 1400000    491208      75% /\n"
      "/dev/vdb            100000   95100      4900      96% /srv/my data\n"
      "/dev/vdc            100000   95000      5000      95% /srv/other\n"
      "none                     0       0         0       -  /proc/x\n";
  const std::string meminfo = "MemTotal:         200000 kB\nMemFree:   100 kB\nMemAvailable:      9999 kB\n";
  EXPECT_THAT(supplies(df, meminfo),
              ElementsAre(Pair("file system /", "has room"), Pair("file system /srv/my data", "almost full"),
                          Pair("file system /srv/other", "has room"), Pair("memory", "almost used up")));
  EXPECT_THAT(supplies("", "MemTotal: 200000 kB\nMemAvailable: 10000 kB\n"), ElementsAre(Pair("memory", "available")));
  EXPECT_THAT(supplies("df: /x: Input/output error\n", "MemTotal: 1 kB\n"), ElementsAre());
}

TEST(DebianPackageSystem, WorksWhenAptAndDpkgSaySo) {
  const std::string progress = "Reading package lists...\nBuilding dependency tree...\nReading state information...\n";
  EXPECT_EQ(package_system(progress + "apt-get 0\ndpkg 0\n").value(), "works");
  EXPECT_EQ(package_system(progress +
                           "You might want to run 'apt --fix-broken install' to correct these.\nThe following packages "
                           "have unmet dependencies:\n bind9 : Depends: bind9-libs (= 1) but 2 is installed\nE: Unmet "
                           "dependencies. Try x.\napt-get 100\ndpkg 0\n")
                .value(),
            "broken: bind9 : Depends: bind9-libs (= 1) but 2 is installed; E: Unmet dependencies. Try x.");
  EXPECT_EQ(
      package_system("apt-get 0\nThe following packages are only half configured:\n mailman   list\ndpkg 0\n").value(),
      "broken: The following packages are only half configured:; mailman   list");
  EXPECT_EQ(package_system("apt-get 100\ndpkg 1\n").value(), "broken: apt-get ended with 100; dpkg ended with 1");
}

TEST(DebianPackageSystem, IsUnknownWhenOneDidNotAnswer) {
  EXPECT_FALSE(package_system(""));
  EXPECT_FALSE(package_system("apt-get 0\n"));
  EXPECT_FALSE(package_system("dpkg 0\n"));
  EXPECT_FALSE(package_system("sh: apt-get: not found\napt-get 127\ndpkg 0\n"));
  EXPECT_FALSE(package_system("apt-get 0\nSegmentation fault\ndpkg 139\n"));
}

TEST(DebianAddresses, RefuseWhatIsNotAList) {
  EXPECT_FALSE(addresses("", ""));
  EXPECT_FALSE(addresses("{}", ""));
  EXPECT_FALSE(addresses("[{\"address\":", ""));
}

TEST(DebianServices, FollowTheExitCodesOfTheLsb) {
  EXPECT_THAT(script_states("0 named\n1 a\n2 b\n3 c\n4 d\n127 e\njunk\n"),
              ElementsAre(Pair("a", "failed"), Pair("b", "failed"), Pair("c", "stopped"), Pair("d", "unknown (4)"),
                          Pair("e", "unknown (127)"), Pair("named", "running")));
}

TEST(DebianServices, AreReadFromSystemctl) {
  EXPECT_THAT(
      unit_states(
          "named.service loaded active running BIND\nnetworking.service loaded active exited Raise\n"
          "\xe2\x97\x8f cups.service loaded failed failed CUPS\napt-daily.service loaded activating start Daily\n"
          "x.socket loaded active listening X\n"),
      ElementsAre(Pair("cups", "failed"), Pair("named", "running"), Pair("networking", "exited")));
}

TEST(DebianServices, ThatWereAskedForAreReportedInAnyState) {
  EXPECT_THAT(asked_unit_states(
                  "LoadState=loaded\nActiveState=inactive\nSubState=dead\n\nLoadState=not-found\nActiveState=inactive\n"
                  "SubState=dead\n\nLoadState=loaded\nActiveState=active\nSubState=running\n",
                  {"a", "b", "c"}),
              ElementsAre(Pair("a", "stopped"), Pair("b", "absent"), Pair("c", "running")));
}

TEST(DebianTailedFiles, AreSplitAtTheirNames) {
  EXPECT_THAT(tailed_files("==> /var/log/a.log <==\none\n\n==> /var/log/b <==\ntwo\n"),
              ElementsAre(Pair("/var/log/a.log", "one\n\n"), Pair("/var/log/b", "two\n")));
}

}  // namespace
}  // namespace patchlab::lab::guest::debian
