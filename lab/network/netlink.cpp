// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/netlink.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace patchlab::lab::network {

// One netlink message: header, fixed part, attributes (netlink(7), rtnetlink(7)). All parts are padded to 4 bytes.
class Netlink::Request {
 public:
  template <class Fixed>
  Request(std::uint16_t type, unsigned flags, const Fixed& fixed) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    append(&header, sizeof header);
    append(&fixed, sizeof fixed);
  }

  Request& text(unsigned type, const std::string& value) { return raw(type, value.c_str(), value.size() + 1); }
  template <class Value>
  Request& number(unsigned type, const Value& value) {
    return raw(type, &value, sizeof value);
  }
  Request& raw(unsigned type, const void* data, std::size_t size) {
    const auto start = open(type);
    append(data, size, Pad::no);
    close(start);
    return *this;
  }
  template <class Fixed>
  Request& fixed(const Fixed& value) {
    append(&value, sizeof value);
    return *this;
  }
  // Attributes added until `close` are its children.
  std::size_t open(unsigned type) {
    const auto start = bytes_.size();
    rtattr attribute{};
    attribute.rta_type = static_cast<std::uint16_t>(type);
    append(&attribute, sizeof attribute);
    return start;
  }
  void close(std::size_t start) {
    const auto length = static_cast<std::uint16_t>(bytes_.size() - start);
    std::memcpy(bytes_.data() + start, &length, sizeof length);
    pad();
  }

  const std::vector<char>& finish(unsigned sequence) {
    nlmsghdr header{};
    std::memcpy(&header, bytes_.data(), sizeof header);
    header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    header.nlmsg_seq = sequence;
    std::memcpy(bytes_.data(), &header, sizeof header);
    return bytes_;
  }

 private:
  enum class Pad { yes, no };
  void append(const void* data, std::size_t size, Pad padded = Pad::yes) {
    const auto* first = static_cast<const char*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
    if (padded == Pad::yes) pad();
  }
  void pad() { bytes_.resize((bytes_.size() + 3) & ~std::size_t{3}); }
  std::vector<char> bytes_;
};

namespace {
Result<int> index_of(const std::string& name) {
  const auto index = ::if_nametoindex(name.c_str());
  if (index == 0) return errno_error(fmt::format("looking for network device '{}'", name), errno);
  return static_cast<int>(index);
}

ifinfomsg link_message(int index = 0) {
  ifinfomsg message{};
  message.ifi_family = AF_UNSPEC;
  message.ifi_index = index;
  return message;
}
}  // namespace

Result<Netlink> Netlink::open() {
  FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.valid()) return errno_error("opening a netlink socket", errno);
  return Netlink(std::move(socket));
}

Result<void> Netlink::ask(Request& request, const std::string& action) {
  const auto& bytes = request.finish(++sequence_);
  if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) return errno_error(action, errno);
  alignas(nlmsghdr) std::array<char, 8192> answer{};
  for (;;) {
    const auto count = ::recv(socket_.get(), answer.data(), answer.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(nlmsgerr)))
      return errno_error(action, count < 0 ? errno : EPROTO);
    nlmsghdr header{};
    nlmsgerr status{};
    std::memcpy(&header, answer.data(), sizeof header);
    std::memcpy(&status, answer.data() + sizeof header, sizeof status);
    if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq != sequence_) continue;
    if (status.error != 0) return errno_error(action, -status.error);
    return {};
  }
}

Result<void> Netlink::add_bridge(const std::string& name) {
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link_message());
  request.text(IFLA_IFNAME, name);
  const auto info = request.open(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "bridge");
  const auto data = request.open(IFLA_INFO_DATA);
  request.number(IFLA_BR_STP_STATE, std::uint32_t{0});
  request.number(IFLA_BR_FORWARD_DELAY, std::uint32_t{0});
  request.number(IFLA_BR_MCAST_SNOOPING, std::uint8_t{0});
  request.close(data);
  request.close(info);
  return ask(request, fmt::format("making bridge '{}'", name));
}

Result<void> Netlink::make_hub(const std::string& bridge) {
  PATCHLAB_ASSIGN(const auto index, index_of(bridge));
  Request request(RTM_NEWLINK, 0, link_message(index));
  const auto info = request.open(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "bridge");
  const auto data = request.open(IFLA_INFO_DATA);
  request.number(IFLA_BR_AGEING_TIME, std::uint32_t{0});
  request.number(IFLA_BR_MCAST_SNOOPING, std::uint8_t{0});
  request.close(data);
  request.close(info);
  return ask(request, fmt::format("making a hub of bridge '{}'", bridge));
}

Result<void> Netlink::add_veth(const std::string& name, const std::string& peer, pid_t peer_process) {
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, link_message());
  request.text(IFLA_IFNAME, name);
  const auto info = request.open(IFLA_LINKINFO);
  request.text(IFLA_INFO_KIND, "veth");
  const auto data = request.open(IFLA_INFO_DATA);
  const auto other_end = request.open(VETH_INFO_PEER);
  request.fixed(link_message()).text(IFLA_IFNAME, peer);
  if (peer_process != 0) request.number(IFLA_NET_NS_PID, static_cast<std::uint32_t>(peer_process));
  request.close(other_end);
  request.close(data);
  request.close(info);
  return ask(request, fmt::format("making the cable '{}' to '{}'", name, peer));
}

Result<void> Netlink::move(const std::string& name, pid_t process) {
  PATCHLAB_ASSIGN(const auto index, index_of(name));
  Request request(RTM_NEWLINK, 0, link_message(index));
  request.number(IFLA_NET_NS_PID, static_cast<std::uint32_t>(process));
  return ask(request, fmt::format("moving '{}' into another network namespace", name));
}

Result<void> Netlink::attach(const std::string& name, const std::string& bridge) {
  PATCHLAB_ASSIGN(const auto index, index_of(name));
  PATCHLAB_ASSIGN(const auto master, index_of(bridge));
  Request request(RTM_NEWLINK, 0, link_message(index));
  request.number(IFLA_MASTER, static_cast<std::uint32_t>(master));
  return ask(request, fmt::format("attaching '{}' to bridge '{}'", name, bridge));
}

Result<void> Netlink::set_mac(const std::string& name, const MacAddress& mac) {
  PATCHLAB_ASSIGN(const auto index, index_of(name));
  Request request(RTM_NEWLINK, 0, link_message(index));
  request.number(IFLA_ADDRESS, mac.bytes());
  return ask(request, fmt::format("giving '{}' the MAC address {}", name, mac.text()));
}

Result<void> Netlink::set_up(const std::string& name) { return set_state(name, IFF_UP, "up"); }
Result<void> Netlink::set_down(const std::string& name) { return set_state(name, 0, "down"); }

Result<void> Netlink::set_state(const std::string& name, unsigned flags, const char* direction) {
  PATCHLAB_ASSIGN(const auto index, index_of(name));
  auto message = link_message(index);
  message.ifi_flags = flags;
  message.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, 0, message);
  return ask(request, fmt::format("bringing '{}' {}", name, direction));
}

Result<void> Netlink::add_address(const std::string& name, Ipv4 address, const Ipv4Subnet& subnet) {
  PATCHLAB_ASSIGN(const auto index, index_of(name));
  ifaddrmsg message{};
  message.ifa_family = AF_INET;
  message.ifa_prefixlen = static_cast<std::uint8_t>(subnet.prefix());
  message.ifa_index = static_cast<std::uint32_t>(index);
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, message);
  request.number(IFA_LOCAL, htonl(address.value())).number(IFA_ADDRESS, htonl(address.value()));
  request.number(IFA_BROADCAST, htonl(subnet.broadcast().value()));
  return ask(request, fmt::format("giving '{}' the address {}", name, address.text()));
}

Result<void> Netlink::add_route(const std::string& name, const Ipv4Subnet& subnet) {
  PATCHLAB_ASSIGN(const auto index, index_of(name));
  rtmsg message{};
  message.rtm_family = AF_INET;
  message.rtm_dst_len = static_cast<std::uint8_t>(subnet.prefix());
  message.rtm_table = RT_TABLE_MAIN;
  message.rtm_protocol = RTPROT_STATIC;
  message.rtm_scope = RT_SCOPE_LINK;
  message.rtm_type = RTN_UNICAST;
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, message);
  request.number(RTA_DST, htonl(subnet.network().value())).number(RTA_OIF, static_cast<std::uint32_t>(index));
  return ask(request, fmt::format("making {} a neighbour at '{}'", subnet.text(), name));
}

Result<void> Netlink::remove(const std::string& name) {
  PATCHLAB_ASSIGN(const auto index, index_of(name));
  Request request(RTM_DELLINK, 0, link_message(index));
  return ask(request, fmt::format("removing network device '{}'", name));
}

}  // namespace patchlab::lab::network
