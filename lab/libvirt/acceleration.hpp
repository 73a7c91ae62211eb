// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "lab/hypervisor.hpp"
#include "lab/process/process.hpp"

namespace patchlab::lab::libvirt {

struct Acceleration {
  Accelerator accelerator = Accelerator::tcg;
  std::string reason;  // "a guest boots under KVM", "there is no /dev/kvm", "a guest under KVM did not boot: ..."
  bool operator==(const Acceleration&) const = default;
};

struct AccelerationProbe {
  std::filesystem::path device = "/dev/kvm";
  // A Linux kernel to boot as well, because some hosts run firmware under KVM and then fail in a kernel; empty:
  // firmware only.
  std::filesystem::path kernel;
  // The answer is kept here, by kernel, QEMU version and user, and that it does not work for a day; empty: nowhere.
  std::filesystem::path cache_folder;
};

// Whether KVM works, found out by booting something with it for a second or two: a device node that can be opened
// proves nothing.
[[nodiscard]] Acceleration usable_acceleration(ProcessRunner& runner, const AccelerationProbe& probe);

// What is booted, as values. Both make QEMU end by itself.
inline constexpr const char* boot_disk_greeting = "patchlab boots";
inline constexpr int boot_disk_exit_code = 33;
[[nodiscard]] std::string
boot_disk();  // its boot sector writes the greeting to COM1, then leaves by QEMU's debug-exit device
[[nodiscard]] ProcessSpec boot_disk_process(const std::string& accelerator, const std::filesystem::path& disk);
// A kernel without a root file system panics at the end of its own start; then QEMU exits.
[[nodiscard]] ProcessSpec kernel_process(const std::string& accelerator, const std::filesystem::path& kernel);

}  // namespace patchlab::lab::libvirt
