// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/files.hpp"

// An OVF package as one file: a tar archive with the descriptor and its files in it (DSP0243, 6.4), in no folder.
namespace patchlab::runners::intake {

struct PackageMember {
  std::string name;  // as is_package_name wants it
  std::uint64_t bytes = 0;
  std::filesystem::path file;  // where it was unpacked; empty: nowhere
};
struct Package {
  std::vector<PackageMember> members;  // in the order of the archive
  std::string descriptor_name;         // of the only one that ends with .ovf
  std::string descriptor;
  std::string manifest_name;  // the descriptor's with .mf; empty: there is none
  std::string manifest;
  bool has_certificate = false;  // the descriptor's with .cert
  [[nodiscard]] const PackageMember* find(const std::string& name) const;
};

// Reads it from its beginning. With a `folder`, which is ours alone, every member is written there, by names that are
// ours; without, only descriptor and manifest are kept. Links, folders, devices, sparse members, names that are paths
// or come twice, more than 64 members, and an archive that ends too early are configuration errors; a folder that
// cannot hold it an infrastructure error. `name` is for both.
[[nodiscard]] Result<Package> read_package(const InputFile& input, const std::string& name,
                                           const std::filesystem::path& folder);

}  // namespace patchlab::runners::intake
