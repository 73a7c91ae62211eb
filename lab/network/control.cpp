// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/control.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <thread>

#include "lab/core/files.hpp"
#include "lab/network/netlink.hpp"
#include "lab/network/wire.hpp"

namespace patchlab::lab::network {
namespace {
constexpr const char* end_of_cable = "ctl-0";  // at the bridge
constexpr const char* end_of_control = "ctl-1";
constexpr auto beacon_interval = std::chrono::seconds(1);

std::string new_token() {
  std::uint64_t number = 0;
  static_cast<void>(!::getrandom(&number, sizeof number, 0));
  return fmt::format("{:016x}", number);
}
}  // namespace

Ipv4 control_address() { return Ipv4(0xA9FE4D01U); }    // 169.254.77.1
Ipv4 control_neighbour() { return Ipv4(0xA9FE4D02U); }  // 169.254.77.2
Ipv4Subnet control_subnet() { return *Ipv4Subnet::parse("169.254.77.0/30"); }
Ipv6 control_address6() { return *parse_ipv6("fe80::7061:7463:686c:6162"); }

struct Control::State {
  MacAddress mac;
  std::string token = new_token();
  std::atomic<std::size_t> sent{0};
  std::promise<pid_t> in_its_namespace;
  std::promise<std::string> connected;  // the device that it is to use
  std::promise<Result<void>> ready;
  std::jthread thread;

  // All of it is the thread's: a network namespace of its own, where the kernel answers as that of any host would.
  void run(const std::stop_token& stop) {
    const bool alone = ::unshare(CLONE_NEWNET) == 0;
    in_its_namespace.set_value(alone ? ::gettid() : 0);
    const auto device = connected.get_future().get();
    if (!alone || device.empty()) return;
    auto wire = prepare(device);
    ready.set_value(wire ? Result<void>() : Result<void>(wire.error()));
    if (wire) talk(wire->get(), stop);
  }

  Result<FileDescriptor> prepare(const std::string& device) {
    PATCHLAB_ASSIGN(auto netlink, Netlink::open());
    PATCHLAB_TRY(netlink.add_address(device, control_address(), control_subnet()));
    PATCHLAB_TRY(netlink.set_up(device));
    // Everybody is a neighbour: whoever asks is answered, without a gateway. An address with so short a prefix would
    // not do, because the kernel makes no route of 0.0.0.0/1 by itself.
    for (const auto* half : {"0.0.0.0/1", "128.0.0.0/1"}) {
      PATCHLAB_ASSIGN(const auto subnet, Ipv4Subnet::parse(half));
      PATCHLAB_TRY(netlink.add_route(device, subnet));
    }
    PATCHLAB_ASSIGN(const auto found, find_device(device));
    mac = found.mac;
    return open_wire(found);
  }

  void talk(int wire, const std::stop_token& stop) {
    auto next = std::chrono::steady_clock::now();
    while (!stop.stop_requested()) {
      if (const auto now = std::chrono::steady_clock::now(); now >= next) {
        const auto frame = beacon(mac, token);
        if (::send(wire, frame.data(), frame.size(), 0) >= 0) ++sent;
        next = now + beacon_interval;
      }
      pollfd watched{wire, POLLIN, 0};
      if (::poll(&watched, 1, 100) == 1) answer(wire);
    }
  }

  // What a kernel without IPv6 does not answer. Others answer for their own addresses, and this is none of them.
  void answer(int wire) const {
    std::array<std::uint8_t, 2048> data{};
    for (;;) {
      const auto count = ::recv(wire, data.data(), data.size(), MSG_DONTWAIT);
      if (count <= 0) return;
      const auto reply = answer_to_solicitation(data.data(), static_cast<std::size_t>(count), mac, control_address6());
      if (!reply.empty()) static_cast<void>(::send(wire, reply.data(), reply.size(), 0));
    }
  }
};

Control::Control(std::unique_ptr<State> state) : state_(std::move(state)) {}
Control::~Control() = default;
const MacAddress& Control::mac() const { return state_->mac; }
const std::string& Control::token() const { return state_->token; }
std::size_t Control::beacons_sent() const { return state_->sent; }

Result<std::unique_ptr<Control>> Control::start(const std::string& bridge, const std::string& port,
                                                const std::string& device) {
  auto state = std::make_unique<State>();
  auto* raw = state.get();
  state->thread = std::jthread([raw](const std::stop_token& stop) { raw->run(stop); });
  const auto thread = state->in_its_namespace.get_future().get();
  const auto lay = [&]() -> Result<void> {
    if (thread == 0) return infrastructure_error("the control has no network namespace of its own");
    PATCHLAB_ASSIGN(auto netlink, Netlink::open());
    if (bridge.empty()) {
      PATCHLAB_TRY(netlink.move(port, thread));
    } else {
      PATCHLAB_TRY(netlink.add_veth(end_of_cable, port, thread));
      PATCHLAB_TRY(netlink.attach(end_of_cable, bridge));
      PATCHLAB_TRY(netlink.set_up(end_of_cable));
    }
    return netlink.add_address(device, control_neighbour(), control_subnet());
  };
  auto laid = lay();
  state->connected.set_value(laid ? port : "");
  PATCHLAB_TRY(std::move(laid));
  PATCHLAB_TRY(state->ready.get_future().get());
  return std::unique_ptr<Control>(new Control(std::move(state)));
}

Result<std::unique_ptr<Control>> Control::on_bridge(const std::string& bridge, const std::string& device) {
  return start(bridge, end_of_control, device);
}

Result<std::unique_ptr<Control>> Control::at_port(const std::string& port, const std::string& device) {
  return start({}, port, device);
}

}  // namespace patchlab::lab::network
