// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "patches/bytes/byte_source.hpp"

// What people get instead of the package that they wanted to download.
namespace patchlab::patches {

struct FileKind {
  std::string what;  // "a web page (HTML)"; empty when the file may be a package, or is nothing that is known
  std::string hint;
};
// From the first bytes; never an error, since the readers of packages say what is wrong with those.
[[nodiscard]] FileKind file_kind(const ByteSource& source);

// An error "'x.msu' is no package: it is a web page (HTML)" for what is known to be something else.
[[nodiscard]] Result<void> check_is_package(const std::filesystem::path& path);

}  // namespace patchlab::patches
