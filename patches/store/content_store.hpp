// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "lab/core/result.hpp"

namespace patchlab::patches {

// What somebody promised about a file before it was read.
struct Expected {
  std::string sha256;  // empty: nothing was said
  std::optional<std::uint64_t> bytes;
};

struct StoredFile {
  std::string sha256;
  std::uint64_t bytes = 0;
  bool operator==(const StoredFile&) const = default;
};

// Files by their SHA-256: <root>/<first two digits>/<digest>, read-only. A file is written aside, synced, verified and
// renamed, so that any number of processes may add the same content at once and a killed one leaves nothing that
// counts. Whoever reads gets a path whose content was hashed again just now.
class ContentStore {
 public:
  explicit ContentStore(std::filesystem::path root);

  // Copies a file in, unless it is here already: then nothing is written. A size or digest other than the expected one
  // is an error that quotes both; nothing is stored then.
  [[nodiscard]] Result<StoredFile> add_file(const std::filesystem::path& file, const Expected& expected = {}) const;
  [[nodiscard]] Result<StoredFile> add_bytes(std::string_view bytes, const std::string& name) const;

  [[nodiscard]] bool contains(const std::string& sha256) const;
  // The stored file after verifying it; an error when it is missing or no longer what its name says.
  [[nodiscard]] Result<std::filesystem::path> verified_path(const std::string& sha256) const;
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] std::filesystem::path path_of(const std::string& sha256) const;

 private:
  // The file, when it is as expected and an intact copy of it is here.
  [[nodiscard]] std::optional<StoredFile> already_stored(const std::filesystem::path& file,
                                                         const Expected& expected) const;
  [[nodiscard]] Result<StoredFile> move_in(const std::filesystem::path& written, const std::string& name,
                                           const Expected& expected) const;
  std::filesystem::path root_;
};

// <cache>/store
[[nodiscard]] ContentStore default_store();

}  // namespace patchlab::patches
