// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "lab/core/files.hpp"
#include "lab/network/address.hpp"

namespace patchlab::lab::network {

// The few rtnetlink(7) requests that make a fence, in the network namespace of the calling thread. Each call waits for
// the kernel's answer.
class Netlink {
 public:
  [[nodiscard]] static Result<Netlink> open();

  // Forwards at once: no spanning tree, no forward delay, no multicast snooping.
  [[nodiscard]] Result<void> add_bridge(const std::string& name);
  // A bridge that learns nothing sends every frame to all ports, as a hub does; and that does not look for multicast
  // groups takes no part in them itself. To be called while it is down, or it says goodbye to a group.
  [[nodiscard]] Result<void> make_hub(const std::string& bridge);
  // `peer` is made in the network namespace of process `peer_process`, when that is not 0.
  [[nodiscard]] Result<void> add_veth(const std::string& name, const std::string& peer, pid_t peer_process);
  // Into the network namespace of a process or thread; it is down then.
  [[nodiscard]] Result<void> move(const std::string& name, pid_t process);
  [[nodiscard]] Result<void> attach(const std::string& name, const std::string& bridge);
  // A bridge that was given one keeps it, whatever is attached to it.
  [[nodiscard]] Result<void> set_mac(const std::string& name, const MacAddress& mac);
  [[nodiscard]] Result<void> set_up(const std::string& name);
  [[nodiscard]] Result<void> set_down(const std::string& name);
  [[nodiscard]] Result<void> add_address(const std::string& name, Ipv4 address, const Ipv4Subnet& subnet);
  // Whoever is in it is reached at this device, which is up, without a gateway.
  [[nodiscard]] Result<void> add_route(const std::string& name, const Ipv4Subnet& subnet);
  [[nodiscard]] Result<void> remove(const std::string& name);

 private:
  class Request;
  explicit Netlink(FileDescriptor socket) : socket_(std::move(socket)) {}
  [[nodiscard]] Result<void> set_state(const std::string& name, unsigned flags, const char* direction);
  [[nodiscard]] Result<void> ask(Request& request, const std::string& action);
  FileDescriptor socket_;
  unsigned sequence_ = 0;
};

}  // namespace patchlab::lab::network
