// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/replies.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::guest::windows {
namespace {
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string utf16(std::u16string_view text) {
  std::string bytes;
  for (const char16_t unit : text) {
    bytes += static_cast<char>(unit & 0xFFU);
    bytes += static_cast<char>(unit >> 8U);
  }
  return bytes;
}

TEST(ToolText, IsReadInUtf8AndUtf16) {
  EXPECT_EQ(text_of("plain").value_or(""), "plain");
  EXPECT_EQ(text_of("").value_or("?"), "");
  EXPECT_EQ(text_of("\xEF\xBB\xBFmarked").value_or(""), "marked");
  EXPECT_EQ(text_of("\xFF\xFE" + utf16(u"Gr\u00FC\u00DFe \U0001F600")).value_or(""),
            "Gr\xC3\xBC\xC3\x9F"
            "e \xF0\x9F\x98\x80");
  EXPECT_EQ(text_of(utf16(u"HotFixID")).value_or(""), "HotFixID");
}

TEST(ToolText, OfAnotherCodePageKeepsItsAscii) {
  EXPECT_EQ(text_of("TCP ABH\x99REN 4").value_or(""), "TCP ABH\xEF\xBF\xBDREN 4");
}

TEST(ToolText, WithNulsIsGarbage) {
  EXPECT_FALSE(text_of(std::string("ab\0cd", 5)));
  EXPECT_FALSE(text_of(std::string("\xFF\xFE\0\0a\0", 6)));
  EXPECT_FALSE(text_of("\xFF\xFE" + utf16(u"half").substr(0, 7)));
}

TEST(JobSections, AreReadWithTheirExitCodes) {
  const auto found =
      sections("@@m begin a\r\none\r\n\r\n@@m end a 0\r\n@@m begin b\r\n@@m end b -2145124329\r\n", "@@m");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->at("a").text, "one\n\n");
  EXPECT_EQ(found->at("a").exit_code, 0U);
  EXPECT_EQ(found->at("b").exit_code, 0x80240017U);
}

TEST(JobSections, ThatAreCutOffAreAnError) {
  const std::string whole = "@@m begin a\r\none\r\n@@m end a 0\r\n";
  for (std::size_t cut = 1; cut < whole.size() - 2; ++cut) {
    const auto found = sections(whole.substr(0, cut), "@@m");
    EXPECT_FALSE(found && found->contains("a")) << cut;
  }
  EXPECT_FALSE(sections("noise\r\n" + whole, "@@m"));
  EXPECT_FALSE(sections(whole + whole, "@@m"));
  EXPECT_FALSE(sections("@@m begin a\r\n@@m end b 0\r\n", "@@m"));
  EXPECT_FALSE(sections("@@m begin a\r\n@@m end a x\r\n", "@@m"));
}

TEST(JobSections, TextOfACommandThatFailedIsAnError) {
  const Sections found{{"a", {"no rights\n", 5}}};
  const auto text = text_in(found, "a");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "'a' ended with exit code 5: no rights");
  EXPECT_EQ(text_in(found, "b").error().message, "the answer holds no 'b'");
}

constexpr const char* registry =
    "\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Some Key\\A~1\r\n    CurrentState    REG_DWORD    0x70\r\n\r\n"
    "HKEY_LOCAL_MACHINE\\SOFTWARE\\Some Key\\B\r\n    (Default)    REG_SZ    \r\n    With Blanks    REG_SZ    a b  "
    "c\r\n\r\n";

TEST(RegistryReply, HasKeysAndValues) {
  const auto keys = registry_keys(registry);
  ASSERT_TRUE(keys) << keys.error().message;
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].name(), "A~1");
  EXPECT_THAT((*keys)[0].values, ElementsAre(Pair("CurrentState", "0x70")));
  EXPECT_THAT((*keys)[1].values, ElementsAre(Pair("(Default)", ""), Pair("With Blanks", "a b  c")));
}

TEST(RegistryReply, MustHoldAsManyMatchesAsItSays) {
  EXPECT_TRUE(registry_keys(std::string(registry) + "End of search: 3 match(es) found.\r\n"));
  const auto cut = registry_keys(std::string(registry) +
                                 "Suchende: 4 \x9A"
                                 "bereinstimmung(en) gefunden.\r\n");
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message, "reg says that it found 4 and printed 3");
  EXPECT_TRUE(registry_keys("HKEY_LOCAL_MACHINE\\A\r\nHKEY_LOCAL_MACHINE\\B\r\nEnd of search: 2 match(es) found.\r\n"));
  EXPECT_TRUE(registry_keys("End of search: 0 match(es) found.\r\n"));
}

// Only the number of matches can prove that a line belongs to the text before it.
TEST(RegistryReply, MayHoldTextsWithLineBreaks) {
  const std::string text = "HKEY_LOCAL_MACHINE\\A\r\n    DisplayVersion    REG_SZ    1.0\r\nbeta 2\r\n\r\n";
  const auto keys = registry_keys(text + "End of search: 1 match(es) found.\r\n");
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(keys->front().values.at("DisplayVersion"), "1.0\nbeta 2");
  EXPECT_FALSE(registry_keys(text));
  EXPECT_FALSE(registry_keys(text + "End of search: 2 match(es) found.\r\n"));
  for (const auto* trouble : {"ERROR: Access is denied.", "Erreur : acc\xE8s refus\xE9."}) {
    EXPECT_FALSE(registry_keys("HKEY_LOCAL_MACHINE\\A\r\n    V    REG_SZ    1\r\n" + std::string(trouble) +
                               "\r\n\r\nEnd of search: 1 match(es) found.\r\n"));
  }
}

TEST(RegistryReply, WithAnUnknownLineIsAnError) {
  EXPECT_FALSE(registry_keys("    Value    REG_SZ    before any key\r\n"));
  EXPECT_FALSE(registry_keys(std::string(registry) + "    no type here\r\n"));
  EXPECT_FALSE(registry_keys("ERROR: The system was unable to find the key.\r\n"));
  EXPECT_FALSE(registry_keys("End of search: 0 match(es) found.\r\n" + std::string(registry)));
}

TEST(RegistryReply, OfAKeyThatNeedNotExist) {
  const Sections found{{"none", {"FEHLER: nicht gefunden\n", 1}}, {"trouble", {"", 5}}};
  EXPECT_TRUE(registry_in(found, "none", Absence::of_key)->empty());
  EXPECT_FALSE(registry_in(found, "none", Absence::impossible));
  EXPECT_FALSE(registry_in(found, "trouble", Absence::of_key));
  EXPECT_FALSE(registry_in(found, "forgotten", Absence::of_key));
}

// reg ends with 1 in all these cases.
TEST(RegistryReply, OfASearchThatFoundNothingIsToldFromTrouble) {
  const auto none = [](const std::string& text, std::uint32_t exit_code = 1) {
    const auto keys = registry_in({{"search", {text, exit_code}}}, "search", Absence::of_matches);
    return keys && keys->empty();
  };
  EXPECT_TRUE(none("\r\nEnd of search: 0 match(es) found.\r\n"));
  EXPECT_TRUE(
      none("\r\nSuchende: 0 \xEF\xBF\xBD"
           "bereinstimmung(en) gefunden.\r\n"));
  EXPECT_TRUE(none("Search complete. Number of matches found: 0\n", 0));
  EXPECT_FALSE(none(""));
  EXPECT_FALSE(none("ERROR: Access is denied.\r\n"));
  EXPECT_FALSE(none("FEHLER: Zugriff verweigert (0x80070005).\r\n"));
  EXPECT_FALSE(none("ERROR: Invalid syntax.\r\nType \"REG QUERY /?\" for usage.\r\n"));
  EXPECT_FALSE(none("ERROR: Access is denied.\r\n\r\nEnd of search: 0 match(es) found.\r\n"));
  EXPECT_FALSE(none("End of search: 2 match(es) found.\r\n"));
  EXPECT_FALSE(none("End of search: 0 match(es) found.\r\n", 5));
  EXPECT_FALSE(registry_in({{"search", {"End of search: 0 match(es) found.\r\n", 1}}}, "search", Absence::impossible));
}

TEST(RegistryReply, NumbersAreHexadecimal) {
  EXPECT_EQ(registry_number("0x70"), 0x70U);
  EXPECT_EQ(registry_number("0x800f0922"), 0x800F0922U);
  for (const auto* text : {"70", "0x", "0xg", "0x100000000", ""}) EXPECT_FALSE(registry_number(text)) << text;
}

std::string service_block(const std::string& name, int state, int exit_code = 0) {
  return fmt::format(
      "\r\nSERVICE_NAME: {0}\r\nDISPLAY_NAME: A: B\r\n        TYPE               : 10  WIN32_OWN_PROCESS  \r\n        "
      "STATE"
      "              : {1}  WORD \r\n                                (STOPPABLE, PAUSABLE)\r\n        WIN32_EXIT_CODE  "
      "  : {2}  "
      "(0x{2:x})\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n        CHECKPOINT         : 0x0\r\n        WAIT_HINT     "
      "     : "
      "0x0\r\n",
      name, state, exit_code);
}

TEST(ServiceList, HasStatesAndExitCodes) {
  const auto found = services(service_block("DNS", 4) + service_block("Spooler", 1, 1067));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->at("DNS").state, 4U);
  EXPECT_EQ(found->at("Spooler").state, 1U);
  EXPECT_EQ(found->at("Spooler").exit_code, 1067U);
}

// Exit codes are decimal with up to ten digits: HRESULTs and NTSTATUS values. What stands in brackets says the same.
TEST(ServiceList, HasExitCodesOfAllLengths) {
  const auto with = [](const std::string& code) {
    auto block = service_block("A", 1);
    const std::string zero = "0  (0x0)";
    block.replace(block.find(zero), zero.size(), code);
    return services(block);
  };
  for (const auto& [text, code] : std::map<std::string, std::uint32_t>{{"2147680517  (0x80030105)", 0x80030105},
                                                                       {"99999999  (0x5f5e0ff)", 99'999'999},
                                                                       {"100000000  (0x5f5e100)", 100'000'000},
                                                                       {"4294967295  (0xffffffff)", 0xFFFFFFFF},
                                                                       {"-1073741819  (0xc0000005)", 0xC0000005},
                                                                       {"2.147.680.517  (0x80030105)", 0x80030105}}) {
    const auto found = with(text);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->at("A").exit_code, code);
  }
  for (const auto* text : {"2147680517", "2147680517  (0x80030106)", "12  (0x1ffffffff)", "x  (0x0)", "1077  (0x435",
                           "1 077 x  (0x435)", "  (0x0)", "4294967296  (0x0)"})
    EXPECT_FALSE(with(text)) << text;
}

TEST(ServiceList, ThatNamesAServiceTwiceIsAnError) {
  EXPECT_FALSE(services(service_block("DNS", 4) + service_block("DNS", 1)));
}

TEST(ServiceList, ThatIsCutOffOrEmptyIsAnError) {
  const auto whole = service_block("DNS", 4) + service_block("Spooler", 4);
  EXPECT_FALSE(services(""));
  // Somewhere within the second block: whatever is left of it, it must not pass for the whole.
  const auto second = service_block("DNS", 4).size();
  for (auto cut = second + 4; cut < whole.size() - 24; ++cut)
    EXPECT_FALSE(services(whole.substr(0, cut))) << whole.substr(second, cut - second);
  EXPECT_FALSE(services(whole + "\r\nEnum: more data, need 66 bytes start resume at index 79\r\n"));
  EXPECT_FALSE(services(service_block("DNS", 9)));
  EXPECT_FALSE(services("[SC] OpenSCManager FAILED 5:\r\n\r\nAccess is denied.\r\n\r\n"));
}

TEST(WmicTable, IsReadByItsHeader) {
  const auto rows =
      table_rows("DeviceID  DriveType  \r\r\nC:        3          \r\r\nD:        5          \r\r\n\r\r\n",
                 {"DeviceID", "DriveType"});
  ASSERT_TRUE(rows) << rows.error().message;
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_THAT((*rows)[1], ElementsAre(Pair("DeviceID", "D:"), Pair("DriveType", "5")));
  EXPECT_FALSE(table_rows("", {"DeviceID"}));
  EXPECT_FALSE(table_rows("Node - SRV\r\r\nERROR:\r\r\n", {"DeviceID"}));
}

TEST(QuickFixList, NamesKbNumbers) {
  EXPECT_THAT(
      quick_fixes("HotFixID   \r\r\nKB2756872  \r\r\nKB3000000  \r\r\n\r\r\n", "").value_or(std::set<std::string>{}),
      ElementsAre("KB2756872", "KB3000000"));
}

TEST(QuickFixList, IsEmptyOnlyWhenWmicSaysSo) {
  const auto none = quick_fixes("\r\r\n", "No Instance(s) Available.\r\r\n");
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  EXPECT_FALSE(quick_fixes("", ""));
  EXPECT_FALSE(quick_fixes("KB2756872  \r\r\n", ""));
  EXPECT_FALSE(quick_fixes("HotFixID\r\r\nSomething went wrong\r\r\n", ""));
}

const std::string dism_reply =
    "\r\nDeployment Image Servicing and Management tool\r\nVersion: 6.2.9200.16384\r\n\r\nPackages listing:\r\n\r\n"
    "--- | --- | --- | ---\r\nPackage Identity | State | Release Type | Install Time\r\n--- | --- | --- | ---\r\n"
    "Package_for_KB1~31bf~amd64~~6.2.1.0 | Install Pending | Update | 1/2/2026 8:00 AM\r\n"
    "Microsoft-Windows-Foundation-Package~31bf~amd64~en-US~6.2.9200.16384 | Installed | Foundation | \r\n\r\n"
    "The operation completed successfully.\r\n";

TEST(DismPackages, HaveStates) {
  const auto found = dism_packages(dism_reply);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found,
              ElementsAre(Pair("Microsoft-Windows-Foundation-Package~31bf~amd64~en-US~6.2.9200.16384", "Installed"),
                          Pair("Package_for_KB1~31bf~amd64~~6.2.1.0", "Install Pending")));
}

TEST(DismPackages, ThatAreCutOffAreAnError) {
  for (std::size_t cut = 0; cut < dism_reply.size() - 2; ++cut)
    EXPECT_FALSE(dism_packages(dism_reply.substr(0, cut))) << cut;
}

TEST(DismPackages, InAnotherShapeAreAnError) {
  auto text = dism_reply;
  text.replace(text.find("| Install Pending"), 1, " ");
  EXPECT_FALSE(dism_packages(text));
  EXPECT_FALSE(dism_packages("\r\nError: 740\r\n\r\nElevated permissions are required to run DISM.\r\n"));
  EXPECT_FALSE(dism_packages(
      "Package Identity | State | Release Type | Install Time\r\nThe operation completed successfully.\r\n"));
}

TEST(CsvList, HasQuotedFields) {
  const auto rows = csv_rows("\"a, b\",\"1 \"\r\n\"c\",\"2\"\r\n", 2);
  ASSERT_TRUE(rows);
  EXPECT_THAT(*rows, ElementsAre(ElementsAre("a, b", "1"), ElementsAre("c", "2")));
  for (const auto* text :
       {"", "\"a\"\r\n", "\"a\",\"b\r\n", "a,b\r\n", "\"a\"\"b\",\"c\"\r\n", "\"a\",\"b\",\"c\"\r\n"})
    EXPECT_FALSE(csv_rows(text, 2)) << text;
}

const std::string tasks =
    "\"System\",\"4\",\"Nicht "
    "zutreffend\"\r\n\"svchost.exe\",\"612\",\"RpcSs\"\r\n\"DNS.exe\",\"1200\",\"DNS\"\r\n\"sqlservr.exe\",\"1300\","
    "\"MSSQL\"\r\n";

TEST(WindowsListeners, AreToldByAddressPortAndProgramInAnyLanguage) {
  const auto found = listeners(
      "\r\nAktive Verbindungen\r\n\r\n  Proto  Lokale Adresse  Remoteadresse  Status  PID\r\n"
      "  TCP    0.0.0.0:53      0.0.0.0:0      ABH\x99REN       1200\r\n  TCP    [fe80::1%12]:139  [::]:0  ABH\x99REN  "
      "4\r\n"
      "  TCP    10.20.0.10:53   10.20.0.2:50000  HERGESTELLT  1200\r\n  UDP    0.0.0.0:53      *:*      1200\r\n"
      "  TCP    0.0.0.0:135     0.0.0.0:0      ABH\x99REN       612\r\n",
      tasks);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found, ElementsAre("tcp 0.0.0.0:135 svchost.exe", "tcp 0.0.0.0:53 dns.exe", "tcp [fe80::1]:139 system",
                                  "udp 0.0.0.0:53 dns.exe"));
}

TEST(WindowsListeners, LoseTheNumbersThatAreChosenAnew) {
  const auto found = listeners(
      "  TCP    0.0.0.0:49152   0.0.0.0:0      LISTENING       612\r\n  TCP    0.0.0.0:49999   0.0.0.0:0      "
      "LISTENING       1300\r\n"
      "  UDP    0.0.0.0:60000   *:*     1200\r\n",
      tasks);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found, ElementsAre("tcp 0.0.0.0:49999 sqlservr.exe", "tcp 0.0.0.0:ephemeral svchost.exe"));
}

TEST(WindowsListeners, ThatAreCutOffAreAnError) {
  EXPECT_FALSE(listeners("", tasks));
  EXPECT_FALSE(
      listeners("  TCP    0.0.0.0:53      0.0.0.0:0      LISTENING       1200\r\n  TCP    0.0.0.0:1\r\n", tasks));
  EXPECT_FALSE(listeners("  TCP    0.0.0.0:53      0.0.0.0:0      LISTENING       x\r\n", tasks));
  EXPECT_FALSE(listeners("  TCP    0.0.0.0:53      0.0.0.0:0      LISTENING       1200\r\n", ""));
}

const std::string failure_event =
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
    "Name='Microsoft-Windows-Servicing' "
    "Guid='{BD12F3B8}'/><EventID>3</EventID><Version>0</Version><Level>2</Level><TimeCreated "
    "SystemTime='2026-11-22T06:00:00.0Z'/>"
    "<EventRecordID>77</EventRecordID><Correlation/></System><UserData><CbsPackageChangeState xmlns='http://manifests'>"
    "<PackageIdentifier>KB5035968</PackageIdentifier><IntendedPackageStateTextized>Installed</"
    "IntendedPackageStateTextized>"
    "<ErrorCode>0x800f0922</ErrorCode></CbsPackageChangeState></UserData></Event>";

TEST(EventList, HasWhoWhatAndData) {
  const auto found =
      events(failure_event +
             "\r\n<Event x='1'><System><Provider Name=\"Service Control Manager\"/><EventID Qualifiers='49152'>"
             "7031</EventID><Level>2</Level><EventRecordID>78</EventRecordID></System></Event>\r\n");
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].provider, "Microsoft-Windows-Servicing");
  EXPECT_EQ((*found)[0].id, 3U);
  EXPECT_EQ((*found)[0].level, 2U);
  EXPECT_EQ((*found)[0].record, 77U);
  EXPECT_EQ((*found)[0].time, "2026-11-22T06:00:00.0Z");
  EXPECT_EQ((*found)[0].data.at("PackageIdentifier"), "KB5035968");
  EXPECT_EQ((*found)[0].data.at("ErrorCode"), "0x800f0922");
  EXPECT_EQ((*found)[1].provider, "Service Control Manager");
  EXPECT_EQ((*found)[1].id, 7031U);
}

TEST(EventList, MayBeEmptyButNotCutOff) {
  EXPECT_TRUE(events("\r\n")->empty());
  for (std::size_t cut = 1; cut < failure_event.size(); ++cut)
    EXPECT_FALSE(events(failure_event.substr(0, cut))) << cut;
  EXPECT_FALSE(events("Failed to read events. Access is denied.\r\n"));
}

TEST(InstallerCodes, HaveAShortForm) {
  EXPECT_EQ(packed_guid("{23170F69-40C1-2702-1900-000001000000}"), "96F071321C0420729100000010000000");
  EXPECT_EQ(unpacked_guid("96F071321C0420729100000010000000"), "{23170F69-40C1-2702-1900-000001000000}");
  EXPECT_EQ(unpacked_guid(packed_guid("{0a1B2c3D-4e5F-6071-8293-A4b5C6d7E8f9}")),
            "{0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9}");
  for (const auto* text : {"", "{x}", "(Default)", "96F071321C042072910000001000000G"}) {
    EXPECT_EQ(packed_guid(text), "");
    EXPECT_EQ(unpacked_guid(text), "");
  }
}

TEST(AgentProof, Takes64BitProgramsOnly) {
  EXPECT_TRUE(proves_64_bit("PROCESSOR_ARCHITECTURE=AMD64\r\n"));
  const auto wow = proves_64_bit("PROCESSOR_ARCHITECTURE=x86\r\nPROCESSOR_ARCHITEW6432=AMD64\r\n");
  ASSERT_FALSE(wow);
  EXPECT_EQ(wow.error().error_class, ErrorClass::configuration);
  EXPECT_EQ(wow.error().message,
            "the guest agent is a x86 program on AMD64 Windows: it sees other folders and another registry");
  EXPECT_FALSE(proves_64_bit("PROCESSOR_ARCHITECTURE=x86\r\n"));
  EXPECT_FALSE(proves_64_bit(""));
  EXPECT_FALSE(proves_64_bit("garbage\r\n"));
}

TEST(InterfaceList, IsPerMac) {
  const auto found =
      addresses(Json::parse(R"([{"name": "Ethernet", "hardware-address": "52:54:00:00:00:01", "ip-addresses":
      [{"ip-address": "fe80::1%3", "prefix": 64}, {"ip-address": "10.0.0.1", "prefix": 24}]},
      {"name": "Ethernet 2", "hardware-address": "52:54:00:00:00:02"}, {"name": "Loopback", "ip-addresses": []}])"));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_THAT(*found,
              ElementsAre("52:54:00:00:00:01 10.0.0.1/24", "52:54:00:00:00:01 fe80::1/64", "52:54:00:00:00:02"));
  EXPECT_FALSE(addresses(Json::array()));
  EXPECT_FALSE(addresses(Json::parse(R"([{"hardware-address": "a", "ip-addresses": [{"ip-address": "1"}]}])")));
  EXPECT_FALSE(addresses(Json("x")));
}

TEST(AccessRights, AreSddlInUtf16) {
  EXPECT_EQ(sddl(utf16(u"config\r\nD:PAI(A;OICI;FA;;;SY)\r\n")).value_or(""), "D:PAI(A;OICI;FA;;;SY)");
  EXPECT_FALSE(sddl(utf16(u"config\r\n")));
  EXPECT_FALSE(sddl(""));
  EXPECT_FALSE(sddl("Zugriff verweigert"));
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
