// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/libvirt/marks.hpp"

// Clones of domains that exist, as pure functions over XML, https://libvirt.org/formatdomain.html. The rule: what the
// guest can see stays (machine type, CPU, PCI addresses, MACs, firmware, clock, genid: Windows ties static addresses
// and activation to them); what connects it to its host and the world is replaced by the lab's own, or
// the golden domain is refused. Elements that are not known to be harmless are refused as well, so that a newer libvirt
// cannot open a way out.
namespace patchlab::lab::libvirt {

// An overlay to make: a qcow2 file on top of a disk of the golden domain.
struct OverlayFile {
  std::string target;  // "vda"
  std::filesystem::path golden;
  std::string golden_format;  // as the golden domain says: "qcow2", "raw", ...; never guessed from the contents
  std::filesystem::path overlay;
  bool operator==(const OverlayFile&) const = default;
};

struct FileCopy {
  std::filesystem::path from;
  std::filesystem::path to;
  bool operator==(const FileCopy&) const = default;
};

struct ClonePlan {
  std::string golden;  // its name
  Mark mark;
  std::string xml;  // to be defined
  std::vector<OverlayFile> overlays;
  std::vector<FileCopy> copies;  // the firmware's variables (NVRAM)
  std::vector<std::filesystem::path>
      reads;  // files of the golden domain that the clone opens too but cannot write: read-only disks
  std::vector<std::string> macs;  // lower case, in the order of the NICs
  std::uint64_t memory_kib = 0;   // what it has when it starts
};

// `golden_xml` is that of virDomainGetXMLDesc with VIR_DOMAIN_XML_INACTIVE: what is defined, without aliases and
// run-time values, and without VIR_DOMAIN_XML_SECURE, so that no console password reaches a clone. `machine` says where
// the clone belongs; its files go into `machine.folder`, its NICs to the network `machine` less its machine name.
//
// Errors are configuration errors: "golden domain 'srv2012' cannot be cloned: <element> ...", with the next step as a
// hint.
[[nodiscard]] Result<ClonePlan> plan_clone(const std::string& golden_xml, const Mark& machine);

// What is in a running clone and is none of what plan_clone leaves in one, as libvirt describes it now: NICs on other
// networks, displays, channels, devices of the host ... Somebody attached it, or a hook of libvirt put it there. Empty:
// nothing. An allow-list: what is not known is a way out.
[[nodiscard]] Result<std::vector<std::string>> ways_out_of(const std::string& live_xml, const Mark& machine);

// Whether a domain's firmware is in flash, as that of UEFI is, which it can write for its variables.
[[nodiscard]] bool has_firmware_flash(const std::string& domain_xml);

// The <disk> of the domain's first CD drive with this medium in it, for virDomainUpdateDeviceFlags; an empty path is an
// empty drive.
[[nodiscard]] Result<std::string> cd_drive_with(const std::string& domain_xml, const std::filesystem::path& iso);

}  // namespace patchlab::lab::libvirt
