// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "lab/network/leak_probe.hpp"

namespace patchlab::lab::network {
namespace {
using ::testing::Contains;
using ::testing::ElementsAre;

AddressPlan plan() {
  return {*Ipv4Subnet::parse("10.20.0.0/24"),
          *Ipv4::parse("10.20.0.1"),
          *Ipv4::parse("10.20.0.250"),
          {{"dns", *Ipv4::parse("10.20.0.10")}}};
}

std::vector<PlannedProbe> of_target(const HostFacts& facts, const std::string& target) {
  auto probes = planned_probes(facts, plan());
  std::erase_if(probes, [&](const PlannedProbe& probe) { return probe.target != target; });
  return probes;
}

TEST(PlannedProbes, TriesEveryWayToAHostAddress) {
  const auto probes = of_target({{"192.0.2.2"}, {}, {}}, "192.0.2.2");
  EXPECT_THAT(probes, Contains(PlannedProbe{ProbeKind::arp, ProbePath::wire, "192.0.2.2", 0}));
  for (const auto path : {ProbePath::route, ProbePath::wire}) {
    EXPECT_THAT(probes, Contains(PlannedProbe{ProbeKind::ping, path, "192.0.2.2", 0}));
    EXPECT_THAT(probes, Contains(PlannedProbe{ProbeKind::dns, path, "192.0.2.2", 53}));
    EXPECT_THAT(probes, Contains(PlannedProbe{ProbeKind::tcp, path, "192.0.2.2", 22}));
  }
}

TEST(PlannedProbes, TriesAnAddressThatTheLabUsesTooByArpOnly) {
  const HostFacts facts{{"10.20.0.10"}, {"10.20.0.250"}, {}};
  EXPECT_THAT(of_target(facts, "10.20.0.10"),
              ElementsAre(PlannedProbe{ProbeKind::arp, ProbePath::wire, "10.20.0.10", 0}));
  EXPECT_THAT(of_target(facts, "10.20.0.250"),
              ElementsAre(PlannedProbe{ProbeKind::arp, ProbePath::wire, "10.20.0.250", 0}));
}

TEST(PlannedProbes, TriesTheGatewayThatNobodyIsInTheLab) {
  EXPECT_THAT(of_target({}, "10.20.0.1"), Contains(PlannedProbe{ProbeKind::arp, ProbePath::wire, "10.20.0.1", 0}));
}

TEST(PlannedProbes, TriesEachTargetOnce) {
  const HostFacts facts{{"192.0.2.2"}, {"192.0.2.2"}, {"192.0.2.2", "10.20.0.1"}};
  auto probes = planned_probes(facts, plan());
  const auto arps =
      std::count_if(probes.begin(), probes.end(), [](const auto& probe) { return probe.kind == ProbeKind::arp; });
  EXPECT_EQ(arps, 2);
}

TEST(PlannedProbes, RoutesToGlobalIpv6AddressesOnly) {
  const HostFacts facts{{"fd00::2", "fe80::1"}, {}, {}};
  EXPECT_THAT(of_target(facts, "fe80::1"),
              ElementsAre(PlannedProbe{ProbeKind::neighbour, ProbePath::wire, "fe80::1", 0}));
  EXPECT_THAT(of_target(facts, "fd00::2"),
              ElementsAre(PlannedProbe{ProbeKind::neighbour, ProbePath::wire, "fd00::2", 0},
                          PlannedProbe{ProbeKind::ping, ProbePath::route, "fd00::2", 0}));
}

// A wire carries IPv6 whatever the host has configured; the gate demands that it was tried.
TEST(PlannedProbes, SolicitsANeighbourOnAHostWithoutIpv6) {
  EXPECT_THAT(planned_probes({{"192.0.2.2"}, {}, {}}, plan()),
              Contains(testing::Field(&PlannedProbe::kind, ProbeKind::neighbour)));
}

TEST(PlannedProbes, TheControlIsAskedWhatOthersAreAsked) {
  std::set<std::pair<ProbeKind, ProbePath>> asked;
  for (const auto& probe : planned_probes({{"192.0.2.2"}, {}, {}}, plan())) {
    if (probe.kind != ProbeKind::all_nodes && probe.kind != ProbeKind::stranger) asked.insert({probe.kind, probe.path});
  }
  std::set<std::pair<ProbeKind, ProbePath>> answered;
  for (const auto& probe : control_probes()) {
    EXPECT_TRUE(probe.control);
    answered.insert({probe.kind, probe.path});
  }
  EXPECT_EQ(answered, asked);
}

TEST(PlannedProbes, AlwaysListensForStrangers) {
  EXPECT_THAT(planned_probes({}, plan()), Contains(PlannedProbe{ProbeKind::stranger, ProbePath::wire, "any", 0}));
  EXPECT_THAT(planned_probes({}, plan()), Contains(PlannedProbe{ProbeKind::all_nodes, ProbePath::wire, "ff02::1", 0}));
}

TEST(PlannedProbes, OfAGuestAreWhatCanBeAnsweredThere) {
  const auto probes = guest_probes({{"192.0.2.2", "10.20.0.10", "fd00::2"}, {}, {}}, plan());
  for (const auto kind : {ProbeKind::ping, ProbeKind::dns, ProbeKind::tcp}) {
    std::set<std::string> targets;
    for (const auto& probe : probes) {
      if (probe.kind != kind) continue;
      EXPECT_EQ(probe.path, ProbePath::route);
      targets.insert(probe.target);
      // By its routes a guest cannot reach the control: the client is its control there.
      EXPECT_EQ(probe.control, probe.target == "10.20.0.250");
    }
    EXPECT_THAT(targets, ElementsAre("10.20.0.1", "10.20.0.250", "192.0.2.2"));
  }
  for (const auto* target : {"10.20.0.1", "192.0.2.2", "10.20.0.10"})
    EXPECT_THAT(probes, Contains(PlannedProbe{ProbeKind::arp, ProbePath::wire, target, 0}));
  EXPECT_THAT(probes, Contains(PlannedProbe{ProbeKind::neighbour, ProbePath::wire, "fd00::2", 0}));
  EXPECT_THAT(probes, Contains(PlannedProbe{ProbeKind::stranger, ProbePath::wire, "any", 0}));
  std::set<ProbeKind> controls;
  for (const auto& probe : probes) {
    if (probe.control && probe.path == ProbePath::wire) controls.insert(probe.kind);
  }
  EXPECT_THAT(controls, ElementsAre(ProbeKind::arp, ProbeKind::neighbour));
}

}  // namespace
}  // namespace patchlab::lab::network
