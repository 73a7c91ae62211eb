// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lab/core/digest.hpp"

// The manifest of an OVF package (DSP0243, 6.3): a digest of each file. Pure.
namespace patchlab::runners::intake {

struct ManifestLine {
  DigestKind kind = DigestKind::sha256;
  std::string file;
  std::string digest;  // lower-case hexadecimal digits, as many as its kind has
  bool operator==(const ManifestLine&) const = default;
};

// Lines "SHA256(disk1.vmdk)= <hex>", SHA1 and SHA512 likewise. A line that is none, a file named twice, and a manifest
// of nothing are configuration errors: "'x.mf' ...".
[[nodiscard]] Result<std::vector<ManifestLine>> read_manifest(std::string_view text, const std::string& name);

}  // namespace patchlab::runners::intake
