// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "patches/cab/cabinet.hpp"
#include "patches/msu/package_properties.hpp"
#include "patches/msu/servicing_package.hpp"
#include "patches/msu/update_metadata.hpp"

namespace patchlab::patches {

enum class ServicingContainer { msu, cab };

// All that an .msu, or a single servicing cabinet, says of itself.
struct MsuFile {
  ServicingContainer container = ServicingContainer::msu;
  std::vector<ServicingPackage>
      packages;  // in the order of installation: as the unattend document says, servicing stacks first without one
  std::vector<std::string> names;  // of the files inside the .msu: they carry the Windows release they are for
  PackageProperties properties;
  UpdateMetadata metadata;
  std::vector<std::string> notes;  // what does not fit together, without making the package unreadable
  bool carries_signature = false;
  std::uint64_t entries = 0;
  std::uint64_t unpacked_bytes = 0;
};

// Which of the two a cabinet is, is decided by what it holds: update.mum at its top makes it a servicing cabinet,
// cabinets inside make it an .msu. Every byte is unpacked, also of the cabinets inside; these go to unnamed temporary
// files, so memory stays small.
[[nodiscard]] Result<MsuFile> read_msu(const ByteSource& source, const std::string& name, const CabLimits& limits = {});

}  // namespace patchlab::patches
