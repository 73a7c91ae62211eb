// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/result.hpp"
#include "lab/process/process.hpp"

// A libvirt on another host, as libvirt's own URIs name it (https://libvirt.org/uri.html). libvirt would bring its
// socket here; the lab goes there instead, by the same program, `ssh`, and runs itself beside the disks.
namespace patchlab::lab::libvirt {

struct SshDestination {
  std::string user;  // empty: whom ssh takes
  std::string host;
  std::uint16_t port = 0;             // 0: what ssh takes
  std::filesystem::path keyfile;      // empty: the keys that ssh finds
  std::filesystem::path known_hosts;  // empty: those that ssh finds
  std::string uri;                    // as that libvirt is called there: "qemu:///system"
  bool operator==(const SshDestination&) const = default;

  [[nodiscard]] std::string name() const;  // "root@hv1.example:2222"
};

// nullopt when the libvirt is on this host. A configuration error for hosts that are reached by other means than ssh,
// and for parameters that have no meaning here; it says why.
[[nodiscard]] Result<std::optional<SshDestination>> ssh_destination(const std::string& uri);

// `command` as a process on that host, with our standard streams. It never asks (BatchMode), knows the host's key
// beforehand or refuses, forwards nothing, and ends within 80 seconds after the host has fallen silent.
[[nodiscard]] ProcessSpec ssh_process(const SshDestination& destination, const std::vector<std::string>& command);

}  // namespace patchlab::lab::libvirt
