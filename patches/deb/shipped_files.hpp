// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "lab/core/guest_files.hpp"
#include "lab/core/result.hpp"
#include "patches/deb/deb_archive.hpp"

namespace patchlab::patches {

// What a .deb puts into a system, with the digests of its own bytes: what a guest's dpkg says of it is not asked.
[[nodiscard]] Result<ShippedPackage> shipped_files(const std::filesystem::path& deb, const std::string& package,
                                                   const DebLimits& limits = {});

}  // namespace patchlab::patches
