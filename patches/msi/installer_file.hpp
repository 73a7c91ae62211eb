// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "lab/core/replaced_products.hpp"
#include "patches/bytes/byte_source.hpp"

namespace patchlab::patches {

enum class InstallerKind { package, patch };

// What an .msi or .msp says of itself: summary information, and the Property or MsiPatchMetadata table.
struct InstallerFile {
  InstallerKind kind = InstallerKind::package;
  std::string title;
  std::string product_name;
  std::string product_version;
  std::string architecture;  // amd64, x86, arm64, ia64; of a package
  std::string language;      // decimal language identifiers
  std::string kb;
  std::string classification;  // "Security Update", ... of a patch
  std::string removable;       // "yes", "no"; of a patch
  std::string product_code;
  std::string upgrade_code;
  std::string package_code;
  std::string patch_code;
  bool carries_signature = false;
  std::vector<ReplacedProducts> replaces;     // older products that a package takes away
  std::vector<std::string> target_products;   // product codes a patch applies to
  std::vector<std::string> replaced_patches;  // patch codes that a patch takes the place of
};

// Other compound files (Word documents, transforms) are refused: the root's class says which it is. Errors say "'name'
// ...".
[[nodiscard]] Result<InstallerFile> read_installer_file(const ByteSource& source, const std::string& name);

}  // namespace patchlab::patches
