// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ldap/netlogon.hpp"

#include <gmock/gmock.h>

#include "checks/hex.hpp"
#include "checks/ldap/locator.hpp"

namespace patchlab::checks::ldap {
namespace {

using ::testing::Contains;
using ::testing::Not;

std::string bytes(std::initializer_list<int> list) {
  std::string text;
  for (const int one : list) text += static_cast<char>(one);
  return text;
}

// As a controller of [MS-ADTS] 6.3.1.9 says it, with pointers to names before: dc1.office.example stands on the domain
// at 24, and the computer has a name of 15 characters.
std::string reply(const std::string& tail = bytes({6, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF})) {
  std::string text = bytes({23, 0, 0, 0, 0xFD, 0xF3, 0, 0});
  text += std::string(16, 'g');
  text += bytes({6}) + "office" + bytes({7}) + "example" + bytes({0});  // forest, at 24
  text += bytes({0xC0, 24});                                            // domain
  text += bytes({15}) + "controller-nine" + bytes({0xC0, 24});          // host, at 42
  text += bytes({6}) + "OFFICE" + bytes({0});
  text += bytes({15}) + "CONTROLLER-NINE" + bytes({0});
  text += bytes({0});                                            // user
  text += bytes({23}) + "Default-First-Site-Name" + bytes({0});  // at 86
  text += bytes({0xC0, static_cast<int>(text.size()) - 25});     // the client's is the same
  return text + tail;
}

TEST(NetlogonReply, IsReadToItsLastByte) {
  const auto said = located_in(reply());
  ASSERT_TRUE(said);
  EXPECT_EQ(said->forest, "office.example");
  EXPECT_EQ(said->domain, "office.example");
  EXPECT_EQ(said->host, "controller-nine.office.example");
  EXPECT_EQ(said->netbios_domain, "OFFICE");
  EXPECT_EQ(said->netbios_name, "CONTROLLER-NINE");
  EXPECT_EQ(said->user, "");
  EXPECT_EQ(said->site, "Default-First-Site-Name");
  EXPECT_EQ(said->client_site, "Default-First-Site-Name");
  EXPECT_THAT(said->flags, Contains("kdc"));
  EXPECT_THAT(said->flags, Not(Contains("ndnc")));
  EXPECT_FALSE(located_in(reply() + "x"));
  EXPECT_FALSE(located_in(reply(bytes({6, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFE}))));
  const auto whole = reply();
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(located_in(whole.substr(0, size))) << size;
}

// As Samba 4.17 said it, entry and end in one datagram.
TEST(NetlogonReply, OfSambaIsRead) {
  const auto datagram = from_hex(
      "307a020101647504003071306f04086e65746c6f676f6e3163046117000000bd110000310d11b9d77aea4d9ae76c533f0c51d7"
      "066f6666696365076578616d706c6500c01803646331c018064f4646494345000344433100001744656661756c742d46697273"
      "742d536974652d4e616d6500c03e05000000ffffffff300c02010165070a010004000400");
  ASSERT_TRUE(datagram);
  const auto reply = locator_reply_in(*datagram);
  ASSERT_TRUE(reply);
  ASSERT_TRUE(reply->netlogon);
  const auto said = located_in(*reply->netlogon);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->host, "dc1.office.example");
  EXPECT_EQ(said->netbios_name, "DC1");
  EXPECT_EQ(said->client_site, "Default-First-Site-Name");
  EXPECT_EQ(said->flags, (std::vector<std::string>{"closest", "ds", "full-secret-domain-6", "gc", "kdc", "ldap", "pdc",
                                                   "writable"}));
}

TEST(NetlogonReply, FollowsNoPointerOnOrToItself) {
  const auto with_forest = [](const std::string& forest) {
    auto text = reply();
    return text.substr(0, 24) + forest + text.substr(40);
  };
  EXPECT_FALSE(located_in(with_forest(bytes({0xC0, 24}))));
  EXPECT_FALSE(located_in(with_forest(bytes({0xC0, 60}))));
  EXPECT_FALSE(located_in(with_forest(bytes({1, 'a', 0xC0, 24}))));
  EXPECT_FALSE(located_in(with_forest(bytes({0x80, 1, 'a', 0}))));
  EXPECT_FALSE(located_in(std::string(5000, '\0')));
}

// What tells others apart from the question and the answers: id and end of LDAP's messages.
TEST(LocatorMessages, AreOfLdap) {
  const auto asked = locator_request(7, "office.example");
  ASSERT_TRUE(asked);
  EXPECT_THAT(*asked, ::testing::StartsWith(bytes({0x30})));
  EXPECT_THAT(*asked, ::testing::HasSubstr("DnsDomain"));
  EXPECT_THAT(*asked, ::testing::HasSubstr(bytes({4, 8}) + "Netlogon"));
  // SearchResultDone alone: it is no controller of that domain.
  const auto none = locator_reply_in(bytes({0x30, 12, 2, 1, 7, 0x65, 7, 10, 1, 0, 4, 0, 4, 0}));
  ASSERT_TRUE(none);
  EXPECT_EQ(none->id, 7);
  EXPECT_FALSE(none->netlogon);
  const auto entry =
      bytes({0x30, 27, 2, 1, 7, 0x64, 22, 4, 0, 0x30, 18, 0x30, 16, 4, 8}) + "netlogon" + bytes({0x31, 4, 4, 2}) + "ab";
  const auto some = locator_reply_in(entry);
  ASSERT_TRUE(some);
  EXPECT_EQ(some->netlogon, "ab");
  for (std::size_t size = 0; size < entry.size(); ++size) EXPECT_FALSE(locator_reply_in(entry.substr(0, size))) << size;
  EXPECT_FALSE(locator_reply_in(*asked)) << "a question is no answer";
}

TEST(LocatorJudge, ComparesWhatIsSaidOfTheController) {
  const auto judged = [](const Json& with, const Json& netlogon) {
    return locator().judge(with, {{"server", "10.30.0.10:389"},
                                  {"requests", 1},
                                  {"errno", 0},
                                  {"strays", Json::array()},
                                  {"netlogon", netlogon}});
  };
  const Json said = to_hex(reply());
  const Json with{{"domain", "office.example"}};
  const auto also = [&](const Json& more) {
    auto all = with;
    all.update(more);
    return all;
  };
  EXPECT_EQ(judged(with, said).outcome, Outcome::pass);
  EXPECT_EQ(judged(also({{"netbios_name", "controller-nine"}, {"flags", {"kdc"}}}), said).outcome, Outcome::pass);
  EXPECT_EQ(judged(also({{"netbios_name", "CONTROLLER-NIN"}}), said).reason, "netbios-name-differs");
  EXPECT_EQ(judged(also({{"host", "dc2.office.example"}}), said).reason, "host-differs");
  EXPECT_EQ(judged(also({{"site", "Branch"}}), said).reason, "site-differs");
  EXPECT_EQ(judged(also({{"flags", {"ndnc"}}}), said).reason, "flag-missing");
  EXPECT_EQ(judged({{"domain", "other.example"}}, said).reason, "domain-differs");
  EXPECT_EQ(judged(with, nullptr).reason, "not-of-the-domain");
  EXPECT_EQ(judged(with, "00").reason, "malformed-reply");
  const Json silent{{"server", "10.30.0.10:389"}, {"requests", 3}, {"errno", 110}, {"strays", Json::array()}};
  EXPECT_EQ(locator().judge(with, silent).reason, "no-answer");
  const Json answer{{"server", "a"}, {"requests", 1}, {"errno", 0}, {"strays", Json::array()}, {"netlogon", said}};
  const auto learnt = locator().expecting(with, answer);
  ASSERT_TRUE(learnt);
  EXPECT_EQ(learnt->at("netbios_name"), "CONTROLLER-NINE");
}

}  // namespace
}  // namespace patchlab::checks::ldap
