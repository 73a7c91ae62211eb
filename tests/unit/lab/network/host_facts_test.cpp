// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/host_facts.hpp"

#include <gmock/gmock.h>

namespace patchlab::lab::network {
namespace {
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(HostFacts, FindsDefaultGatewaysInTheRouteTable) {
  EXPECT_THAT(default_gateways4("Iface\tDestination\tGateway \tFlags\n"
                                "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\n"
                                "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\n"
                                "wlan0\t00000000\t010200C0\t0003\n"),
              ElementsAre("192.0.2.1"));
  EXPECT_THAT(default_gateways4(""), IsEmpty());
}

TEST(HostFacts, FindsDefaultGatewaysInTheIpv6RouteTable) {
  const std::string zero(32, '0');
  EXPECT_THAT(
      default_gateways6(zero + " 00 " + zero + " 00 fe80000000000000000000000000000a 00000400 1 0 3 eth0\n" + zero +
                        " 00 " + zero + " 00 " + zero + " ffffffff 1 0 200200 lo\n" +
                        "fd000000000000000000000000000000 40 " + zero + " 00 " + zero + " 00000100 1 0 1 eth0\n"),
      ElementsAre("fe80::a"));
}

TEST(HostFacts, FindsResolvers) {
  EXPECT_THAT(
      resolvers_in("# nameserver 9.9.9.9\nnameserver 192.0.2.53\n nameserver fe80::1%eth0\nsearch x\nnameserver\n"),
      ElementsAre("192.0.2.53", "fe80::1"));
}

TEST(HostFacts, NeverHoldsLoopback) {
  const auto facts = collect_host_facts();
  EXPECT_THAT(facts.addresses, Each(Not(StartsWith("127."))));
  EXPECT_THAT(facts.resolvers, Each(Not(StartsWith("127."))));
}

}  // namespace
}  // namespace patchlab::lab::network
