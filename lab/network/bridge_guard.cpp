// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/bridge_guard.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>

#include "lab/core/files.hpp"
#include "lab/core/text.hpp"
#include "lab/network/wire.hpp"

namespace patchlab::lab::network {
namespace {

using Attributes = std::map<int, std::string>;  // type -> bytes

template <class Head>
Attributes attributes_of(const nlmsghdr& message, const Head& head) {
  Attributes found;
  auto left = static_cast<int>(message.nlmsg_len - NLMSG_LENGTH(sizeof head));
  const auto* at =
      reinterpret_cast<const rtattr*>(reinterpret_cast<const char*>(&head) + NLMSG_ALIGN(sizeof head));  // as RTM_RTA
  for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
    found[at->rta_type & NLA_TYPE_MASK] = {static_cast<const char*>(RTA_DATA(at)), RTA_PAYLOAD(at)};
  return found;
}

int number_in(const Attributes& attributes, int type) {
  int number = 0;
  const auto found = attributes.find(type);
  if (found != attributes.end() && found->second.size() >= sizeof number)
    std::memcpy(&number, found->second.data(), sizeof number);
  return number;
}

std::string address_in(const Attributes& attributes, int type, int family) {
  const auto found = attributes.find(type);
  if (found == attributes.end()) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (found->second.size() != (family == AF_INET ? 4 : 16)) return {};
  return ::inet_ntop(family, found->second.data(), text.data(), text.size()) == nullptr ? "" : text.data();
}

bool is_by_itself(const std::string& address) { return address.starts_with("fe80:") || address.starts_with("ff"); }

using OnMessage = std::function<void(const nlmsghdr&)>;

// Of the bytes of one datagram. True: nothing more comes.
Result<bool> each_message(const char* bytes, std::size_t size, const OnMessage& take) {
  auto left = static_cast<unsigned>(size);
  for (const auto* at = reinterpret_cast<const nlmsghdr*>(bytes); NLMSG_OK(at, left); at = NLMSG_NEXT(at, left)) {
    if (at->nlmsg_type == NLMSG_DONE) return true;
    if (at->nlmsg_type == NLMSG_ERROR)
      return errno_error("asking the kernel about the lab's network",
                         -static_cast<const nlmsgerr*>(NLMSG_DATA(at))->error);
    take(*at);
  }
  return false;
}

template <class Head>
Result<void> dump(int type, const Head& head, const OnMessage& take) {
  const FileDescriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket.valid()) return errno_error("opening a netlink socket", errno);
  struct {
    nlmsghdr message;
    Head head;
  } request{};
  request.message.nlmsg_len = NLMSG_LENGTH(sizeof head);
  request.message.nlmsg_type = static_cast<std::uint16_t>(type);
  request.message.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.head = head;
  if (::send(socket.get(), &request, request.message.nlmsg_len, 0) < 0)
    return errno_error("asking the kernel about the lab's network", errno);
  alignas(nlmsghdr) std::array<char, 1U << 16U> block;
  for (;;) {
    const auto count = ::recv(socket.get(), block.data(), block.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return errno_error("reading what the kernel says about the lab's network", errno);
    PATCHLAB_ASSIGN(const bool ended, each_message(block.data(), static_cast<std::size_t>(count), take));
    if (ended) return {};
  }
}

// What a network is, in words that can be compared.
struct Laid {
  std::set<std::string> ports;
  std::set<std::string> addresses;  // "10.20.0.250 at 'br0'"
  std::set<std::string> routes;
  std::set<std::string> settings;
  std::set<MacAddress> learnt;  // by the bridge's forwarding table
};

template <class Value>
std::vector<Value> only_in(const std::set<Value>& now, const std::set<Value>& before) {
  std::vector<Value> only;
  std::ranges::set_difference(now, before, std::back_inserter(only));
  return only;
}
}  // namespace

struct BridgeGuard::State {
  GuardedBridge guarded;
  FileDescriptor events;
  Laid laid;
  std::map<int, std::string> devices;  // of the lab: the bridge and its ports, also those that are gone

  Result<void> subscribe() {
    events = FileDescriptor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (!events.valid() || ::bind(events.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return errno_error("listening for addresses of the lab's network", errno);
    constexpr int buffer = 1 << 20;
    ::setsockopt(events.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    return {};
  }

  std::string at(const std::string& address, int device) { return fmt::format("{} at '{}'", address, devices[device]); }

  void take_address(const nlmsghdr& message, std::set<std::string>& addresses) {
    if (message.nlmsg_type != RTM_NEWADDR) return;
    ifaddrmsg head{};
    std::memcpy(&head, NLMSG_DATA(&message), sizeof head);
    const auto found = attributes_of(message, *static_cast<const ifaddrmsg*>(NLMSG_DATA(&message)));
    auto address = address_in(found, IFA_LOCAL, head.ifa_family);
    if (address.empty()) address = address_in(found, IFA_ADDRESS, head.ifa_family);
    const auto device = static_cast<int>(head.ifa_index);
    if (!address.empty() && devices.contains(device) && !is_by_itself(address)) addresses.insert(at(address, device));
  }

  void take_route(const nlmsghdr& message, std::set<std::string>& routes) {
    if (message.nlmsg_type != RTM_NEWROUTE) return;
    const auto& head = *static_cast<const rtmsg*>(NLMSG_DATA(&message));
    if (head.rtm_type != RTN_UNICAST || head.rtm_table == RT_TABLE_LOCAL) return;
    const auto found = attributes_of(message, head);
    const auto device = number_in(found, RTA_OIF);
    const auto to = address_in(found, RTA_DST, head.rtm_family);
    if (!devices.contains(device) || is_by_itself(to)) return;
    const auto gateway = address_in(found, RTA_GATEWAY, head.rtm_family);
    routes.insert(fmt::format("to {}/{}{} by '{}'", to.empty() ? "any" : to, head.rtm_dst_len,
                              gateway.empty() ? "" : " through " + gateway, devices[device]));
  }

  void take_neighbour(const nlmsghdr& message, int bridge, std::set<MacAddress>& learnt) const {
    if (message.nlmsg_type != RTM_NEWNEIGH) return;
    const auto& head = *static_cast<const ndmsg*>(NLMSG_DATA(&message));
    const auto found = attributes_of(message, head);
    const auto mac = found.find(NDA_LLADDR);
    const bool is_own = (head.ndm_state & (NUD_PERMANENT | NUD_NOARP)) != 0;
    if (is_own || number_in(found, NDA_MASTER) != bridge || mac == found.end() || mac->second.size() != 6) return;
    std::array<std::uint8_t, 6> bytes{};
    std::memcpy(bytes.data(), mac->second.data(), bytes.size());
    learnt.insert(MacAddress(bytes));
  }

  void take_setting(const std::string& name, Laid& now) const {
    auto text = read_file("/proc/sys/net/" + name, 64);
    if (text) now.settings.insert(fmt::format("{} is {}", name, trimmed(*text, " \n")));
  }

  Result<Laid> read() {
    Laid now;
    const auto bridge = static_cast<int>(::if_nametoindex(guarded.bridge.c_str()));
    if (bridge == 0) return infrastructure_error(fmt::format("bridge '{}' is gone", guarded.bridge));
    devices[bridge] = guarded.bridge;
    const auto take_link = [&](const nlmsghdr& message) {
      if (message.nlmsg_type != RTM_NEWLINK) return;
      const auto& head = *static_cast<const ifinfomsg*>(NLMSG_DATA(&message));
      const auto found = attributes_of(message, head);
      const auto name = found.find(IFLA_IFNAME);
      if (number_in(found, IFLA_MASTER) != bridge || name == found.end()) return;
      devices[head.ifi_index] = name->second.c_str();
      now.ports.insert(name->second.c_str());
    };
    PATCHLAB_TRY(dump(RTM_GETLINK, ifinfomsg{}, take_link));
    PATCHLAB_TRY(dump(RTM_GETADDR, ifaddrmsg{}, [&](const auto& message) { take_address(message, now.addresses); }));
    PATCHLAB_TRY(dump(RTM_GETROUTE, rtmsg{}, [&](const auto& message) { take_route(message, now.routes); }));
    ndmsg in_bridges{};
    in_bridges.ndm_family = AF_BRIDGE;
    PATCHLAB_TRY(
        dump(RTM_GETNEIGH, in_bridges, [&](const auto& message) { take_neighbour(message, bridge, now.learnt); }));
    take_setting("ipv4/conf/" + guarded.bridge + "/forwarding", now);
    if (guarded.on_host) {
      take_setting("ipv4/conf/" + guarded.bridge + "/arp_ignore", now);
      take_setting("ipv4/conf/" + guarded.bridge + "/rp_filter", now);
    } else {
      take_setting("ipv4/ip_forward", now);
      take_setting("ipv6/conf/all/forwarding", now);
    }
    return now;
  }

  // Addresses that came since the last look, although they may be gone now.
  Result<void> read_events(std::set<std::string>& addresses) {
    alignas(nlmsghdr) std::array<char, 1U << 16U> block;
    for (;;) {
      const auto count = ::recv(events.get(), block.data(), block.size(), 0);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return {};
      if (count <= 0) return errno_error("the kernel lost what happened at the lab's network", errno);
      const auto took = each_message(block.data(), static_cast<std::size_t>(count),
                                     [&](const auto& message) { take_address(message, addresses); });
      if (!took) return took.error();
    }
  }

  [[nodiscard]] std::vector<std::string> strangers_in(const Laid& now) const {
    auto known = macs_of_own_devices();
    known.insert(guarded.known.begin(), guarded.known.end());
    std::vector<std::string> found;
    for (const auto& mac : now.learnt) {
      if (!known.contains(mac)) found.push_back(fmt::format("'{}' in the bridge's forwarding table", mac.text()));
    }
    return found;
  }
};

BridgeGuard::BridgeGuard(std::unique_ptr<State> state) : state_(std::move(state)) {}
BridgeGuard::~BridgeGuard() = default;

Result<std::unique_ptr<BridgeGuard>> BridgeGuard::start(GuardedBridge guarded) {
  auto state = std::make_unique<State>();
  state->guarded = std::move(guarded);
  PATCHLAB_TRY(state->subscribe());
  PATCHLAB_ASSIGN(state->laid, state->read());
  // Nobody has laid an address there.
  if (state->guarded.on_host) state->laid.addresses.clear();
  return std::unique_ptr<BridgeGuard>(new BridgeGuard(std::move(state)));
}

Result<std::vector<std::string>> BridgeGuard::look() {
  auto& state = *state_;
  PATCHLAB_ASSIGN(auto now, state.read());
  PATCHLAB_TRY(state.read_events(now.addresses));
  std::vector<std::string> found;
  for (const auto& address : only_in(now.addresses, state.laid.addresses))
    found.push_back(fmt::format("address {}", address));
  const auto ports = only_in(now.ports, state.laid.ports);
  if (ports.size() > state.guarded.taps)
    found.push_back(fmt::format("more ports than machines: {}", fmt::join(ports, ", ")));
  for (const auto& route : only_in(now.routes, state.laid.routes)) found.push_back("route " + route);
  for (const auto& setting : only_in(now.settings, state.laid.settings)) found.push_back("setting " + setting);
  for (auto& stranger : state.strangers_in(now)) found.push_back(std::move(stranger));
  return found;
}

}  // namespace patchlab::lab::network
