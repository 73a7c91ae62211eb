// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/net/address.hpp"

// Address plans as values; nothing here does I/O. Scenario parsing uses it too.
namespace patchlab::lab::network {

using net::Ipv4;
using net::Ipv4Subnet;
using net::MacAddress;

struct MachineAddress {
  std::string machine;
  Ipv4 address;
  bool operator==(const MachineAddress&) const = default;
};

// Who has which address inside one fence. The gateway does not exist in the lab; machines only believe in it.
struct AddressPlan {
  Ipv4Subnet subnet;
  Ipv4 gateway;
  Ipv4 client;  // the probes' own address, on the bridge
  std::vector<MachineAddress> machines;
  bool operator==(const AddressPlan&) const = default;
};

struct AddressProblem {
  std::string subject;  // "gateway", "client" or a machine's name
  std::string message;
  bool operator==(const AddressProblem&) const = default;
};

// Addresses outside the subnet, its network and broadcast addresses, and addresses used twice. In the plan's order.
[[nodiscard]] std::vector<AddressProblem> problems_in(const AddressPlan& plan);

}  // namespace patchlab::lab::network
