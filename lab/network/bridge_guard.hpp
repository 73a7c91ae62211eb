// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lab/network/address.hpp"

namespace patchlab::lab::network {

struct GuardedBridge {
  std::string bridge;
  // Ports that may come besides those that are there at the start: of machines whose hypervisor makes them.
  std::size_t taps = 0;
  // It lies in a host's own network, closed by close_bridge_to_host(): it has no address, and those settings stay.
  bool on_host = false;
  std::set<MacAddress> known{};  // who may be in its forwarding table, besides this namespace's devices
};

// The network of a lab as the kernel of its network namespace sees it, compared with how it was laid: addresses, ports,
// routes, forwarding and the bridge's forwarding table. A network manager or DHCP client of the host that takes the
// lab's devices for its own is found by that, and so is whoever plugs something in. Between two looks the kernel keeps
// what happens (rtnetlink(7) events): an address that came and went is found too. IPv6 link-local addresses do not
// count, since a kernel gives them by itself. Used by one thread; the namespace is that of the thread that starts it.
class BridgeGuard {
 public:
  [[nodiscard]] static Result<std::unique_ptr<BridgeGuard>> start(GuardedBridge guarded);
  ~BridgeGuard();
  BridgeGuard(const BridgeGuard&) = delete;
  BridgeGuard& operator=(const BridgeGuard&) = delete;
  // What is not as it was laid, or was not since the last look; a few words each. An error when that cannot be seen.
  [[nodiscard]] Result<std::vector<std::string>> look();

 private:
  struct State;
  explicit BridgeGuard(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace patchlab::lab::network
