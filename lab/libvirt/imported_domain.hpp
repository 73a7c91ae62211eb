// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/result.hpp"

// A domain that is made of what somebody exported from another hypervisor, to be a golden domain once it was prepared.
namespace patchlab::lab::libvirt {

class Session;

enum class Firmware { bios, uefi };
[[nodiscard]] const char* to_string(Firmware firmware);

struct ImportedMachine {
  // What was imported, with its SHA-256: kept in the domain's metadata (urn:patchlab:import:1).
  struct Source {
    std::string name;  // of the file, without folders
    std::string sha256;
  };
  std::string name;  // as check_name wants it
  std::uint32_t memory_mib = 0;
  std::uint32_t cpus = 0;
  Firmware firmware = Firmware::bios;
  std::vector<std::filesystem::path> disks;  // qcow2 files, absolute, in order; the first is booted
  std::string disk_bus = "sata";             // a driver for it is in every Windows since 2008 R2
  std::string nic_model = "e1000e";          // likewise, since 2012
  std::size_t nics = 1;
  std::string network;     // libvirt's, for all of them; empty: none, and their cables are pulled
  bool local_time = true;  // the hardware clock shows local time, as Windows has it; else UTC
  std::vector<Source> sources;
  std::string made;  // RFC 3339
  std::string tool;  // "patchlab 0.1.0"
};

// The domain, as a pure function: what a golden domain must have (docs/system-libvirt.md), and nothing that a Windows
// without virtio drivers could not start from. `type` is that of <domain>: "kvm", "qemu". Machine type, uuid and MACs
// are left to libvirt, which makes them when it is defined and keeps them.
[[nodiscard]] std::string imported_domain_xml(const ImportedMachine& machine, const std::string& type);

// What <domain type> this libvirt runs x86_64 machines as, the quickest: "kvm", else "qemu". From what it says of
// itself (virConnectGetCapabilities).
[[nodiscard]] Result<std::string> domain_type_in(const std::string& capabilities);
[[nodiscard]] Result<std::string> domain_type_of(Session& session);

// A configuration error when there is a domain of that name, running or not.
[[nodiscard]] Result<void> check_is_new(Session& session, const std::string& name);
// A configuration error when there is no such network. An empty name is none.
[[nodiscard]] Result<void> check_has_network(Session& session, const std::string& network);

// Defines it, held against libvirt's schema, and never starts it. A domain of that name that has come meanwhile is left
// as it is: an error, since libvirt would have to give it another uuid.
struct DefinedDomain {
  std::vector<std::string> macs;  // in the order of the NICs
};
[[nodiscard]] Result<DefinedDomain> define_imported(Session& session, const std::string& xml);

}  // namespace patchlab::lab::libvirt
