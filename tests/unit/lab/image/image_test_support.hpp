// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::image::testing {

using test::TemporaryFolder;

inline constexpr const char* base_json = R"({
  "schema": "patchlab/image-base/v1", "packages": ["sysvinit-core", "qemu-guest-agent"], "kernel_package": "linux-image-cloud-amd64",
  "initramfs_package": "busybox-static", "modules": ["virtio", "virtio_blk"], "cmdline": "quiet", "disk_mib": 1024})";

inline constexpr const char* dns_json = R"({
  "schema": "patchlab/image-recipe/v1", "role": "dns", "description": "a name server", "packages": ["bind9"], "memory_mib": 256,
  "hostname": "dns1", "address": "10.20.0.10", "services": ["named"], "ready": {"tcp": [53], "udp": [53]},
  "credentials": [{"id": "ann", "user": "ann", "password": "p", "purpose": "tests"}]})";

}  // namespace patchlab::lab::image::testing
