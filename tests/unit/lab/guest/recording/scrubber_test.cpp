// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/scrubber.hpp"

#include <ctime>
#include <random>

#include "lab/core/text.hpp"
#include "lab/core/utf16.hpp"
#include "lab/guest/recording/code_page.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/lab/guest/recording/recording_test_support.hpp"

namespace patchlab::lab::guest::recording {
namespace {
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string wide(std::string_view utf8) {
  std::string bytes;
  for (const auto unit : to_utf16(utf8)) {
    bytes += static_cast<char>(unit & 0xFFU);
    bytes += static_cast<char>(unit >> 8U);
  }
  return bytes;
}

std::string digits_of(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02X}", static_cast<unsigned char>(byte));
  return text;
}

FoundName named(NameKind kind, const std::string& text) { return {kind, text, "a rule"}; }

std::string replacement_of(const Scrubber& scrubber, const std::string& text) {
  const auto found = std::ranges::find(scrubber.replacements(), text, &Replacement::text);
  return found == scrubber.replacements().end() ? "(none)" : found->by;
}

struct Written {
  std::string name;
  std::string by;  // what must stand in its place
};
// Every way in which a name may be written, and its replacement likewise.
std::vector<Written> written(const std::string& name, const std::string& by) {
  std::vector<Written> all{{wide(name), wide(by)},
                           {digits_of(wide(name)), digits_of(wide(by))},
                           {lower_case(digits_of(wide(name))), lower_case(digits_of(wide(by)))},
                           {digits_of(name), digits_of(by)},
                           {name, by}};
  for (const auto* page : {"437", "850", "866", "932", "1251", "1252"}) {
    if (auto bytes = in_code_page(name, page)) all.push_back({*bytes, by});
  }
  return all;
}

TEST(Scrubber, ReplacesANameInEveryEncodingByOneOfTheSameLength) {
  for (const auto* name : {"srv-dns01", "m.müller", "иван", "田中太郎", "contoso gmbh", "ölmüller2"}) {
    Scrubber scrubber({named(NameKind::user, name)}, {"850"});
    const auto by = replacement_of(scrubber, name);
    EXPECT_EQ(to_utf16(by).size(), to_utf16(name).size()) << name;
    for (const auto& [bytes, instead] : written(name, by)) {
      EXPECT_EQ(scrubber.scrub("\x01x=" + bytes + ";\xFE"), "\x01x=" + instead + ";\xFE")
          << name << " as " << digits_of(bytes);
    }
  }
}

// As in tests/golden/transcripts/reg-shares.txt.
TEST(Scrubber, KnowsTheSecondValueOfARegistryValueThatHasSeveral) {
  const std::string line = "    IPAddress    REG_MULTI_SZ    10.20.0.10\\010.20.0.11\\0SRV7\r\n";
  Scrubber scrubber({named(NameKind::ipv4, "10.20.0.11"), named(NameKind::host, "SRV7")}, {});
  const auto scrubbed = scrubber.scrub(line);
  EXPECT_THAT(scrubbed, Not(HasSubstr("10.20.0.11")));
  EXPECT_THAT(scrubbed, Not(HasSubstr("SRV7")));
  EXPECT_THAT(scrubbed, HasSubstr("10.20.0.10\\0"));
}

TEST(Scrubber, KeepsTheCaseOfANameAndKnowsItInAny) {
  Scrubber scrubber({named(NameKind::host, "Srv-Dns01"), named(NameKind::user, "Müller")}, {});
  const auto host = replacement_of(scrubber, "Srv-Dns01");
  EXPECT_EQ(host, "hostxxxx1");
  EXPECT_EQ(scrubber.scrub("SRV-DNS01 srv-dns01 Srv-Dns01"), "HOSTXXXX1 hostxxxx1 HostXxxx1");
  EXPECT_EQ(scrubber.scrub("MÜLLER müller"), "USERX1 userx1");
  // Code page 850, and 1252.
  EXPECT_EQ(scrubber.scrub("M\x9ALLER m\x81ller M\xDCLLER"), "USERX1 userx1 USERX1");
}

TEST(Scrubber, LeavesWordsAloneInWhichANameHappensToBe) {
  Scrubber scrubber({named(NameKind::domain, "corp"), named(NameKind::host, "dc1")}, {});
  EXPECT_EQ(scrubber.scrub("CORP\\x, Microsoft Corporation, corp.example, 0adc1b, dc1, dc12"),
            "DOM1\\x, Microsoft Corporation, dom1.example, 0adc1b, ho1, dc12");
  const auto& corp = scrubber.replacements().front();
  EXPECT_EQ(corp.places, 2U);
  EXPECT_EQ(corp.in_words, 1U);
  EXPECT_THAT(corp.words, ElementsAre("Corporation"));
  // Two words in one are told by their capitals, where the name is long enough not to be a part of any.
  Scrubber joined({named(NameKind::domain, "contoso"), named(NameKind::user, "4711")}, {});
  EXPECT_EQ(joined.scrub("ContosoAgent MyContoso contosoagent CONTOSOAGENT 4711"),
            "Domxxx1Agent MyDomxxx1 contosoagent CONTOSOAGENT 4711");
  EXPECT_EQ(joined.scrub(wide("ContosoAgent")), wide("Domxxx1Agent"));
  EXPECT_THAT(joined.replacements().front().words, ElementsAre("contosoagent", "CONTOSOAGENT"));
  EXPECT_EQ(joined.replacements().back().stays, "only digits: it would be found in numbers");
  // A name that is nobody else's is replaced wherever it stands.
  Scrubber unlike({named(NameKind::host, "SRV01")}, {});
  EXPECT_EQ(unlike.scrub("clusterSRV01x"), "clusterHOST1x");
}

TEST(Scrubber, SaysWhatItLeavesAndWhy) {
  Scrubber scrubber({named(NameKind::user, "al"), named(NameKind::host, "dns"), named(NameKind::user, "Services")}, {});
  EXPECT_EQ(scrubber.scrub("al dns Services"), "al dns Services");
  for (const auto& one : scrubber.replacements()) {
    EXPECT_EQ(one.by, "");
    EXPECT_NE(one.stays, "") << one.text;
  }
  Scrubbed all;
  all.replacements = scrubber.replacements();
  EXPECT_THAT(list_of_replacements(all), HasSubstr("host   dns STAYS: a word of Windows itself"));
}

TEST(Scrubber, GivesAddressesOthersThatNobodyHas) {
  Scrubber scrubber({named(NameKind::ipv4, "10.20.0.10"), named(NameKind::ipv4, "10.20.0.250"),
                     named(NameKind::ipv4, "192.0.2.7"), named(NameKind::ipv6, "fe80::5054:ff:fe14:10"),
                     named(NameKind::ipv6, "2001:470:1::5"), named(NameKind::mac, "52:54:00:14:00:10")},
                    {});
  EXPECT_EQ(scrubber.scrub("TCP 10.20.0.10:53 10.20.0.250:1 (192.0.2.7)"),
            "TCP 198.18.1.10:53 198.18.1.250:1 (198.18.2.7)");
  EXPECT_EQ(scrubber.scrub("0.20.10.in-addr.arpa 30.0.20.10.in-addr.arpa"),
            "1.18.198.in-addr.arpa 30.1.18.198.in-addr.arpa");
  EXPECT_EQ(scrubber.scrub("[fe80::5054:ff:fe14:10%12]:139 2001:470:1::5"), "[fe80::1%12]:139 2001:db8::1");
  EXPECT_EQ(scrubber.scrub("52:54:00:14:00:10 52-54-00-14-00-10 525400140010"),
            "52:54:00:fe:00:01 52-54-00-fe-00-01 525400fe0001");
  EXPECT_EQ(scrubber.scrub(wide("10.20.0.10")), wide("198.18.1.10"));
  // Versions, and what is longer.
  const std::string others = "~10.20.0.10 110.20.0.10 10.20.0.101 10.20.0.10.5 v10.20.0.10";
  EXPECT_EQ(scrubber.scrub(others), others);
}

// [MS-DTYP] 2.4.2: the three numbers stand in little endian in what reg prints as digits.
TEST(Scrubber, KnowsASidAsTextAndInBinaryData) {
  Scrubber scrubber({named(NameKind::sid, "S-1-5-21-1-16909060-4294967295")}, {});
  EXPECT_EQ(scrubber.scrub("S-1-5-21-1-16909060-4294967295-500"), "S-1-5-21-1000000000-1000000000-1000000001-500");
  EXPECT_EQ(scrubber.scrub("0105000000000005150000000100000004030201FFFFFFFFF4010000"),
            "01050000000000051500000000CA9A3B00CA9A3B01CA9A3BF4010000");
  EXPECT_EQ(scrubber.scrub(std::string("\x15\0\0\0\x01\0\0\0\x04\x03\x02\x01\xFF\xFF\xFF\xFF", 16)),
            std::string("\x15\0\0\0\0\xCA\x9A\x3B\0\xCA\x9A\x3B\x01\xCA\x9A\x3B", 16));
  const std::string other = "S-1-5-21-1-16909060-42949672955 S-1-5-18";
  EXPECT_EQ(scrubber.scrub(other), other);
}

TEST(FoundNames, ComeFromWhereTheRulesSay) {
  const auto reply = [](const char* id, const std::string& output) {
    return Reply{id, "job", id, 0, Milliseconds(0), output, {}, {}, {}};
  };
  const auto names = names_in(
      {reply("name-host", "\r\nHKEY_LOCAL_MACHINE\\X\r\n    Hostname    REG_SZ    FIN-DNS1\r\n"),
       reply("name-domain", "    Domain    REG_SZ    ad.contoso.com\r\n"),
       reply("name-users",
             "HKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\Account\\Users\\Names\\J\x81rgen\r\n"
             "HKEY_LOCAL_MACHINE\\SAM\\SAM\\Domains\\Account\\Users\\Names\\Administrator\r\n"),
       reply("errors-system",
             "<Event><Computer>fin-dns1.ad.contoso.com</Computer><Security UserID='S-1-5-21-4-5-6-1104'/></Event>"),
       reply("services-account",
             "    ObjectName    REG_SZ    NT AUTHORITY\\LocalService\r\n"
             "    ObjectName    REG_SZ    CONTOSO\\svc-sql\r\n    ObjectName    REG_SZ    LocalSystem\r\n"
             "    ObjectName    REG_SZ    svc-web@ad.contoso.com\r\n"),
       reply("tasks",
             "<Author>Microsoft Corporation</Author><Author>CONTOSO\\mmuster</Author><UserId>S-1-5-18</UserId>"),
       reply("sockets",
             "  TCP    10.1.2.3:53   0.0.0.0:0   LISTENING  4\r\n  UDP 255.255.255.255:1 127.0.0.1:5\r\n"
             "    IPAddress    REG_MULTI_SZ    10.1.2.3\\010.1.2.4\r\n"),
       reply("products-64", "    DisplayVersion    REG_SZ    10.1.1.38\r\n"),
       reply("dns-list",
             "Enumerated zone list:\r\n\tZone count = 3\r\n\r\n Zone name      Type\r\n .        Cache\r\n"
             " 168.192.in-addr.arpa  Primary\r\n partner.fabrikam.com  Forwarder\r\n"),
       reply("dhcp-dump", "Dhcp Server \\\\dhcp7.ad.contoso.com Add Optiondef 0 mail.ad.contoso.com\r\n"),
       reply("events-system", "key VK7JG-NPHTM-C97JM-9MPGT-3V66T and it@example-corp.de\r\n")},
      shipped_rules(), "850");
  std::vector<std::string> found;
  for (const auto& name : names) found.push_back(fmt::format("{} {}", to_string(name.kind), name.text));
  EXPECT_THAT(found, ElementsAre("host FIN-DNS1", "domain ad", "domain contoso", "user Jürgen", "sid S-1-5-21-4-5-6",
                                 "user svc-sql", "user svc-web", "user mmuster", "ipv4 10.1.2.3", "ipv4 10.1.2.4",
                                 "domain partner", "domain fabrikam", "host dhcp7", "key VK7JG-NPHTM-C97JM-9MPGT-3V66T",
                                 "user it", "domain example-corp", "domain de", "host mail"));
}

std::vector<std::string> found_in(const std::vector<std::pair<const char*, std::string>>& outputs) {
  std::vector<Reply> replies;
  for (const auto& [id, output] : outputs) replies.push_back({id, "job", id, 0, Milliseconds(0), output, {}, {}, {}});
  std::vector<std::string> found;
  for (const auto& name : names_in(replies, shipped_rules(), "850"))
    found.push_back(fmt::format("{} {}", to_string(name.kind), name.text));
  return found;
}

// netsh dhcp server dump: address, hardware address, name and words of each reservation.
TEST(FoundNames, AreThoseOfReservations) {
  const std::string scope = "Dhcp Server \\\\10.1.0.1 Scope 10.1.0.0 ";
  EXPECT_THAT(
      found_in({{"dhcp-dump",
                 "Dhcp Server \\\\10.1.0.1 add scope 10.1.0.0 255.255.255.0 \"Xavier Office\" \"\"\r\n" + scope +
                     "Add reservedip 10.1.0.9 00505fAB12cd \"lp9.xavier.example\" \"of Mr Muster\" \"BOTH\"\r\n" +
                     scope + "Add reservedip 10.1.0.8 ff00505fab12ce01 \"The big printer\" \"\" \"DHCP\"\r\n" +
                     "Dhcp Server \\\\10.1.0.1 v4 Add Filter Allow 00-50-5f-01-02-03 \"cash desk\"\r\n" + scope +
                     "set optionvalue 15 STRING \"lan.fabrikam.example\"\r\n"}}),
      testing::UnorderedElementsAre("mac 00505fAB12cd", "name ff00505fab12ce01", "host lp9", "domain xavier",
                                    "name The big printer", "name of Mr Muster", "name cash desk", "name Xavier Office",
                                    "domain fabrikam", "ipv4 10.1.0.1", "ipv4 10.1.0.0", "ipv4 10.1.0.9",
                                    "ipv4 10.1.0.8", "mac 00-50-5f-01-02-03"));
}

// What wevtutil prints as text, with labels in any language, and what events say in words and data.
TEST(FoundNames, AreThoseOfUsersInEvents) {
  EXPECT_THAT(found_in({{"events-system",
                         "Event[0]:\r\n  Benutzer: S-1-5-21-1-2-3-1001\r\n  Benutzername: CONTOSO\\jmuster\r\n"
                         "  Computer: srv7.contoso.example\r\n  Beschreibung: \r\nx\r\n"
                         "Event[1]:\r\n  User: S-1-5-18\r\n  User Name: NT AUTHORITY\\SYSTEM\r\n  Computer: srv8\r\n"
                         "Event[2]:\r\n  User: N/A\r\n  User Name: N/A\r\n  Computer: srv8\r\n"
                         "Event[3]:\r\n  User Name: CONTOSO\\pmiller\r\n"},
                        {"events-application",
                         "\tAccount Name:\t\tadoe\r\n\tAccount Domain:\t\tFABRIKAM\r\n\tWorkstation Name:\tPC-77\r\n"},
                        {"errors-system",
                         "<Data Name='TargetUserName'>bdoe</Data><Data Name='SubjectDomainName'>NT "
                         "AUTHORITY</Data><Data Name='TargetDomainName'>TREY</Data>"}}),
              testing::UnorderedElementsAre("user jmuster", "domain CONTOSO", "host srv7", "host srv8", "user pmiller",
                                            "user adoe", "domain FABRIKAM", "host PC-77", "user bdoe", "domain TREY",
                                            "sid S-1-5-21-1-2-3"));
}

TEST(FoundNames, EndWhereNoNameCanGoOn) {
  EXPECT_THAT(found_in({{"events-system",
                         "\\\\srv7:445 refused; (\\\\srv8) and [\\\\srv9]. C:\\Users\\jmuster) (C:\\Users\\adoe) at "
                         "(52-54-00-14-00-10-)\r\n"}}),
              testing::UnorderedElementsAre("host srv7", "host srv8", "host srv9", "user jmuster", "user adoe",
                                            "mac 52-54-00-14-00-10"));
}

TEST(FoundNames, BelowADomainAreWhole) {
  EXPECT_THAT(found_in({{"events-system",
                         "<Computer>srv7.corp.example</Computer> sql_west.corp.example "
                         "m\xC3\xBCller-pc.corp.example\r\n"}}),
              testing::IsSupersetOf({"host srv7", "host sql_west", "host m\xC3\xBCller-pc"}));
}

// A machine may be called as this program calls those that it makes up.
TEST(Scrubber, ReplacesNamesThatLookMadeUp) {
  Scrubber scrubber(
      {named(NameKind::host, "host12"), named(NameKind::user, "user1"), named(NameKind::domain, "domxxx1"),
       named(NameKind::mac, "52:54:00:fe:00:01"), named(NameKind::ipv4, "198.18.1.7"),
       named(NameKind::sid, "S-1-5-21-1000000000-1000000000-1000000001"),
       named(NameKind::guid, "00000001-0000-4000-8000-000000000000"), named(NameKind::ipv6, "2001:db8::1")},
      {});
  const std::string text =
      "host12 USER1 domxxx1 52-54-00-FE-00-01 198.18.1.7 S-1-5-21-1000000000-1000000000-1000000001-500 "
      "{00000001-0000-4000-8000-000000000000} 2001:db8::1";
  const auto scrubbed = scrubber.scrub(text);
  EXPECT_EQ(scrubbed,
            "hostx1 USER2 domxxx2 52-54-00-fe-00-02 198.18.2.7 "
            "S-1-5-21-1000000000-1000000000-1000000002-500 {00000002-0000-4000-8000-000000000000} "
            "2001:db8::2");
  EXPECT_EQ(scrubber.scrub(scrubbed), scrubbed);
}

TEST(Scrubber, HasAnotherNameForEachOfManyOfOneLength) {
  std::vector<FoundName> names;
  for (int i = 0; i < 4200; ++i) names.push_back(named(NameKind::user, fmt::format("u{:06}", i)));
  const Scrubber scrubber(names, {});
  std::set<std::string> made;
  for (const auto& one : scrubber.replacements()) {
    EXPECT_EQ(one.stays, "");
    EXPECT_TRUE(made.insert(one.by).second) << one.by;
  }
}

// What a byte costs does not depend on how many names there are.
TEST(Scrubber, TakesNoLongerForMoreNames) {
  const auto seconds = [](std::size_t count) {
    std::vector<FoundName> names;
    for (std::size_t i = 0; i < count; ++i)
      names.push_back(named(NameKind::host, fmt::format("srv-{:05}-{}", i, i % 7 == 0 ? "west" : "east")));
    std::string text;
    while (text.size() < 300'000) text += "srv-x srv-0 srv-123 CN=srv-99999-north,DC=Server\r\n";
    Scrubber scrubber(names, {});
    const auto start = std::clock();
    EXPECT_EQ(scrubber.scrub(text), text);
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  const auto few = seconds(10);
  EXPECT_LT(seconds(2000), few * 10 + 0.1);
}

// Adversarial: names that are in each other, in what replaces them, and at all kinds of borders.
TEST(Scrubber, NeverLeavesANameAndChangesNothingTheSecondTime) {
  std::mt19937 random(20261130);
  const auto pick = [&](std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random); };
  const std::vector<std::string> parts{"a",    "corp", "dc", "1",   "2", "x", "-", "host",
                                       "user", "ü",    "и",  "srv", "q", "9", "_"};
  const std::vector<NameKind> kinds{NameKind::host, NameKind::domain, NameKind::user, NameKind::other};
  for (int round = 0; round < 60; ++round) {
    std::vector<FoundName> names;
    for (std::size_t i = 0; i < 6; ++i) {
      std::string text;
      for (std::size_t part = 0; part < 2 + pick(3); ++part) text += parts[pick(parts.size())];
      if (std::ranges::none_of(names, [&](const auto& name) { return lower_case(name.text) == lower_case(text); }))
        names.push_back(named(kinds[pick(kinds.size())], text));
    }
    Scrubber scrubber(names, {"850"});
    // No two names become one.
    std::set<std::string> others;
    for (const auto& one : scrubber.replacements()) {
      if (one.stays.empty()) EXPECT_TRUE(others.insert(one.by).second) << one.text << " -> " << one.by;
    }
    for (int text = 0; text < 20; ++text) {
      std::string bytes;
      for (std::size_t i = 0; i < 12; ++i) {
        const auto& name = names[pick(names.size())].text;
        const std::vector<std::string> pieces{
            name, upper_case(name), wide(name),          digits_of(wide(name)), " ", "\\", ".", "\r\n", "z",
            "0",  "\xFF",           std::string(1, '\0')};
        bytes += pieces[pick(pieces.size())];
      }
      const auto once = scrubber.scrub(bytes);
      EXPECT_EQ(scrubber.scrub(once), once);
      for (const auto& one : scrubber.replacements()) {
        if (!one.stays.empty()) continue;
        // Between blanks it is found in every encoding, whatever stands around that.
        for (const auto& [name, by] : written(one.text, one.by)) {
          const auto& alone = scrubber.scrub(" " + name + " ");
          EXPECT_EQ(alone.find(name), std::string::npos) << one.text << " in " << digits_of(alone);
        }
      }
    }
  }
}

TEST_F(RecordingTest, IsScrubbedOfEveryNameAndUnderstoodAsBefore) {
  windows.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\FinApp", "ObjectName", "REG_SZ",
                       "CONTOSO\\svc-fin01");
  windows.tasks["\\Backup of srv2012"] = windows.tasks.begin()->second;
  windows.extra_events =
      "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='X'/>"
      "<EventID>7</EventID><Level>2</Level><TimeCreated SystemTime='2026-11-22T06:00:00.000000000Z'/>"
      "<EventRecordID>5</EventRecordID><Computer>SRV2012.ad.contoso.com</Computer>"
      "<Security UserID='S-1-5-21-11-22-33-1001'/></System><EventData><Data>MMUSTER at "
      "10.20.0.2</Data></EventData></Event>\r\n";
  const auto names = asked(name_questions());
  const auto raw = recorded();
  const auto result = scrubbed(raw, names, shipped_rules());
  std::string everything;
  for (const auto& reply : result.recording.replies) {
    everything += reply.output + reply.errors + reply.file.value_or("");
    EXPECT_EQ(reply.line, std::ranges::find(raw.replies, reply.id, &Reply::id)->line);
  }
  const auto lower = lower_case(everything);
  for (const auto* name : {"srv2012", "contoso", "jdoe", "mmuster", "svc-fin01", "s-1-5-21-11-22-33", "10.20.0.",
                           "52:54:00:14:00:10", "fe80::5054:ff"})
    EXPECT_EQ(lower.find(name), std::string::npos) << name;
  const auto before = understanding_of(raw);
  const auto after = understanding_of(result.recording);
  EXPECT_TRUE(after.is_whole());
  EXPECT_EQ(after.views, before.views);
  EXPECT_EQ(after.state.services, before.state.services);
  EXPECT_EQ(after.state.error_kinds, before.state.error_kinds);
  EXPECT_EQ(after.boot_id, before.boot_id);
  EXPECT_THAT(after.state.listeners, Contains("tcp 0.0.0.0:53 dns.exe"));
  for (const auto& [kind, rows] : before.state.rows) EXPECT_EQ(after.state.rows.at(kind).size(), rows.size()) << kind;
  EXPECT_FALSE(result.recording.scrubbed.empty());
  // The list has the names, the recording only how many there were.
  EXPECT_THAT(list_of_replacements(result), HasSubstr("srv2012 -> hostxx1"));
  for (const auto& count : result.recording.scrubbed) EXPECT_GT(count.places, 0U) << count.rule;
}

TEST_F(RecordingTest, IsNotChangedByBeingScrubbedAgain) {
  const auto names = asked(name_questions());
  const auto once = scrubbed(recorded(), names, shipped_rules());
  const auto again = scrubbed(once.recording, {}, shipped_rules());
  EXPECT_EQ(again.recording, once.recording);
}

TEST_F(RecordingTest, IsScrubbedOfNamesThatLookMadeUpWhereNothingWasScrubbedBefore) {
  windows.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters", "Hostname", "REG_SZ", "host12");
  windows.tasks["\\Backup of host12"] = windows.tasks.begin()->second;
  const auto once = scrubbed(recorded(), asked(name_questions()), shipped_rules());
  for (const auto& reply : once.recording.replies)
    EXPECT_EQ(lower_case(reply.output).find("host12"), std::string::npos) << reply.id;
  EXPECT_TRUE(once.recording.replaced_by.contains("hostx1"));
}

TEST_F(RecordingTest, SaysWhichNamesCouldNotBeLearned) {
  auto names = asked(name_questions());
  auto whole = scrubbed(recorded(), names, shipped_rules());
  EXPECT_THAT(whole.not_learned, IsEmpty());
  EXPECT_TRUE(whole.is_whole());
  EXPECT_THAT(list_of_replacements(whole), Not(HasSubstr("could not be learned")));
  const auto reply = [&](const char* id) -> Reply& { return *std::ranges::find(names, id, &Reply::id); };
  reply("name-profiles") = {"name-profiles", "job", "reg", 0, Milliseconds(0), {}, {}, {}, "did not end in time"};
  reply("name-users").exit_code = 1;
  reply("name-users").output = "ERROR: Access is denied.\r\n";
  reply("name-host").output = "\r\nHKEY_LOCAL_MACHINE\\X\r\n";
  std::erase_if(names, [](const auto& one) { return one.id == "name-domain"; });
  const auto less = scrubbed(recorded(), names, shipped_rules());
  EXPECT_THAT(less.not_learned,
              ElementsAre("name-host: no name was found in the reply", "name-domain: it was not asked",
                          "name-users: ended with 1: ERROR: Access is denied.", "name-profiles: did not end in time"));
  EXPECT_FALSE(less.is_whole());
  EXPECT_THAT(list_of_replacements(less), HasSubstr("Names that could not be learned"));
  EXPECT_THAT(list_of_replacements(less), HasSubstr("name-users: ended with 1: ERROR: Access is denied.\n"));
}

TEST_F(RecordingTest, TakesFurtherWordsLater) {
  windows.tasks["\\Nightly of Fabrikam"] = windows.tasks.begin()->second;
  auto rules = shipped_rules();
  const auto once = scrubbed(recorded(), {}, rules);
  rules.words.push_back({NameKind::other, "fabrikam"});
  const auto again = scrubbed(once.recording, {}, rules);
  const auto tasks = understanding_of(again.recording).state.rows.at("task");
  EXPECT_TRUE(tasks.contains("\\Nightly of Namexxx1"));
}

TEST_F(RecordingTest, SaysWhatStillLooksLikeAnAddress) {
  windows.products["{00000000-0000-0000-0000-000000000001}"] = "10.1.1.38";
  const auto result = scrubbed(recorded(), {}, shipped_rules());
  EXPECT_THAT(result.suspects, Contains("10.1.1.38 in products-64"));
  EXPECT_THAT(list_of_replacements(result), HasSubstr("10.1.1.38 in products-64"));
  // What a version looks like stays what it is.
  EXPECT_EQ(understanding_of(result.recording).views.products.at("{00000000-0000-0000-0000-000000000001}"),
            "10.1.1.38");
}

TEST(ScrubRules, SayWhatIsWrongWithThem) {
  const test::TemporaryFolder folder;
  const auto file = folder.write("rules.json", R"({"schema": "patchlab/recording-rules/v1",
    "take": [{"id": "a", "kind": "person", "after": "x", "until": "y"}, {"id": "a", "kind": "user", "after": "", "until": "y"}],
    "forms": [{"id": "b", "form": "ip"}], "words": [{"kind": "user", "text": "al"}], "more": 1})");
  const auto rules = read_scrub_rules(file);
  ASSERT_FALSE(rules);
  for (const auto* said : {"/take/0/kind", "/take/1/id", "/take/1/after", "/forms/0/form", "/words/0/text", "more"})
    EXPECT_THAT(rules.error().message, HasSubstr(said));
}
}  // namespace
}  // namespace patchlab::lab::guest::recording
