// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "lab/core/files.hpp"
#include "lab/network/address.hpp"

// Inside lab/network only: frames of a device of the caller's network namespace.
namespace patchlab::lab::network {

struct Device {
  int index = 0;
  MacAddress mac;
};
[[nodiscard]] Result<Device> find_device(const std::string& name);
// Every frame there, also those for others; never blocks.
[[nodiscard]] Result<FileDescriptor> open_wire(const Device& device);
// Of all devices of this network namespace: they speak by themselves (IPv6 router solicitations, for example).
[[nodiscard]] std::set<MacAddress> macs_of_own_devices();

}  // namespace patchlab::lab::network
