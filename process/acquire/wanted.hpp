// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/json.hpp"

// Files that are to be in the content store, and how they are known.
namespace patchlab::process {

struct WantedFile {
  std::string name;    // as its publisher calls it
  std::string sha256;  // what it is
  std::string sha1;    // as Windows' update servers know it; finds a file, and proves nothing
  std::optional<std::uint64_t> bytes;
  std::string kb;    // that it must say of itself; empty: none
  std::string item;  // the update or candidate that it is of
  std::string from;  // where it is to be had, for people
  std::string bad;   // why it is not taken: its update is known to be bad; empty: it is
  // Of the apt sources, which are asked for it; empty: somebody brings it.
  std::string package, version, architecture;
  [[nodiscard]] bool is_of_apt() const { return !package.empty(); }
};

// {"schema": "patchlab/wanted/v1", "files": [{"name", "sha256", "sha1", "bytes", "kb", "item", "from"}]}; name and
// sha256 are required. An error (configuration) for a digest or name that is there twice, and for no file at all.
[[nodiscard]] Result<std::vector<WantedFile>> parse_wanted(const Json& json, const std::string& file_name);

}  // namespace patchlab::process
