// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/wire.hpp"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace patchlab::lab::network {

Result<Device> find_device(const std::string& name) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) return errno_error("looking for '" + name + "'", errno);
  std::array<std::uint8_t, 6> mac{};
  std::memcpy(mac.data(), request.ifr_hwaddr.sa_data, mac.size());
  return Device{static_cast<int>(::if_nametoindex(name.c_str())), MacAddress(mac)};
}

Result<FileDescriptor> open_wire(const Device& device) {
  FileDescriptor wire(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = device.index;
  if (!wire.valid() || ::bind(wire.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return errno_error("listening on the bridge", errno);
  packet_mreq everything{};
  everything.mr_ifindex = device.index;
  everything.mr_type = PACKET_MR_PROMISC;
  ::setsockopt(wire.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &everything, sizeof everything);
  constexpr int buffer = 4 << 20;
  ::setsockopt(wire.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  return wire;
}

std::set<MacAddress> macs_of_own_devices() {
  std::set<MacAddress> macs;
  auto* names = ::if_nameindex();
  for (const auto* entry = names; entry != nullptr && entry->if_name != nullptr; ++entry) {
    if (std::string_view(entry->if_name) == "lo") continue;
    if (const auto device = find_device(entry->if_name)) macs.insert(device->mac);
  }
  if (names != nullptr) ::if_freenameindex(names);
  return macs;
}

}  // namespace patchlab::lab::network
