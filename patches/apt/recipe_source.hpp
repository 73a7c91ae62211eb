// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "patches/apt/apt_source.hpp"
#include "patches/candidate/candidate.hpp"

namespace patchlab::patches {

// The installed entry of a package in the golden images. All images that hold it must hold the same version, since one
// test candidate is made for all of them.
[[nodiscard]] Result<StatusEntry> installed_in_images(const std::string& package, const std::vector<AptImage>& images);

// Reads a recipe, fetches the version of its base package which the images hold, builds the candidate or takes it from
// the cache.
[[nodiscard]] Result<Candidate> candidate_from_recipe(const std::filesystem::path& recipe,
                                                      const std::vector<AptImage>& images, AptSource& apt,
                                                      const ContentStore& store, const std::filesystem::path& cache,
                                                      std::stop_token stop = {});

}  // namespace patchlab::patches
