// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace patchlab::lab::libvirt {

// How many million times a second the time stamp counter of an emulated guest counts, rounded: QEMU's TCG hands out the
// host's own counter. Found within a few hundredths of a per cent by comparing it with CLOCK_MONOTONIC_RAW for some
// milliseconds, also on a busy host. 0 on a host that is no x86-64. Any thread.
[[nodiscard]] std::uint32_t measured_tsc_mhz();
// Measured once in this process.
[[nodiscard]] std::uint32_t host_tsc_mhz();

}  // namespace patchlab::lab::libvirt
