// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "patches/deb/deb_archive.hpp"
#include "patches/repack/recipe.hpp"

namespace patchlab::patches {

// A whole package in memory. Owners, modes and times stay in the entries, so that changing a package needs neither root
// nor fakeroot.
struct PackageContent {
  std::vector<TarEntry> control;
  std::vector<TarEntry> data;
};

[[nodiscard]] Result<PackageContent> read_package(const std::filesystem::path& deb, const DebLimits& limits = {});
// The same content gives the same bytes.
[[nodiscard]] Result<std::string> write_package(const PackageContent& content);

// Carries out a recipe: edits, then version, md5sums and conffiles brought in line. Pure. An edit that finds nothing to
// change is an error, because the recipe then no longer does what its title says.
[[nodiscard]] Result<PackageContent> apply_recipe(PackageContent content, const Recipe& recipe);

// A snippet put into a maintainer script (exposed for tests).
[[nodiscard]] std::string with_snippet(const std::string& script, const ScriptAddition& addition);

}  // namespace patchlab::patches
