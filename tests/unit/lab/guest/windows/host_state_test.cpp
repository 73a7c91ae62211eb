// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/host_state.hpp"

#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;

class WindowsStateTest : public WindowsTest {
 protected:
  HostState state(const std::vector<std::string>& services = {"DNS"}) {
    auto found = adapter->host_state(services);
    EXPECT_TRUE(found) << found.error().message;
    return found.value_or(HostState{});
  }
};

TEST_F(WindowsStateTest, HasAllThatAPatchDidNotHaveToTouch) {
  windows.extra_events =
      "<Event x='1'><System><Provider Name='Service Control Manager'/><EventID "
      "Qualifiers='49152'>7031</EventID><Level>2</Level>"
      "<EventRecordID>78</EventRecordID></System></Event>\r\n";
  const auto found = state();
  EXPECT_THAT(found.services, ElementsAre(Pair("DNS", "running"), Pair("Spooler", "running")));
  EXPECT_THAT(found.listeners,
              ElementsAre("tcp 0.0.0.0:135 svchost.exe", "tcp 0.0.0.0:53 dns.exe", "tcp 0.0.0.0:ephemeral svchost.exe",
                          "tcp [fe80::5054:ff]:139 system", "udp 0.0.0.0:53 dns.exe"));
  EXPECT_THAT(found.addresses, ElementsAre("52:54:00:14:00:10 10.20.0.10/24", "52:54:00:14:00:10 fe80::5054:ff/64"));
  EXPECT_THAT(found.error_kinds, ElementsAre("System: Service Control Manager 7031"));
  EXPECT_THAT(
      found.facts,
      IsSupersetOf({Pair("start of DNS", "automatic"), Pair("start of disk", "boot"), Pair("driver disk", "Kernel"),
                    Pair("adapter PCI\\VEN_1AF4&DEV_1041\\3&1", "52:54:00:14:00:10 status 0"),
                    Pair("adapter PCI\\VEN_8086&DEV_100E\\4&2", "hidden"), Pair("firewall PublicProfile", "on"),
                    Pair("network {BBBB}", "domain"), Pair("access to C:\\inetpub", "absent"),
                    Pair("ip settings {AAAA}", "EnableDHCP=0x0, DefaultGateway=10.20.0.1, NameServer=10.20.0.10"),
                    Pair("access to C:\\Windows\\System32\\config", "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")}));
  EXPECT_THAT(found.facts, Not(Contains(Key("start of wuauserv"))));                    // changes it by itself
  EXPECT_THAT(found.facts, Not(Contains(Key("adapter PCI\\VEN_1AF4&DEV_1001\\5&3"))));  // a disk
}

TEST_F(WindowsStateTest, IsTheSameInAnotherLanguageAndAfterARestart) {
  const auto english = state();
  windows.german = true;
  EXPECT_EQ(state(), english);
  windows.restart();
  clock.advance(windows.boot_takes);
  EXPECT_EQ(state(), english);
}

// Defender calls its driver anew at each start of its engine, updaters stop when they found nothing.
TEST_F(WindowsStateTest, LeavesOutWhatChangesItsNameOrStateByItself) {
  const auto before = state();
  windows.replies[Command::drivers] =
      "\"disk\",\"Disk Driver\",\"Kernel \",\"\"\r\n\"MpKsl4f1d2c03\",\"MpKsl4f1d2c03\",\"Kernel \",\"\"\r\n";
  for (const auto* name : {"edgeupdate", "GoogleUpdaterService130", "gupdate"}) windows.services[name] = {1, 0, 2};
  const auto after = state();
  EXPECT_EQ(after.services, before.services);
  EXPECT_THAT(after.facts, Not(Contains(Key("driver MpKsl4f1d2c03"))));
  EXPECT_THAT(after.facts, Contains(Pair("start of gupdate", "automatic")));
  EXPECT_THAT(state({"gupdate"}).services, Contains(Pair("gupdate", "stopped")));
}

TEST_F(WindowsStateTest, WatchesTheFoldersThatTheScenarioNames) {
  options.paths = {"D:\\Shares\\Finance & more"};
  adapter = windows_adapter(agent, clock, options);
  const auto before = state();
  EXPECT_THAT(before.facts, Contains(Pair("access to D:\\Shares\\Finance & more", windows.rights)));
  windows.absent_paths.insert("D:\\Shares\\Finance & more");
  EXPECT_THAT(state().facts, Contains(Pair("access to D:\\Shares\\Finance & more", "absent")));
  for (const auto* path : {"", "C:", "C:\\", "C:\\a\\", "\\\\server\\share", "C:/a", "C:\\a\"b", "C:\\%TEMP%",
                           "C:\\a\r\nb", "C:\\\xC3\xA4", "1:\\a"})
    EXPECT_FALSE(is_watchable_path(path)) << path;
  EXPECT_TRUE(is_watchable_path("e:\\Data (x86)\\it's"));
}

// Code 15007 says the same of a role that is not there and of a channel whose name is wrong.
TEST_F(WindowsStateTest, ALogOfTheRoleMustBeThere) {
  for (const auto& log : watched_logs()) {
    windows.logs.clear();
    for (const auto* name : {"DHCPServer", "LanmanServer", "NTDS", "DFSR"}) windows.services[name] = {};
    for (const auto& other : watched_logs()) windows.logs.insert(other.name);
    EXPECT_TRUE(adapter->host_state({"DNS", "DHCPServer", "Spooler", "LanmanServer", "NTDS", "DFSR"})) << log.name;
    windows.logs.erase(log.name);
    for (const auto& service : log.services) {
      const auto missing = adapter->host_state({service});
      ASSERT_FALSE(missing) << log.name;
      EXPECT_THAT(missing.error().message, testing::HasSubstr("there is no log '" + log.name + "'"));
      EXPECT_TRUE(adapter->host_state({"Other"}));
    }
    for (const auto& role : log.roles) {
      options.role = role;
      EXPECT_FALSE(windows_adapter(agent, clock, options)->host_state({})) << role;
    }
    EXPECT_TRUE(!log.services.empty() || !adapter->host_state({})) << log.name;
  }
}

TEST_F(WindowsStateTest, TellsAFailedServiceFromAStoppedOne) {
  windows.services["Spooler"] = {1, 1067, 2};
  windows.services["DNS"] = {1, 0, 2};
  windows.services["Late"] = {1, 1077, 2};
  EXPECT_THAT(state().services,
              ElementsAre(Pair("DNS", "stopped"), Pair("Late", "stopped"), Pair("Spooler", "failed")));
}

TEST_F(WindowsStateTest, ReportsTheRolesServicesEvenWhenTheyAreGone) {
  EXPECT_THAT(state({"dns", "DHCPServer"}).services,
              ElementsAre(Pair("DHCPServer", "absent"), Pair("Spooler", "running"), Pair("dns", "running")));
}

TEST_F(WindowsStateTest, LeavesServicesOutThatComeAndGoByTriggers) {
  windows.services["Trig"] = {4, 0, 2, true};
  EXPECT_THAT(state().services, Not(Contains(Key("Trig"))));
  EXPECT_THAT(state().facts, Contains(Pair("start of Trig", "automatic")));
}

TEST_F(WindowsStateTest, LeavesOutWhatIsMadeAnewAllTheTime) {
  windows.services["CDPUserSvc_3f2a1"] = {};
  windows.services["Net_Driver"] = {};
  windows.replies[Command::adapters] =
      "ConfigManagerErrorCode  MACAddress         PNPDeviceID             \r\r\n"
      "0                                          ROOT\\*ISATAP\\0001      \r\r\n"
      "0                       52:54:00:14:00:10  PCI\\A\\1                \r\r\n";
  const auto found = state();
  EXPECT_THAT(found.facts, Not(Contains(Key("start of CDPUserSvc_3f2a1"))));
  EXPECT_THAT(found.facts, Contains(Key("start of Net_Driver")));
  EXPECT_THAT(found.facts, Not(Contains(Key("adapter ROOT\\*ISATAP\\0001"))));
  EXPECT_THAT(found.facts, Contains(Pair("adapter PCI\\A\\1", "52:54:00:14:00:10 status 0")));
}

TEST_F(WindowsStateTest, ShowsChangedRights) {
  const auto before = state();
  windows.rights = "D:PAI(A;OICI;FA;;;WD)";
  EXPECT_NE(state().facts, before.facts);
}

TEST_F(WindowsStateTest, ReadsRepliesThatAreLargerThanOneAnswerOfTheAgentMayBe) {
  for (int i = 0; i < 5000; ++i) {
    windows.extra_events += fmt::format(
        "<Event x='1'><System><Provider "
        "Name='P{}'/><EventID>1</EventID><Level>2</Level><EventRecordID>{}</EventRecordID></System>"
        "<EventData>{}</EventData></Event>\r\n",
        i % 7, i, std::string(300, 'x'));
  }
  EXPECT_EQ(state().error_kinds.size(), 7U);
  EXPECT_LT(windows.agent.largest_reply, 1U << 20U);
  EXPECT_EQ(windows.agent.open_handles(), 0U);
}

// Whatever fails, nothing is quietly empty.
TEST_F(WindowsStateTest, EveryCommandThatFailsOrAnswersGarbageIsAnError) {
  for (const auto command :
       {Command::service_states, Command::adapters, Command::service_starts, Command::sockets, Command::processes,
        Command::drivers, Command::ip_settings, Command::firewall, Command::errors_logged, Command::acl,
        Command::service_triggers, Command::adapter_devices, Command::network_categories}) {
    windows.exit_codes = {{command, 5}};
    EXPECT_FALSE(adapter->host_state({})) << static_cast<int>(command);
    windows.exit_codes.clear();
    if (command == Command::acl) continue;  // prints nothing of interest
    windows.replies = {{command, "Segmentation\r\nfault, or whatever this is, 17 times\r\n"}};
    EXPECT_FALSE(adapter->host_state({})) << static_cast<int>(command);
    windows.replies.clear();
  }
  EXPECT_TRUE(adapter->host_state({}));
}

TEST_F(WindowsStateTest, ASearchThatIsRefusedIsNotASearchThatFindsNothing) {
  for (const auto command : {Command::service_triggers, Command::adapter_devices}) {
    windows.exit_codes = {{command, 1}};
    windows.replies = {{command, "\r\nEnd of search: 0 match(es) found.\r\n"}};
    EXPECT_TRUE(adapter->host_state({})) << static_cast<int>(command);
    windows.replies = {{command, "ERROR: Access is denied.\r\n"}};
    EXPECT_FALSE(adapter->host_state({})) << static_cast<int>(command);
  }
}

TEST_F(WindowsStateTest, AnEmptyReplyWhereThereIsAlwaysSomethingIsAnError) {
  for (const auto command : {Command::service_states, Command::adapters, Command::sockets, Command::processes,
                             Command::drivers, Command::service_starts, Command::firewall, Command::ip_settings}) {
    windows.replies = {{command, "\r\n"}};
    EXPECT_FALSE(adapter->host_state({})) << static_cast<int>(command);
    windows.replies.clear();
  }
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
