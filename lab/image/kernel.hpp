// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab::lab::image {

// The kernel proper out of a bzImage (Documentation/arch/x86/boot.rst, payload_offset), for QEMU's PVH entry. Unpacking
// inside the machine costs seconds under emulation, and half a minute after a reboot: the kernel is then written over
// pages whose code QEMU has translated. A payload that is not LZ4 (other distributions) comes back unchanged: it boots
// too, only slower.
[[nodiscard]] Result<std::string> unpacked_kernel(std::string_view bz_image);

// LZ4's legacy frame: a magic number, then blocks of a 32-bit size and the data, up to 8 MiB each when unpacked.
// Stops at the end, or at a rest too short for a block: the kernel's build appends the unpacked size.
[[nodiscard]] Result<std::string> unpack_lz4_legacy(std::string_view packed);

}  // namespace patchlab::lab::image
