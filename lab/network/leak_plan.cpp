// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "lab/network/control.hpp"
#include "lab/network/frames.hpp"
#include "lab/network/leak_probe.hpp"

namespace patchlab::lab::network {
namespace {
// What hosts commonly listen on; any answer counts, also a refusal.
constexpr std::array<std::uint16_t, 10> tcp_ports{22, 25, 53, 80, 111, 139, 443, 445, 631, 3128};
constexpr std::array<std::uint16_t, 2> tcp_ports_on_the_wire{22, 445};

std::vector<std::string> targets_of(const HostFacts& facts, const AddressPlan& plan) {
  std::vector<std::string> targets;
  const auto add = [&targets](const std::string& target) {
    if (std::find(targets.begin(), targets.end(), target) == targets.end()) targets.push_back(target);
  };
  for (const auto* list : {&facts.addresses, &facts.gateways, &facts.resolvers})
    std::for_each(list->begin(), list->end(), add);
  // The machines believe in this gateway; in the lab nobody is it.
  add(plan.gateway.text());
  return targets;
}

bool is_used_in_lab(Ipv4 address, const AddressPlan& plan) {
  return address == plan.client ||
         std::any_of(plan.machines.begin(), plan.machines.end(),
                     [&](const MachineAddress& machine) { return machine.address == address; });
}

void plan_ipv4(std::vector<PlannedProbe>& probes, Ipv4 address, const AddressPlan& plan) {
  const auto target = address.text();
  probes.push_back({ProbeKind::arp, ProbePath::wire, target, 0});
  if (is_used_in_lab(address, plan)) return;
  for (const auto path : {ProbePath::route, ProbePath::wire}) {
    probes.push_back({ProbeKind::ping, path, target, 0});
    probes.push_back({ProbeKind::dns, path, target, 53});
  }
  for (const auto port : tcp_ports) probes.push_back({ProbeKind::tcp, ProbePath::route, target, port});
  for (const auto port : tcp_ports_on_the_wire) probes.push_back({ProbeKind::tcp, ProbePath::wire, target, port});
}

void plan_ipv6(std::vector<PlannedProbe>& probes, const Ipv6& address) {
  const auto target = ipv6_text(address);
  probes.push_back({ProbeKind::neighbour, ProbePath::wire, target, 0});
  const bool is_link_local = address[0] == 0xFE && (address[1] & 0xC0U) == 0x80;
  if (!is_link_local) probes.push_back({ProbeKind::ping, ProbePath::route, target, 0});
}
}  // namespace

std::vector<PlannedProbe> planned_probes(const HostFacts& facts, const AddressPlan& plan) {
  std::vector<PlannedProbe> probes;
  for (const auto& target : targets_of(facts, plan)) {
    if (const auto ipv4 = Ipv4::parse(target)) plan_ipv4(probes, *ipv4, plan);
    if (const auto ipv6 = parse_ipv6(target)) plan_ipv6(probes, *ipv6);
  }
  // What routers are often called on a link (RFC 4291 leaves it to them).
  const PlannedProbe router{ProbeKind::neighbour, ProbePath::wire, "fe80::1", 0};
  if (std::find(probes.begin(), probes.end(), router) == probes.end()) probes.push_back(router);
  probes.push_back({ProbeKind::all_nodes, ProbePath::wire, "ff02::1", 0});
  probes.push_back({ProbeKind::stranger, ProbePath::wire, "any", 0});
  return probes;
}

std::vector<PlannedProbe> guest_probes(const HostFacts& facts, const AddressPlan& plan) {
  auto probes = planned_probes(facts, plan);
  // On the wire what is answered at once: for the rest a guest's own kernel would have to take part, whose rules may
  // forbid that. By its routes, which are IPv4 where a neighbour is asked on the wire, what its rules allow.
  const auto is_for_guests = [](const PlannedProbe& probe) {
    switch (probe.kind) {
      case ProbeKind::arp:
      case ProbeKind::neighbour:
      case ProbeKind::all_nodes:
      case ProbeKind::stranger: return true;
      case ProbeKind::ping:
      case ProbeKind::dns: return probe.path == ProbePath::route && Ipv4::parse(probe.target).has_value();
      case ProbeKind::tcp:
        return probe.path == ProbePath::route && std::ranges::count(tcp_ports_on_the_wire, probe.port) > 0;
    }
    return false;
  };
  auto controls = control_probes();
  for (auto* list : {&probes, &controls})
    std::erase_if(*list, [&](const auto& probe) { return !is_for_guests(probe); });
  for (auto& probe : controls) {
    if (probe.path == ProbePath::route) probe.target = plan.client.text();
  }
  probes.insert(probes.end(), controls.begin(), controls.end());
  return probes;
}

std::vector<PlannedProbe> control_probes() {
  std::vector<PlannedProbe> probes;
  const auto target = control_address().text();
  const auto add = [&](ProbeKind kind, ProbePath path, const std::string& address, std::uint16_t port) {
    probes.push_back({kind, path, address, port, true});
  };
  add(ProbeKind::arp, ProbePath::wire, target, 0);
  for (const auto path : {ProbePath::route, ProbePath::wire}) {
    add(ProbeKind::ping, path, target, 0);
    add(ProbeKind::dns, path, target, 53);
    add(ProbeKind::tcp, path, target, tcp_ports_on_the_wire.front());
  }
  add(ProbeKind::neighbour, ProbePath::wire, ipv6_text(control_address6()), 0);
  return probes;
}

}  // namespace patchlab::lab::network
