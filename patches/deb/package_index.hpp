// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "patches/deb/control.hpp"

// The index of a flat apt repository ("Packages"): how apt is told which packages there are. Pure.
namespace patchlab::patches {

struct IndexedFile {
  std::string name;  // below the repository
  std::string sha256;
  std::uint64_t bytes = 0;
};

// One paragraph, with the empty line after it: what apt's solver goes by of the package's own fields, and where its
// file is. Whatever else a control file says, such as another file name, does not get in.
[[nodiscard]] std::string index_entry(const Stanza& control, const IndexedFile& file);

}  // namespace patchlab::patches
