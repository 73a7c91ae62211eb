// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "lab/content/index.hpp"
#include "lab/image/golden_image.hpp"

// The content folder, as its only writers see it: `blocks/ab/ab12...` has a block each, packed, under its SHA-256;
// `images/ab12...` an index each, under its own. Any web server can serve it. Several may publish at once, and any of
// them may be killed: what has its name is whole.
namespace patchlab::lab::content {

struct Published {
  std::string digest;  // of its index: what nodes ask for
  std::string name;
  std::uint64_t bytes = 0;         // of the image, without zeros
  std::uint64_t new_bytes = 0;     // of them, in blocks that were not there
  std::uint64_t stored_bytes = 0;  // those, packed
  std::uint64_t blocks = 0;
  std::uint64_t new_blocks = 0;
  std::uint64_t mended_blocks = 0;  // that were there, and damaged: they are replaced
};

// Reads the image once, and all of its blocks that are there already. Files are as readable as `folder` is; it is made
// when it is missing. A configuration error when the image is not what its image.json says.
[[nodiscard]] Result<Published> publish(const image::GoldenImage& image, const std::filesystem::path& folder,
                                        const std::stop_token& stop);

// The digest under which `publish` publishes it; nothing is written but a note in `cache`, so that the image is read
// once. The same error.
[[nodiscard]] Result<std::string> index_digest(const image::GoldenImage& image, const std::filesystem::path& cache,
                                               const std::stop_token& stop);

struct Trimmed {
  std::uint64_t images = 0;  // indexes that were removed
  std::uint64_t kept_images = 0;
  std::uint64_t blocks = 0;  // that no index names any more
  std::uint64_t bytes = 0;   // as they were stored
};
// Of each image (by name) the `keep` that were built last stay; all when nothing is given. Blocks that no index names
// are removed, and what killed publishers left. Waits for who publishes. An error (configuration) when it is no content
// folder, or has an index that cannot be understood: nothing is removed then.
[[nodiscard]] Result<Trimmed> trim(const std::filesystem::path& folder, std::optional<std::size_t> keep,
                                   const std::stop_token& stop);

}  // namespace patchlab::lab::content
