// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/fence.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "lab/network/netlink.hpp"

namespace patchlab::lab::network {
namespace {
// tuntap.rst of the kernel: a persistent device stays when its maker closes the file; its owner may open it by name.
Result<void> add_tap(const std::string& name) {
  const FileDescriptor file(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (!file.valid()) {
    auto error = errno_error("opening '/dev/net/tun'", errno);
    error.hint = "the user must be able to read and write it: modprobe tun; chmod 0666 /dev/net/tun";
    return error;
  }
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  const auto action = fmt::format("making tap device '{}'", name);
  if (::ioctl(file.get(), TUNSETIFF, &request) != 0) return errno_error(action, errno);
  if (::ioctl(file.get(), TUNSETOWNER, static_cast<unsigned long>(::geteuid())) != 0) return errno_error(action, errno);
  if (::ioctl(file.get(), TUNSETPERSIST, 1UL) != 0) return errno_error(action, errno);
  return {};
}

Result<void> set(const char* family, const std::string& device, const char* setting, char value) {
  const auto path = fmt::format("/proc/sys/net/{}/conf/{}/{}", family, device, setting);
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.valid() && ::write(file.get(), &value, 1) == 1) return {};
  auto error = errno_error(fmt::format("writing '{}'", path), errno);
  error.hint = "the network of a host is changed by root only";
  return error;
}
}  // namespace

std::string tap_name(std::size_t machine_number) { return fmt::format("tap-{}", machine_number); }

Result<std::vector<std::string>> build_fence(const Ipv4Subnet& subnet, Ipv4 client, std::size_t machines) {
  PATCHLAB_ASSIGN(auto netlink, Netlink::open());
  PATCHLAB_TRY(netlink.add_bridge(bridge_name));
  PATCHLAB_TRY(netlink.set_mac(bridge_name, MacAddress::of_lab_machine(client)));
  PATCHLAB_TRY(netlink.add_address(bridge_name, client, subnet));
  PATCHLAB_TRY(netlink.set_up(bridge_name));
  std::vector<std::string> taps;
  for (std::size_t number = 0; number < machines; ++number) {
    taps.push_back(tap_name(number));
    PATCHLAB_TRY(add_tap(taps.back()));
    PATCHLAB_TRY(netlink.attach(taps.back(), bridge_name));
    PATCHLAB_TRY(netlink.set_up(taps.back()));
  }
  return taps;
}

Result<void> close_bridge_to_host(const std::string& bridge) {
  PATCHLAB_ASSIGN(auto netlink, Netlink::open());
  PATCHLAB_TRY(netlink.set_down(bridge));
  PATCHLAB_TRY(netlink.make_hub(bridge));
  PATCHLAB_TRY(netlink.set_up(bridge));
  PATCHLAB_TRY(set("ipv4", bridge, "arp_ignore", '8'));  // no replies for any local address
  PATCHLAB_TRY(set("ipv4", bridge, "rp_filter", '1'));   // nothing from addresses that are routed elsewhere, or nowhere
  return set("ipv4", bridge, "forwarding", '0');
}

Result<void> add_port(const std::string& bridge, const std::string& port, const char* end, pid_t inside) {
  PATCHLAB_ASSIGN(auto netlink, Netlink::open());
  PATCHLAB_TRY(netlink.add_veth(port, end, inside));
  // Before it is up: a new device introduces itself by IPv6 (RFC 4862), and the probe would take the host for a
  // stranger, rightly.
  std::error_code code;
  if (std::filesystem::exists("/proc/sys/net/ipv6", code)) PATCHLAB_TRY(set("ipv6", port, "disable_ipv6", '1'));
  PATCHLAB_TRY(netlink.attach(port, bridge));
  return netlink.set_up(port);
}

Result<void> open_port(const Ipv4Subnet& subnet, Ipv4 client) {
  PATCHLAB_ASSIGN(auto netlink, Netlink::open());
  PATCHLAB_TRY(netlink.add_address(port_inside, client, subnet));
  return netlink.set_up(port_inside);
}

}  // namespace patchlab::lab::network
