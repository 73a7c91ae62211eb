// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "lab/core/guest_files.hpp"
#include "patches/deb/deb_file.hpp"
#include "patches/store/content_store.hpp"

namespace patchlab::patches {

// What packages say of themselves, kept by the SHA-256 of their bytes in the folder "facts" of a content store, so that
// no start unpacks them again. The digest is computed from the file each time: other bytes are another package. A note
// that is damaged, of other bytes, of another version of this program's readers, or that somebody else could have
// written, is not used, and made anew; so is one of which something would come back otherwise than it was read. Nothing
// is kept of a package that cannot be read to its end. Where nothing can be kept, packages are read as ever. Any number
// of processes and threads may use one folder.
class DebFacts {
 public:
  explicit DebFacts(const ContentStore& store) : folder_(store.root() / "facts") {}

  // As inspect_deb. With other limits than the usual ones the package is always read.
  [[nodiscard]] Result<DebFile> inspect(const std::filesystem::path& deb, const DebLimits& limits = {}) const;
  // As shipped_files.
  [[nodiscard]] Result<ShippedPackage> shipped(const std::filesystem::path& deb, const std::string& package) const;
  // As changelog_of.
  [[nodiscard]] Result<std::optional<std::string>> changelog(const std::filesystem::path& deb,
                                                             const std::string& package) const;

 private:
  template <class Facts>
  [[nodiscard]] Result<Facts> known_or_read(const std::filesystem::path& deb, const std::string& what,
                                            const std::string& package,
                                            const std::function<Result<Facts>()>& read) const;

  std::filesystem::path folder_;
};

}  // namespace patchlab::patches
