// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "patches/bytes/byte_source.hpp"

namespace patchlab::patches {

// What a Windows program (Portable Executable) says of itself. An .exe package is only recognised: how it installs is
// the vendor's own.
struct Executable {
  std::string architecture;  // amd64, x86, arm64, arm, ia64
  std::string product_name;
  std::string file_version;
  std::string description;
  std::string original_name;
  bool carries_signature = false;
  std::string installer;  // "WiX Burn" and the like, where a section's name shows it
};

// Reads headers, section table and the version resource; a file that ends before its sections do is an error. Errors
// say "'name' ...".
[[nodiscard]] Result<Executable> read_executable(const ByteSource& source, const std::string& name);

}  // namespace patchlab::patches
