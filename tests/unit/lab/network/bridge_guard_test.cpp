// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/bridge_guard.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "lab/network/fence.hpp"
#include "lab/network/frames.hpp"
#include "lab/network/netlink.hpp"
#include "lab/network/wire.hpp"
#include "tests/support/in_cell.hpp"

namespace patchlab::lab::network {
namespace {
using test::run_in_cell;

const Ipv4Subnet lab_subnet = *Ipv4Subnet::parse("10.20.0.0/24");
const Ipv4 lab_client = *Ipv4::parse("10.20.0.250");

// In a network namespace as a host's, whose settings can be changed, which those of a cell cannot; 98: there is none
// here.
int run_in_network(const std::function<int()>& inside) {
  std::cout.flush();
  const pid_t process = ::fork();
  if (process == 0) {
    const bool alone = ::unshare(CLONE_NEWNET) == 0;
    const bool can_set = alone && bool{std::ofstream("/proc/sys/net/ipv4/ip_forward") << "0" << std::endl};
    const int code = can_set ? inside() : 98;
    std::cerr.flush();
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}
constexpr int no_network = 98;

class Guarded : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::why_no_cells(); !why.empty()) GTEST_SKIP() << "no cells on this host: " << why;
  }
  // What a guard finds after `change`: 0 when that is one thing with these words, and nothing before it.
  static int finds(const std::string& words, const std::function<bool(Netlink&)>& change, GuardedBridge guarded = {}) {
    return run_in_cell([&] {
      auto netlink = Netlink::open();
      if (!netlink || !build_fence(lab_subnet, lab_client, 2)) return 2;
      guarded.bridge = bridge_name;
      const auto guard = BridgeGuard::start(guarded);
      if (!guard) {
        std::cerr << guard.error().message << "\n";
        return 3;
      }
      const auto before = (*guard)->look();
      if (!before || !before->empty()) return 4;
      if (!change(*netlink)) return 5;
      const auto after = (*guard)->look();
      if (!after) return 6;
      for (const auto& line : *after) std::cerr << "found: " << line << "\n";
      if (words.empty()) return after->empty() ? 0 : 7;
      const bool found =
          std::ranges::any_of(*after, [&](const auto& line) { return line.find(words) != std::string::npos; });
      return found ? 0 : 8;
    });
  }
};

TEST_F(Guarded, ALabThatIsAsItWasLaidHasNoWayOut) {
  EXPECT_EQ(finds("", [](Netlink&) { return true; }), 0);
}

// As a DHCP client of the host does, or a network manager that takes a new bridge for its own.
TEST_F(Guarded, AnAddressThatNobodyLaidIsFound) {
  const auto take = [](Netlink& netlink) {
    return bool{netlink.add_address(bridge_name, *Ipv4::parse("10.20.0.77"), lab_subnet)};
  };
  EXPECT_EQ(finds("address 10.20.0.77 at 'br0'", take), 0);
  EXPECT_EQ(finds("address 10.20.0.77 at 'tap-1'",
                  [](Netlink& netlink) {
                    return bool{netlink.add_address("tap-1", *Ipv4::parse("10.20.0.77"), lab_subnet)};
                  }),
            0);
}

TEST_F(Guarded, AnAddressThatCameAndWentIsFound) {
  const auto come_and_go = [](Netlink& netlink) {
    const auto made = netlink.add_veth("extra0", "extra1", 0);
    return made && netlink.attach("extra0", bridge_name);
  };
  EXPECT_EQ(run_in_cell([&] {
              auto netlink = Netlink::open();
              if (!netlink || !build_fence(lab_subnet, lab_client, 1) || !come_and_go(*netlink)) return 2;
              const auto guard = BridgeGuard::start({.bridge = bridge_name});
              if (!guard) return 3;
              if (!netlink->add_address("extra0", *Ipv4::parse("10.20.0.77"), lab_subnet)) return 4;
              if (!netlink->remove("extra0")) return 5;
              const auto found = (*guard)->look();
              if (!found || found->size() != 1) return 6;
              return found->front() == "address 10.20.0.77 at 'extra0'" ? 0 : 7;
            }),
            0);
}

TEST_F(Guarded, WhatIsPluggedInIsFoundButNotTheTapsOfMachines) {
  const auto plug = [](Netlink& netlink) {
    return netlink.add_veth("extra0", "extra1", 0) && netlink.attach("extra0", bridge_name);
  };
  EXPECT_EQ(finds("more ports than machines: extra0", plug), 0);
  EXPECT_EQ(finds("", plug, {.bridge = {}, .taps = 1}), 0);
}

TEST_F(Guarded, ARouteIsFound) {
  EXPECT_EQ(
      finds("route to 192.0.2.0/24 by 'br0'",
            [](Netlink& netlink) { return bool{netlink.add_route(bridge_name, *Ipv4Subnet::parse("192.0.2.0/24"))}; }),
      0);
}

TEST_F(Guarded, ForwardingIsFound) {
  const int code = run_in_network([] {
    if (!build_fence(lab_subnet, lab_client, 1)) return 2;
    const auto guard = BridgeGuard::start({.bridge = bridge_name});
    if (!guard) return 3;
    if (!(std::ofstream("/proc/sys/net/ipv4/ip_forward") << "1" << std::endl)) return 4;
    const auto found = (*guard)->look();
    return found && std::ranges::count(*found, "setting ipv4/ip_forward is 1") == 1 ? 0 : 5;
  });
  if (code == no_network) GTEST_SKIP() << "needs root";
  EXPECT_EQ(code, 0);
}

// On a host the lab lays no address at all, and its settings are what keeps the host's own addresses silent.
TEST_F(Guarded, ABridgeInAHostsNetworkHasNoAddressFromTheStart) {
  const int code = run_in_network([] {
    if (!build_fence(lab_subnet, lab_client, 1) || !close_bridge_to_host(bridge_name)) return 2;
    const auto guard = BridgeGuard::start({.bridge = bridge_name, .on_host = true});
    if (!guard) return 3;
    const auto found = (*guard)->look();
    if (!found || found->size() != 1 || found->front() != "address 10.20.0.250 at 'br0'") return 4;
    if (!(std::ofstream("/proc/sys/net/ipv4/conf/br0/arp_ignore") << "0" << std::endl)) return 5;
    const auto opened = (*guard)->look();
    return opened && opened->back() == "setting ipv4/conf/br0/arp_ignore is 0" ? 0 : 6;
  });
  if (code == no_network) GTEST_SKIP() << "needs root";
  EXPECT_EQ(code, 0);
}

TEST_F(Guarded, WhoTheBridgeHasLearntIsFound) {
  EXPECT_EQ(run_in_cell([] {
              auto netlink = Netlink::open();
              if (!netlink || !build_fence(lab_subnet, lab_client, 1)) return 2;
              if (!netlink->add_veth("extra0", "extra1", 0) || !netlink->attach("extra0", bridge_name)) return 3;
              if (!netlink->set_up("extra0") || !netlink->set_up("extra1")) return 4;
              const auto stranger = *MacAddress::parse("02:00:00:00:00:99");
              const auto end = find_device("extra1");
              const auto wire = open_wire(*end);
              if (!wire) return 5;
              const Sender sender{stranger, *Ipv4::parse("10.20.0.66"), 1};
              const auto frame = arp_request(sender, *Ipv4::parse("10.20.0.67"));
              for (const bool known : {false, true}) {
                const auto guard = BridgeGuard::start(
                    {.bridge = bridge_name, .known = known ? std::set{stranger} : std::set<MacAddress>{}});
                if (!guard || ::send(wire->get(), frame.data(), frame.size(), 0) < 0) return 6;
                const auto found = (*guard)->look();
                if (!found || found->size() != (known ? 0 : 1)) return 7;
              }
              return 0;
            }),
            0);
}

TEST_F(Guarded, ABridgeThatIsGoneCannotBeSeen) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(lab_subnet, lab_client, 1)) return 2;
              const auto guard = BridgeGuard::start({.bridge = bridge_name});
              if (!guard || !Netlink::open()->remove(bridge_name)) return 3;
              return (*guard)->look() ? 4 : 0;
            }),
            0);
}

}  // namespace
}  // namespace patchlab::lab::network
