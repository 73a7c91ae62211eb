// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "lab/network/frames.hpp"

// Silence proves a fence only to who can hear. The control is somebody on the lab's own wire who answers what a leak
// would answer, and speaks all the time.
namespace patchlab::lab::network {

// An address that no machine has, on a link of its own with the prober: none of a department's subnet, where a DHCP
// server could want to lease it.
[[nodiscard]] Ipv4 control_address();
[[nodiscard]] Ipv6 control_address6();
// What the prober's device needs to reach it by the routing table.
[[nodiscard]] Ipv4 control_neighbour();
[[nodiscard]] Ipv4Subnet control_subnet();

// A broadcast of the control, once a second (ethertype 0x88B5, local experiments). Who hears one with another token is
// on the wire of another cell; who hears one outside has found a way out.
[[nodiscard]] Bytes beacon(const MacAddress& from, const std::string& token);
[[nodiscard]] std::optional<std::string> token_of_beacon(const std::uint8_t* frame, std::size_t size);

// The device by which the control of a cell on a libvirt reaches its bridge; see fence.hpp for the other one.
inline constexpr const char* control_port_inside = "check1";

class Control {
 public:
  // At a new cable to the bridge of the caller's network namespace.
  [[nodiscard]] static Result<std::unique_ptr<Control>> on_bridge(const std::string& bridge, const std::string& device);
  // At the end of a cable that somebody has laid to here; `device` is the prober's.
  [[nodiscard]] static Result<std::unique_ptr<Control>> at_port(const std::string& port, const std::string& device);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  [[nodiscard]] const MacAddress& mac() const;
  [[nodiscard]] const std::string& token() const;
  [[nodiscard]] std::size_t beacons_sent() const;

 private:
  struct State;
  explicit Control(std::unique_ptr<State> state);
  [[nodiscard]] static Result<std::unique_ptr<Control>> start(const std::string& bridge, const std::string& port,
                                                              const std::string& device);
  std::unique_ptr<State> state_;
};

}  // namespace patchlab::lab::network
