// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/address.hpp"

#include <fmt/format.h>

#include <map>

namespace patchlab::lab::network {

std::vector<AddressProblem> problems_in(const AddressPlan& plan) {
  std::vector<MachineAddress> everybody{{"gateway", plan.gateway}, {"client", plan.client}};
  everybody.insert(everybody.end(), plan.machines.begin(), plan.machines.end());
  std::vector<AddressProblem> problems;
  std::map<Ipv4, std::string> taken;
  for (const auto& [name, address] : everybody) {
    if (!plan.subnet.contains(address)) {
      problems.push_back(
          {name, fmt::format("address {} is outside the subnet {}", address.text(), plan.subnet.text())});
    } else if (address == plan.subnet.network() || address == plan.subnet.broadcast()) {
      problems.push_back({name, fmt::format("address {} is the network or broadcast address of {}", address.text(),
                                            plan.subnet.text())});
    }
    const auto [owner, is_new] = taken.emplace(address, name);
    if (!is_new)
      problems.push_back({name, fmt::format("address {} is already that of '{}'", address.text(), owner->second)});
  }
  return problems;
}

}  // namespace patchlab::lab::network
