// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/share.hpp"

#include <fmt/format.h>

#include "lab/core/paths.hpp"

namespace patchlab::cli {

namespace fs = std::filesystem;

Result<fs::path> share_folder(const fs::path& program) {
  const auto is_share = [](const fs::path& folder) { return is_file(folder / "scenarios/images/common/base.json"); };
  const auto installed = program.parent_path().parent_path() / "share" / "patchlab";
  if (is_share(installed)) return installed;
  auto above = program.parent_path();
  for (int levels = 0; levels < 3; ++levels) {
    above = above.parent_path();
    if (is_share(above)) return above;
  }
  return configuration_error(
      fmt::format("the scenarios and image recipes that belong to '{}' are neither in '{}' nor in a checkout around it",
                  program.string(), installed.string()),
      "install patchlab as a whole ('cmake --install', or its package), or use build/release/patchlab of a checkout");
}

}  // namespace patchlab::cli
