// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "checks/learn/learn.hpp"
#include "lab/core/names.hpp"

namespace patchlab::checks::learn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LearntNames, AreThoseThatAScenarioTakesWhateverTheyAreMadeOf) {
  EXPECT_EQ(check_name("corp.example-MX"), "corp-example-mx");
  EXPECT_EQ(check_name("20.10.in-addr.arpa"), "of-20-10-in-addr-arpa");
  for (const std::string text : {"", "-", "....", "\xff\xfe", "ä", "Über", "a-", "_ldap._tcp", "9"})
    EXPECT_TRUE(is_scenario_name(check_name(text))) << text << ": " << check_name(text);
  EXPECT_TRUE(is_scenario_name(check_name(std::string(500, 'x') + "-")));
  EXPECT_TRUE(is_scenario_name(check_name(std::string(30, 'x') + "--y")));
}

TEST(LearntNames, AreEachUsedOnce) {
  std::set<std::string> taken{"mx"};
  EXPECT_EQ(free_name("mx", taken), "mx-2");
  EXPECT_EQ(free_name("mx", taken), "mx-3");
  const std::string longest(31, 'x');
  EXPECT_EQ(free_name(longest, taken), longest);
  EXPECT_EQ(free_name(longest, taken), std::string(29, 'x') + "-2");
}

Answers listening(const std::string& table) { return {{"listeners", {0, table, {}}}}; }

TEST(LearntListeners, AreThoseThatOthersReach) {
  const auto answers = listening(
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
      "   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
      "   1: 00000000:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
      "   2: 0A00140A:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n"
      "   3: 0A00140A:0035 0B00140A:9C40 01 00000000:00000000 00:00000000 00000000     0\n"
      "   0: 00000000000000000000000001000000:03BB 00000000000000000000000000000000:0000 0A 0\n"
      "   1: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 0\n");
  EXPECT_THAT(open_tcp_ports(answers), ElementsAre(22, 53, 3000));
  EXPECT_EQ(listeners().drafts({}, answers).not_learnt.size(), 2U) << "22 and 3000";
}

TEST(LearntListeners, NonsenseIsNoPort) {
  for (const char* table :
       {"", "a b c 0A", "0: 00000000 x 0A", "0: 00000000:10000 x 0A", "0: 00000000:zz x 0A", "\n\n"})
    EXPECT_THAT(open_tcp_ports(listening(table)), IsEmpty()) << table;
  EXPECT_THAT(open_tcp_ports({{"listeners", {1, "0: 00000000:0035 x 0A", {}}}}), IsEmpty());
}

}  // namespace
}  // namespace patchlab::checks::learn
