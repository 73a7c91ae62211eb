// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "lab/hypervisor.hpp"

namespace patchlab::lab::libvirt {

// The libvirt domain of a machine: a pure function of the spec; the same spec gives the same bytes. Machine type, CPU
// model and PCI addresses are pinned, as guests tie their configuration to them.
[[nodiscard]] std::string domain_xml(const MachineSpec& spec);
// The same machine for libvirt's test driver, which knows no accelerator, CPU model or machine type.
[[nodiscard]] std::string test_driver_xml(const MachineSpec& spec);
// An internal snapshot: disk and, when the machine runs, memory.
[[nodiscard]] std::string snapshot_xml(const std::string& name);
// One that the disk of a machine holds already, with memory, of a machine that ran; `domain`: as libvirt describes the
// machine, for VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE. That wants a time of creation too, and nobody asks for it.
[[nodiscard]] std::string adopted_snapshot_xml(const std::string& name, const std::string& domain);

// Names become parts of paths and commands inside libvirt and QEMU: 1 to 60 of a-z A-Z 0-9 . _ -, beginning with a
// letter or digit.
[[nodiscard]] Result<void> check_name(const std::string& what, const std::string& name);

}  // namespace patchlab::lab::libvirt
