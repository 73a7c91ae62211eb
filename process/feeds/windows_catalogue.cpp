// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/core/digest.hpp"
#include "process/feeds/readers.hpp"

namespace patchlab::process {

Result<WindowsCatalogue> read_windows_catalogue(const std::filesystem::path& path,
                                                const patches::CatalogueScope& scope) {
  PATCHLAB_ASSIGN(const auto source, patches::FileSource::open(path));
  WindowsCatalogue read;
  PATCHLAB_ASSIGN(read.catalogue, patches::read_catalogue(source, path.string(), scope));
  PATCHLAB_ASSIGN(const auto digest, sha256_of_file(path));
  read.file = {FeedKind::windows_catalogue,    path.filename().string(), digest, source.size(),
               day_in(read.catalogue.created), read.catalogue.entries};
  return read;
}

}  // namespace patchlab::process
