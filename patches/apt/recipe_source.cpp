// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/recipe_source.hpp"

#include <fmt/format.h>

#include "lab/core/files.hpp"
#include "patches/repack/recipe.hpp"
#include "patches/repack/repack.hpp"

namespace patchlab::patches {

Result<StatusEntry> installed_in_images(const std::string& package, const std::vector<AptImage>& images) {
  std::optional<StatusEntry> found;
  std::string holder;
  for (const auto& image : images) {
    PATCHLAB_ASSIGN(const auto text, read_file(image.dpkg_status));
    auto status = parse_dpkg_status(text);
    if (!status) return std::move(status).error().while_doing("'" + image.dpkg_status.string() + "'");
    for (const auto& entry : *status) {
      if (entry.package != package) continue;
      if (found && found->version != entry.version) {
        return configuration_error(fmt::format("images '{}' and '{}' hold different versions of '{}': {} and {}",
                                               holder, image.name, package, found->version, entry.version),
                                   "rebuild the older image");
      }
      found = entry;
      holder = image.name;
    }
  }
  if (!found) return configuration_error(fmt::format("no golden image holds package '{}'", package));
  return *found;
}

Result<Candidate> candidate_from_recipe(const std::filesystem::path& path, const std::vector<AptImage>& images,
                                        AptSource& apt, const ContentStore& store, const std::filesystem::path& cache,
                                        std::stop_token stop) {
  PATCHLAB_ASSIGN(const auto recipe, read_recipe(path));
  const auto doing = fmt::format("candidate '{}'", recipe.identity.id);
  PATCHLAB_ASSIGN(const auto installed, installed_in_images(recipe.base_package, images).while_doing(doing));
  PATCHLAB_ASSIGN(const auto base,
                  apt.package(installed.package, installed.version, installed.architecture, stop).while_doing(doing));
  return build_candidate(recipe, base, store, cache);
}

}  // namespace patchlab::patches
