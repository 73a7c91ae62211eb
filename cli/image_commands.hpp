// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/commands.hpp"
#include "lab/image/versions.hpp"

namespace patchlab::cli {

// Below `patchlab image`, besides what its own file has.
void add_image_import(CLI::App& group, Chosen& chosen);
void add_image_refresh(CLI::App& group, Chosen& chosen);
void add_image_versions(CLI::App& group, Chosen& chosen);  // image show, image use

// "version 2, the newest, where its recipe makes image 3f0c51d2a7b84e19", "version 1, the image from the recipe".
[[nodiscard]] std::string starts_from(const lab::image::VersionLine& line);
[[nodiscard]] Json version_line_json(const lab::image::VersionLine& line);

}  // namespace patchlab::cli
