// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/libvirt/imported_domain.hpp"

// The descriptor of an export: Open Virtualization Format, DMTF DSP0243 (1.1 and 2.1). Pure.
namespace patchlab::runners::intake {

struct OvfMachine {
  std::optional<std::uint32_t> memory_mib{};
  std::optional<std::uint32_t> cpus{};
  std::optional<lab::libvirt::Firmware> firmware{};  // as VMware writes it; the standard has no word for it
  std::optional<bool> is_windows{};                  // by the kind of guest system; nothing: it says none that is known
  std::vector<std::string> disks;  // names of files of the package, in the order in which the machine has them
  std::size_t nics = 0;
  std::vector<std::string> left_out;  // what it describes and the domain will not have: "2 CD drives"
  bool operator==(const OvfMachine&) const = default;
};

// One machine, whose disks are whole files of the package. Anything else (several machines, disks that stand on others,
// that are packed or cut in pieces, or that are empty) is a configuration error: "'x.ovf' ...". `name` is for that.
[[nodiscard]] Result<OvfMachine> read_ovf(std::string_view bytes, const std::string& name);

// The name of a file in a package: no folders, nothing that a path, an option or a terminal would take for something
// else.
[[nodiscard]] bool is_package_name(std::string_view name);

}  // namespace patchlab::runners::intake
