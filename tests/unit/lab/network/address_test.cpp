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
