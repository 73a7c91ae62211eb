// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "patches/candidate/candidate.hpp"
#include "patches/repack/recipe.hpp"
#include "patches/store/content_store.hpp"

namespace patchlab::patches {

// Makes the test candidate of a recipe from its base package, or takes it from the cache when recipe and base are the
// same as before. `cache`: the folder that remembers which recipe and base gave which digest.
[[nodiscard]] Result<Candidate> build_candidate(const Recipe& recipe, const CandidateFile& base,
                                                const ContentStore& store, const std::filesystem::path& cache);

}  // namespace patchlab::patches
