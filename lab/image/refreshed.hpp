// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/image/golden_image.hpp"

// A golden image into which patches were put: an image of its own, which stands on nothing, beside the one that it was
// made of.
namespace patchlab::lab::image {

struct RefreshedContents {
  GoldenImage parent;
  std::vector<std::string> files;  // SHA-256 of what was put into it, in the order of installation
  std::filesystem::path disk;      // qcow2 that stands on nothing; it is moved
  std::string dpkg_status;
  Json provenance;
  std::string built;  // RFC 3339
};

// The folder's name: of the content of the parent, and of what was put into it. Two departments that put the same into
// the same share an image.
[[nodiscard]] std::string refreshed_digest(const GoldenImage& parent, const std::vector<std::string>& files);

// While the cache is held (hold_cache): writes it aside and renames it, so that a killed process leaves nothing that
// counts. One that is there already is returned as it is.
[[nodiscard]] Result<GoldenImage> keep_refreshed(const std::filesystem::path& cache, const RefreshedContents& contents);

}  // namespace patchlab::lab::image
