// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/address.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::network {
namespace {
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Ipv4 ip(const std::string& text) { return *Ipv4::parse(text); }
Ipv4Subnet net(const std::string& text) { return *Ipv4Subnet::parse(text); }

TEST(Ipv4, ReadsAndWritesFourNumbers) {
  EXPECT_EQ(ip("10.20.0.250").value(), 0x0A1400FAU);
  for (const std::string text : {"0.0.0.0", "10.20.0.250", "255.255.255.255"}) EXPECT_EQ(ip(text).text(), text);
}

TEST(Ipv4, RefusesEverythingElse) {
  for (const std::string bad : {"", "10.20.0", "10.20.0.1.2", "10.20.0.256", "10.20.0.01", "10.20.0.-1", "10.20.0.1 ",
                                "a.b.c.d", "10..0.1", "10.20.0.1/24", "::1", "10.20.0.+1", "10.20.0.0x1"}) {
    EXPECT_FALSE(Ipv4::parse(bad)) << bad;
  }
  EXPECT_EQ(Ipv4::parse("10.20").error().message, "'10.20' is not an IPv4 address such as 10.20.0.10");
}

TEST(Ipv4Subnet, KnowsWhatItContains) {
  const auto subnet = net("10.20.0.0/24");
  EXPECT_TRUE(subnet.contains(ip("10.20.0.0")));
  EXPECT_TRUE(subnet.contains(ip("10.20.0.255")));
  EXPECT_FALSE(subnet.contains(ip("10.20.1.0")));
  EXPECT_EQ(subnet.broadcast(), ip("10.20.0.255"));
  EXPECT_EQ(net("10.0.0.0/8").broadcast(), ip("10.255.255.255"));
  EXPECT_EQ(subnet.text(), "10.20.0.0/24");
}

TEST(Ipv4Subnet, RefusesHostBitsAndStrangePrefixes) {
  EXPECT_EQ(Ipv4Subnet::parse("10.20.0.5/24").error().message,
            "'10.20.0.5/24' has host bits set; the subnet is 10.20.0.0/24");
  for (const std::string bad :
       {"10.20.0.0", "10.20.0.0/", "10.20.0.0/0", "10.20.0.0/31", "10.20.0.0/33", "10.20.0.0/08", "x/24"}) {
    EXPECT_FALSE(Ipv4Subnet::parse(bad)) << bad;
  }
}

TEST(MacAddress, ReadsAndWrites) {
  EXPECT_EQ(MacAddress::parse("52:54:00:AB:cd:0F")->text(), "52:54:00:ab:cd:0f");
  for (const std::string bad :
       {"", "52:54:00:ab:cd", "52:54:00:ab:cd:0f:11", "52:54:00:ab:cd:g0", "525400abcd0f", "52:54:00:ab:cd:f"}) {
    EXPECT_FALSE(MacAddress::parse(bad)) << bad;
  }
}

TEST(MacAddress, OfALabMachineFollowsItsAddress) {
  EXPECT_EQ(MacAddress::of_lab_machine(ip("10.20.0.10")).text(), "52:54:00:14:00:0a");
}

AddressPlan good_plan() {
  return {
      net("10.20.0.0/24"), ip("10.20.0.1"), ip("10.20.0.250"), {{"dns", ip("10.20.0.10")}, {"mail", ip("10.20.0.14")}}};
}

TEST(ProblemsIn, FindsNothingWrongWithAGoodPlan) { EXPECT_THAT(problems_in(good_plan()), IsEmpty()); }

TEST(ProblemsIn, FindsAddressesOutsideTheSubnet) {
  auto plan = good_plan();
  plan.machines[1].address = ip("10.21.0.14");
  EXPECT_THAT(problems_in(plan),
              ElementsAre(AddressProblem{"mail", "address 10.21.0.14 is outside the subnet 10.20.0.0/24"}));
}

TEST(ProblemsIn, FindsTheNetworkAndBroadcastAddresses) {
  auto plan = good_plan();
  plan.gateway = ip("10.20.0.0");
  plan.client = ip("10.20.0.255");
  EXPECT_THAT(
      problems_in(plan),
      ElementsAre(AddressProblem{"gateway", "address 10.20.0.0 is the network or broadcast address of 10.20.0.0/24"},
                  AddressProblem{"client", "address 10.20.0.255 is the network or broadcast address of 10.20.0.0/24"}));
}

TEST(ProblemsIn, FindsAddressesUsedTwice) {
  auto plan = good_plan();
  plan.machines.push_back({"file", ip("10.20.0.10")});
  plan.machines.push_back({"print", ip("10.20.0.1")});
  EXPECT_THAT(problems_in(plan),
              ElementsAre(AddressProblem{"file", "address 10.20.0.10 is already that of 'dns'"},
                          AddressProblem{"print", "address 10.20.0.1 is already that of 'gateway'"}));
}

}  // namespace
}  // namespace patchlab::lab::network
