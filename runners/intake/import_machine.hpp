// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lab/libvirt/imported_domain.hpp"
#include "lab/process/process.hpp"
#include "runners/intake/disk_file.hpp"

// A shut-off domain of what another hypervisor exported. See docs/how-to/bring-a-machine.md.
namespace patchlab::runners::intake {

// Where libvirt's own pool of that name has its files.
inline constexpr const char* usual_storage = "/var/lib/libvirt/images";

struct ImportRequest {
  std::filesystem::path file;
  std::string uri = "qemu:///system";  // of this host
  std::string name;                    // of the domain; empty: the file's, without its ending
  std::optional<std::uint32_t> memory_mib{};
  std::optional<std::uint32_t> cpus{};
  std::optional<lab::libvirt::Firmware> firmware{};
  std::filesystem::path storage = usual_storage;
  std::string network;  // empty: no cable is plugged in
  bool virtio = false;  // have virt-v2v put the virtio drivers in
  bool dry_run = false;
  std::string now;   // RFC 3339
  std::string tool;  // "patchlab 0.1.0"
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  std::stop_token stop{};
};

struct ImportedDisk {
  std::string source;  // the file, or the member of the package
  DiskFormat format = DiskFormat::raw;
  std::string sha256;       // of that; empty: in a package that was not unpacked
  std::uint64_t bytes = 0;  // as the guest sees it; 0: not looked at
  std::filesystem::path file;
};

enum class ManifestState { no_package, absent, not_read, verified };
[[nodiscard]] const char* to_string(ManifestState state);

struct Imported {
  lab::libvirt::ImportedMachine machine;  // its sources: the file, then what was in it
  std::string uri;
  std::string memory_from;  // "as told", "its descriptor", "nothing told it"
  std::string cpus_from;
  std::string firmware_from;
  bool firmware_known = false;  // not in a dry run of a package that does not say
  std::vector<ImportedDisk> disks;
  ManifestState manifest = ManifestState::no_package;
  std::vector<std::string> macs;  // as libvirt made them
  bool is_defined = false;
  std::vector<std::string> notes;  // what was not verified, not taken over, tidied up
};

// Reads, converts, puts the disks in place and defines the domain, in this order; it is never started. A domain or file
// of that name is an error and left as it is. Killed at any moment it leaves no half file: disks are made in a folder
// `.patchlab-import-...` of the storage, which the next import there removes, and come into place whole. Configuration
// errors are of the file or of what was asked for, infrastructure errors of the host. Blocks for as long as that takes.
[[nodiscard]] Result<Imported> import_machine(ProcessRunner& runner, const ImportRequest& request);

// What virt-v2v decided, from the domain that it writes (-o local): bus of the disks in their order, kind of adapter.
struct Converted {
  std::vector<std::filesystem::path> disks;
  std::string disk_bus;
  std::string nic_model;
  bool operator==(const Converted&) const = default;
};
[[nodiscard]] Result<Converted> converted_in(const std::string& xml, const std::string& name);

}  // namespace patchlab::runners::intake
