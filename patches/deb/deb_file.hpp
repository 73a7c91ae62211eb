// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "patches/deb/control.hpp"
#include "patches/deb/deb_archive.hpp"

namespace patchlab::patches {

// What a .deb says of itself, after all of it was read.
struct DebFile {
  std::string package;
  std::string version;
  std::string architecture;
  std::string depends;
  std::string pre_depends;
  SourceName source;
  std::string description;           // first line
  std::uint64_t installed_kib = 0;   // the package's own estimate
  std::uint64_t unpacked_bytes = 0;  // counted
  std::uint64_t entries = 0;         // files, folders, links and special files
  std::uint64_t special_files = 0;   // devices, FIFOs: dpkg makes them, so they are taken
  std::vector<std::string> maintainer_scripts;
  std::uint64_t bytes = 0;  // of the .deb
  std::string sha256;

  // package_version_arch.deb without the epoch: safe on any medium, and the same for the same package whatever the file
  // was called.
  [[nodiscard]] std::string canonical_name() const;
};

// Reads every byte of the package, so that truncation and corruption are found here and not in a guest.
[[nodiscard]] Result<DebFile> inspect_deb(const std::filesystem::path& path, const DebLimits& limits = {});
// The control file alone, of a package that was read to its end before.
[[nodiscard]] Result<Stanza> control_of(const std::filesystem::path& path, const DebLimits& limits = {});
[[nodiscard]] std::string canonical_deb_name(const std::string& package, const std::string& version,
                                             const std::string& architecture);
void to_json(Json& json, const DebFile& file);

}  // namespace patchlab::patches
