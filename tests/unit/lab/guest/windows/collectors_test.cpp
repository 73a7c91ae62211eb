// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/collectors.hpp"

#include <random>

#include "lab/core/files.hpp"
#include "lab/core/text.hpp"
#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Key;
using testing::Not;
using testing::Pair;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class WindowsViewTest : public WindowsTest {
 protected:
  GuestView view() {
    auto found = adapter->view(GuestAdapter::Look::all, {});
    EXPECT_TRUE(found) << found.error().message;
    return found ? found->value_or(GuestView{}) : GuestView{};
  }
  Rows rows() {
    auto found = view();
    EXPECT_THAT(found.unreadable, IsEmpty());
    return found.state.rows;
  }
};

TEST_F(WindowsViewTest, SeesWhatStartsAndWhoMayDoWhat) {
  const auto found = rows();
  EXPECT_THAT(found.at("service-setup"),
              ElementsAre(Pair("Backup", "as CORP\\backup; runs C:\\Program Files\\Fabrikam\\backup.exe -service"),
                          Pair("DNS", "as LocalSystem; runs C:\\Windows\\system32\\dns.exe"),
                          Pair("Dnscache",
                               "as NT AUTHORITY\\NetworkService; runs C:\\Windows\\system32\\svchost.exe -k "
                               "NetworkService; loads C:\\Windows\\System32\\dnsrslvr.dll"),
                          Pair("disk", "as nobody; runs C:\\Windows\\System32\\drivers\\disk.sys")));
  EXPECT_THAT(
      found.at("task"),
      ElementsAre(Pair("\\Microsoft\\Windows\\Defrag\\ScheduledDefrag",
                       "enabled; runs C:\\Windows\\system32\\defrag.exe -c -h -g; as S-1-5-18 with all rights")));
  EXPECT_THAT(found.at("local-account"), ElementsAre(Pair("RID 500", "enabled, password needed"),
                                                     Pair("RID 501", "disabled, no password needed")));
  EXPECT_THAT(found.at("group-member"),
              ElementsAre(Pair("S-1-5-32-544: S-1-5-21-305419896-1144201745-2289526357-500", "member")));
  EXPECT_THAT(found.at("share"), ElementsAre(Pair("Data",
                                                  "C:\\Shares\\Data of type 0; allow "
                                                  "S-1-5-21-305419896-1144201745-2289526357-500 0x1f01ff")));
  EXPECT_THAT(found.at("firewall-rule"),
              ElementsAre(Pair("DNS-In",
                               "active; allow; in; App=%systemroot%\\System32\\dns.exe LPort=53 Protocol=17 "
                               "Svc=dns"),
                          Pair("Telnet-In", "inactive; allow; in; LPort=23 Protocol=6")));
  EXPECT_THAT(found.at("firewall-profile"), Contains(Pair("PublicProfile EnableFirewall", "0x1")));
  EXPECT_THAT(found.at("certificate"), ElementsAre(Pair("ROOT cdd4eeae6000ac7f40c3802c171e30148030c072", "there")));
  EXPECT_THAT(
      found.at("autostart"),
      ElementsAre(Pair("logon-shell", "explorer.exe"), Pair("lsa: Security Packages", "kerberos\\0msv1_0\\0schannel"),
                  Pair("print-monitor: Local Port", "localspl.dll"),
                  Pair("run: VMware User Process", "C:\\Program Files\\VMware\\vmtoolsd.exe -n vmusr")));
  EXPECT_THAT(found.at("protocol"), ElementsAre(Pair("TLS 1.0\\Server Enabled", "0x0")));
  EXPECT_THAT(found.at("smb-setting"), ElementsAre(Pair("server RequireSecuritySignature", "0x1")));
  EXPECT_THAT(found.at("security-setting"),
              IsSupersetOf({Pair("EnableLUA", "0x1"), Pair("LmCompatibilityLevel", "0x5")}));
  EXPECT_THAT(found.at("dns-zone"),
              ElementsAre(Pair(".", "Cache AD-Domain"), Pair("ad.example", "Primary AD-Domain Secure"),
                          Pair("corp.example AllowUpdate", "0x0")));
}

TEST_F(WindowsViewTest, IsTheSameInAnotherLanguageAndAfterARestart) {
  const auto english = rows();
  windows.german = true;
  EXPECT_EQ(rows(), english);
  windows.restart();
  clock.advance(windows.boot_takes);
  EXPECT_EQ(rows(), english);
}

TEST_F(WindowsViewTest, HasNoRowsForRolesThatAreNotThere) {
  windows.exit_codes[Command::dns_zones] = 9009;
  windows.registry.keys.erase(
      "HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\DNS Server\\Zones\\corp.example");
  windows.registry.keys.erase("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\DNS\\Parameters");
  const auto found = rows();
  for (const auto* kind : {"dns-zone", "dns-setting", "dhcp-setting", "web-setting"})
    EXPECT_THAT(found, Not(Contains(Key(kind)))) << kind;
}

TEST_F(WindowsViewTest, SeesTheConfigurationOfRolesThatAreThere) {
  windows.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\DHCPServer", "ImagePath", "REG_EXPAND_SZ",
                       "%SystemRoot%\\system32\\svchost.exe -k DHCPServer");
  windows.replies[Command::dhcp_dump] =
      "\r\n# =====\r\n#  Configuration Information for Server 10.20.0.10\r\n# =====\r\n\r\n"
      "Dhcp Server \\\\dhcp1 Add Scope 10.20.0.0 255.255.255.0 \"corp\" \"\"\r\n"
      "Dhcp Server \\\\dhcp1 Scope 10.20.0.0 set optionvalue 3 IPADDRESS \"10.20.0.1\"\r\n";
  windows.exit_codes[Command::dhcp_dump] = 0;
  windows.replies[Command::web_digest] =
      "SHA256-Hash der Datei C:\\Windows\\System32\\inetsrv\\config\\applicationHost.config:\r\n"
      "e3 b0 c4 42 98 fc 1c 14 9a fb f4 c8 99 6f b9 24 27 ae 41 e4 64 9b 93 4c a4 95 99 1b 78 52 b8 55\r\n"
      "CertUtil: -hashfile-Befehl wurde erfolgreich ausgef\x81hrt.\r\n";
  const auto found = rows();
  EXPECT_THAT(found.at("dhcp-setting"), SizeIs(2));
  EXPECT_THAT(
      found.at("web-setting"),
      ElementsAre(Pair("applicationHost.config", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")));
}

// Only its tools, which say that they reach no server.
TEST_F(WindowsViewTest, ToolsForAdministrationAreNoRole) {
  windows.registry.keys.erase("HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\DNS\\Parameters");
  windows.exit_codes[Command::dns_zones] = 1722;
  EXPECT_THAT(rows(), Not(Contains(Key("dns-setting"))));
  windows.registry = test::member_server();
  EXPECT_THAT(view().unreadable, UnorderedElementsAre(Key("dns-zone"), Key("dns-setting")));
}

// A role that is there and does not answer is not one without configuration.
TEST_F(WindowsViewTest, SaysOfEachKindThatItCouldNotBeRead) {
  windows.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\DHCPServer", "ImagePath", "REG_EXPAND_SZ", "x");
  windows.exit_codes[Command::dhcp_dump] = 1;
  windows.replies[Command::tasks] =
      "FEHLER: Das Taskimage ist besch\x84"
      "digt.\r\n";
  windows.exit_codes[Command::tasks] = 1;
  windows.registry.keys.erase("HKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\Account\\Users\\000001F4");
  windows.registry.set("HKLM\\SAM\\SAM\\Domains\\Account\\Users\\000001F4", "F", "REG_BINARY", "03");
  const auto found = view();
  EXPECT_THAT(
      found.unreadable,
      UnorderedElementsAre(Pair("task", HasSubstr("ended with exit code 1")), Key("task-time"),
                           Pair("local-account", "the account '000001F4' is not understood"), Key("local-group"),
                           Key("group-member"), Pair("dhcp-setting", HasSubstr("ended with exit code 1"))));
  for (const auto& [kind, why] : found.unreadable) EXPECT_THAT(found.state.rows, Not(Contains(Key(kind))));
  EXPECT_THAT(found.state.rows, Contains(Key("service-setup")));
}

TEST_F(WindowsViewTest, AGuestThatDoesNotAnswerIsNoView) {
  windows.architecture = "PROCESSOR_ARCHITECTURE=x86\r\n";
  EXPECT_FALSE(adapter->view(GuestAdapter::Look::all, {}));
}

// What the stand-in has, and what its package 'adds-administrator' writes: the same bytes as the SAM's.
TEST(WindowsStandIn, ItsAccountsAndItsNewAdministratorAreUnderstood) {
  const auto text_of = [](const char* file) {
    return read_file(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios" / file).value_or("");
  };
  const auto behind = [](const std::string& text, const std::string& what) {
    const auto at = text.find(what);
    if (at == std::string::npos) return std::string();
    const auto begin = at + what.size();
    std::string hex;
    for (const char c : text.substr(begin, text.find('\n', begin) - begin)) {
      if (c != ',') hex += c;
    }
    return hex;
  };
  const auto answer = [](const std::string& key, const char* value, const std::string& hex) {
    return "\r\nHKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\" + key + "\r\n    " + value + "    REG_BINARY    " + hex +
           "\r\n";
  };
  const auto image = text_of("images/windows-stand-in-accounts/files/usr/lib/patchlab/windows/accounts.reg");
  const auto before = [&](const std::string& key, const char* value) {
    return answer(key, value, behind(image, key + "]\n\"" + value + "\"=hex:"));
  };
  Sections found;
  found["sam-users"].text = before("Account\\Users\\000001F4", "F");
  found["sam-builtin"].text = before("Builtin\\Aliases\\00000220", "C");
  found["sam-groups"].text = before("Account\\Aliases\\000003E8", "C");
  Rows rows;
  const auto read = account_collector().read(found, rows);
  ASSERT_TRUE(read) << read.error().message;
  const std::string domain = "S-1-5-21-305419896-1144201745-2289526357";
  EXPECT_THAT(rows["local-account"], ElementsAre(Pair("RID 500", "enabled, password needed")));
  EXPECT_THAT(rows["local-group"], ElementsAre(Pair("RID 1000", "there"), Pair("S-1-5-32-544", "there")));
  EXPECT_THAT(rows["group-member"], ElementsAre(Pair("S-1-5-32-544: " + domain + "-500", "member")));

  const auto package = text_of("windows-stand-in/packages/adds-administrator/installer.nsi");
  found["sam-users"].text += answer("Account\\Users\\000003E9", "F", behind(package, "Users\\000003E9\" \"F\" "));
  found["sam-builtin"].text = answer("Builtin\\Aliases\\00000220", "C", behind(package, "Aliases\\00000220\" \"C\" "));
  Rows after;
  const auto again = account_collector().read(found, after);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_THAT(after["local-account"], Contains(Pair("RID 1001", "enabled, password needed")));
  EXPECT_THAT(after["group-member"], ElementsAre(Pair("S-1-5-32-544: " + domain + "-1001", "member"),
                                                 Pair("S-1-5-32-544: " + domain + "-500", "member")));
}

// Public samples of real machines.
TEST(WindowsSamples, AreUnderstood) {
  // reg query ...\Users\000001F4 /v F on a Chinese Windows: disabled.
  Sections found;
  found["sam-users"].text =
      "\r\nHKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\Account\\Users\\000001F4\r\n    F    REG_BINARY    "
      "0300010000000000000000000000000000000000000000000000000000000000FFFFFFFFFFFFFF7F0000000000000000F401000001020000"
      "110200000000000000000000010000000000000000000C00\r\n\r\n"
      "\xE6\x90\x9C\xE7\xB4\xA2\xE7\xBB\x93\xE6\x9D\x9F: \xE6\x89\xBE\xE5\x88\xB0 1 "
      "\xE5\x8C\xB9\xE9\x85\x8D\xE3\x80\x82\r\n";
  found["sam-builtin"].text =
      "\r\nHKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\Builtin\\Aliases\\00000220\r\n    C    "
      "REG_BINARY    " +
      std::string(0x34 * 2, '0') +
      "\r\n\r\nFin de la recherche : 1 correspondance(s) trouv\x82"
      "e(s).\r\n";
  found["sam-groups"].text = "\r\nEnd of search: 0 match(es) found.\r\n";
  found["sam-groups"].exit_code = 1;
  Rows rows;
  const auto read = account_collector().read(found, rows);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(rows["local-account"], ElementsAre(Pair("RID 500", "disabled, password needed")));
  EXPECT_THAT(rows["local-group"], ElementsAre(Pair("S-1-5-32-544", "there")));
  EXPECT_THAT(rows["group-member"], IsEmpty());

  // A Portuguese batch file's descriptor for shares: everyone, everything. Shares of a domain controller's listing.
  const auto bytes = bytes_of(
      "01000480300000004c000000000000001400000002001c000100000000001400ff011f000101000000000001000000000105000000000005"
      "15"
      "00000078006d1f625cbc0643170a32eb0300000105000000000005150000007800"
      "6d1f625cbc0643170a3201020000");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(access_list(*bytes).value_or("not understood"), "allow S-1-1-0 0x1f01ff");
  found["shares"].text =
      "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Shares\r\n"
      "    NETLOGON    REG_MULTI_SZ    "
      "CSCFlags=4352\\0MaxUses=4294967295\\0Path=C:\\Windows\\SYSVOL\\sysvol\\cascade.local"
      "\\SCRIPTS\\0Permissions=0\\0Remark=Logon server share \\0ShareName=NETLOGON\\0Type=0\r\n"
      "    Audit$    REG_MULTI_SZ    "
      "CSCFlags=0\\0MaxUses=4294967295\\0Path=C:\\Shares\\0Audit\\0Permissions=9\\0ShareName="
      "Audit$\\0Type=0\r\n\r\nHKEY_LOCAL_"
      "MACHINE\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Shares\\Security\r\n\r\n";
  ASSERT_TRUE(share_collector().read(found, rows));
  EXPECT_THAT(rows["share"],
              ElementsAre(Pair("Audit$", "C:\\Shares\\0Audit of type 0; allow S-1-1-0 0x1200a9 by default"),
                          Pair("NETLOGON",
                               "C:\\Windows\\SYSVOL\\sysvol\\cascade.local\\SCRIPTS of type "
                               "0; allow S-1-1-0 0x1200a9 by default")));
}

TEST(WindowsTasks, LeaveOutTheTimesOfMicrosoftsOwnAlone) {
  const auto task = [](const std::string& name, const std::string& start) {
    return "<!-- " + name + " -->\r\n<Task version=\"1.4\">\r\n<Triggers><TimeTrigger><StartBoundary>" + start +
           "</StartBoundary></TimeTrigger>\r\n<LogonTrigger "
           "/></Triggers><Principals><Principal><GroupId>S-1-5-4</GroupId>"
           "</Principal></Principals><Settings><Enabled>false</Enabled></Settings><Actions><ComHandler><ClassId>{ABC}"
           "</ClassId></ComHandler><Exec><Command>&quot;C:\\a b\\c.exe&quot;</Command><Arguments>&lt;x&gt;</Arguments>"
           "</Exec></Actions></Task>\r\n";
  };
  Sections found;
  found["tasks"].text = "<?xml version=\"1.0\" ?>\r\n<Tasks>\r\n" +
                        task("\\Microsoft\\Windows\\x", "2026-11-01T10:00:00") +
                        task("\\Nightly", "2026-11-01T10:00:00") + "</Tasks>\r\n";
  Rows rows;
  const auto read = task_collector().read(found, rows);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(rows["task"]["\\Nightly"], "disabled; runs class {abc}, then C:\\a b\\c.exe <x>; as S-1-5-4");
  EXPECT_EQ(rows["task-time"]["\\Microsoft\\Windows\\x"], "<TimeTrigger></TimeTrigger><LogonTrigger />");
  EXPECT_THAT(rows["task-time"]["\\Nightly"], HasSubstr("<StartBoundary>2026-11-01T10:00:00</StartBoundary>"));
  for (const auto* broken :
       {"", "INFO: There are no tasks", "<Tasks>\n<!-- \\a -->\n</Tasks>", "<Tasks>\n<!-- \\a --><Task>"}) {
    found["tasks"].text = broken;
    Rows none;
    EXPECT_FALSE(task_collector().read(found, none)) << broken;
  }
}

TEST(WindowsDescriptors, AreNeverReadBeyondTheirEnd) {
  const auto whole = bytes_of(
      "010004801400000030000000000000001400000002002C000100000000002400FF011F000105000000000005150000007856341211223344"
      "55"
      "667788F4010000");
  ASSERT_TRUE(whole);
  EXPECT_TRUE(access_list(*whole));
  for (std::size_t length = 0; length < whole->size(); ++length)
    EXPECT_FALSE(access_list(whole->substr(0, length))) << length;
  std::mt19937 random(7);
  for (int i = 0; i < 2000; ++i) {
    auto damaged = *whole;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    (void)access_list(damaged);  // whatever it says, within its bytes: sanitizers look
  }
  EXPECT_FALSE(bytes_of("0g"));
  EXPECT_FALSE(bytes_of("012"));
}

// What a tool prints first, how it ends lines and which page its words are in changes nothing.
class WindowsViewOrderTest : public WindowsViewTest, public testing::WithParamInterface<unsigned> {};

TEST_P(WindowsViewOrderTest, DoesNotMatter) {
  const auto expected = rows();
  std::mt19937 random(GetParam());
  windows.german = random() % 2 == 0;
  const auto shuffled = [&](const RegistryQuestion& question) {
    std::string text;
    windows.registry.print({question.key, question.value, question.reach == RegistryQuestion::Reach::tree},
                           windows.german, text);
    // Blocks of a key with its values, in any order; what is before the first and the sentence at the end stay.
    std::vector<std::string> blocks(1);
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      const auto line = text.substr(at, end - at - 1);
      if (line.starts_with("HKEY_")) blocks.emplace_back();
      if (!line.empty() && !line.starts_with("HKEY_") && !line.starts_with("    ")) blocks.emplace_back();
      blocks.back() += line + (random() % 2 == 0 ? "\r\n" : "\n");
      at = end + 1;
    }
    const auto tail = blocks.size() > 1 && !blocks.back().starts_with("HKEY_") ? 1 : 0;
    std::shuffle(blocks.begin() + 1, blocks.end() - tail, random);
    std::string again;
    for (const auto& block : blocks) again += block;
    return again;
  };
  Sections found;
  for (const auto& collector : collectors()) {
    for (const auto& question : collector.registry) {
      std::string ignored;
      const auto code = windows.registry.print(
          {question.key, question.value, question.reach == RegistryQuestion::Reach::tree}, windows.german, ignored);
      const auto text = text_of(shuffled(question));
      ASSERT_TRUE(text);
      found[question.section] = {*text, static_cast<std::uint32_t>(code)};
    }
  }
  std::string list = "<Tasks>";
  for (const auto& [name, definition] : windows.tasks) list += "<!-- " + name + " -->" + definition;
  std::erase(list, '\r');
  found["tasks"].text = list + "</Tasks>";
  found["dns-list"].text = "Zone count = 2\n ad.example    Primary AD-Domain   Secure\n . Cache AD-Domain\n";
  found["dhcp-dump"].exit_code = 1;
  found["web-configuration"].exit_code = 0x80070003;
  const auto again = collected(found);
  EXPECT_THAT(again.unreadable, IsEmpty());
  EXPECT_EQ(again.rows, expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WindowsViewOrderTest, testing::Range(0U, 20U));

TEST(WindowsCollectors, NameEachKindAndEachSectionOnce) {
  std::set<std::string> names;
  for (const auto& question : collector_questions()) {
    EXPECT_TRUE(names.insert(question.section).second) << question.section;
    EXPECT_TRUE(is_plain_name(question.section)) << question.section;
  }
  for (const auto& collector : collectors()) {
    for (const auto* kind : collector.kinds) EXPECT_TRUE(names.insert(kind).second || names.contains(kind)) << kind;
  }
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
