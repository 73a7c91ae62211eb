// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "lab/process/process.hpp"

namespace patchlab::testing {

// Whether a program of the host cannot be started: the reason to skip a test that needs it.
inline bool is_missing(const std::string& program) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = {"--version"};
  return std::holds_alternative<NotStarted>(host_processes().run(spec).end);
}

// UEFI for machines, of Debian's ovmf, and the variables that it starts with.
inline constexpr const char* ovmf_code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
inline constexpr const char* ovmf_variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

// Empty when a test can start a libvirt of the system kind for itself, with machines that boot by BIOS and by UEFI;
// else why not, for GTEST_SKIP.
inline std::string why_no_system_libvirt() {
  if (::geteuid() != 0) return "a system libvirt is started by root only";
  // Of Debian's libvirt-daemon, iptables (libvirt's networks put rules in place) and util-linux.
  for (const char* program : {"libvirtd", "iptables", "unshare", "qemu-img"}) {
    if (is_missing(program)) return std::string(program) + " is not installed";
  }
  if (!std::filesystem::exists(ovmf_code)) return std::string(ovmf_code) + " is not installed";
  return {};
}

}  // namespace patchlab::testing
