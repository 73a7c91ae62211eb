// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>

#include "lab/image/build_commands.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/process/process.hpp"

namespace patchlab::lab::image {

// One line for people: "file: installing remaining packages (12.3 s)".
struct BuildEvent {
  std::string image;       // recipe name, or "base"
  std::string text;        // what is being done now
  Milliseconds elapsed{};  // since the build began
};
// Called from several threads, one at a time.
using BuildProgress = std::function<void(const BuildEvent&)>;

struct BuildRequest {
  std::filesystem::path recipes;   // scenarios/images
  std::vector<std::string> names;  // empty: all
  std::filesystem::path cache = cache_folder();
  unsigned jobs = 2;  // images at a time, after the base
  BuildProgress progress;
  std::stop_token stop;
};

struct BuiltImage {
  GoldenImage image;
  bool was_there = false;  // found in the cache
  Milliseconds took{};
};

// Name and digest of each image as it would be built now, without building: what the cache is asked for. Under a
// second, no network.
struct CurrentImage {
  std::string name;
  std::string digest;
  bool present = false;
};
[[nodiscard]] Result<std::vector<CurrentImage>> current_images(ProcessRunner& runner, const BuildRequest& request);

// How this user can build here: the quickest way that works when it is tried. A configuration error when none does.
[[nodiscard]] Result<BuildMode> build_mode(ProcessRunner& runner);

// Builds what is missing. Two builders of the same cache wait for each other. In the order of the names.
[[nodiscard]] Result<std::vector<BuiltImage>> build(ProcessRunner& runner, const BuildRequest& request);

}  // namespace patchlab::lab::image
