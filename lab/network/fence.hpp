// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "lab/network/address.hpp"

namespace patchlab::lab::network {

inline constexpr const char* bridge_name = "br0";

// "tap-0", "tap-1" ...: the machine's number in the cell. At most 15 characters (IFNAMSIZ).
[[nodiscard]] std::string tap_name(std::size_t machine_number);

// Makes the network of a cell in the network namespace of the caller, which enter_cell_namespaces() made empty: bridge
// `br0` with the client's address, a MAC address that follows from it and no route but its own subnet, and one tap per
// machine, owned by our user (QEMU's) and attached to the bridge. There is nothing to take down: the devices end with
// the namespace. Returns the tap names in order. The MAC address is the same in every run, as a guest that goes on from
// a state of an earlier one would answer to a client that is no more until its ARP cache forgets it (RFC 1122 2.3.2.1:
// a minute).
[[nodiscard]] Result<std::vector<std::string>> build_fence(const Ipv4Subnet& subnet, Ipv4 client, std::size_t machines);

// For a bridge in the network namespace of a host that has addresses elsewhere, such as libvirt's: without an address
// of its own on the bridge, Linux still answers ARP there for all its addresses, and takes what comes (arp_ignore and
// rp_filter of ip-sysctl.rst). A clone with a production address would talk to the host, whose answers go to
// production. And the bridge itself joins a multicast group, by IGMP (RFC 4286). Afterwards the host does none of
// these; broadcasts still reach processes that listen on all devices. All frames go to all ports from now on, so that a
// probe that listens at one hears them, as on br0 of an embedded cell. To be called before it has ports. Goes with the
// bridge. Needs root, or CAP_NET_ADMIN and a writable /proc/sys.
[[nodiscard]] Result<void> close_bridge_to_host(const std::string& bridge);

// The device by which checks and probes in a network namespace of their own reach such a bridge.
inline constexpr const char* port_inside = "check0";
// Lays a cable: `port` of the caller's network namespace, on the bridge, to `end` in that of the process `inside`. The
// host says nothing on its end. Goes with the namespace of `inside`, or by Netlink::remove(port). Needs root.
[[nodiscard]] Result<void> add_port(const std::string& bridge, const std::string& port, const char* end, pid_t inside);
// At the other end: the client's address, and no route but its own subnet.
[[nodiscard]] Result<void> open_port(const Ipv4Subnet& subnet, Ipv4 client);

}  // namespace patchlab::lab::network
