// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/net/address.hpp"

#include <gtest/gtest.h>

namespace patchlab::net {
namespace {

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

}  // namespace
}  // namespace patchlab::net
