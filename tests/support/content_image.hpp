// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/image/golden_image.hpp"

// Golden images as a build leaves them, with bytes instead of a guest.
namespace patchlab::tests {

// The same for the same seed; cannot be packed.
inline std::string noise(std::size_t size, std::uint64_t seed) {
  std::string bytes(size, '\0');
  for (auto& byte : bytes) {
    seed ^= seed << 13U;
    seed ^= seed >> 7U;
    seed ^= seed << 17U;
    byte = static_cast<char>(seed);
  }
  return bytes;
}

inline lab::image::GoldenImage put_image(const std::filesystem::path& cache, const std::string& disk,
                                         const std::string& built = "2026-11-01T00:00:00.000Z") {
  lab::image::GoldenImage image;
  image.name = image.role = image.hostname = "dns";
  image.memory_mib = 256;
  image.address = "10.20.0.10";
  image.built = built;
  image.suite = "bookworm";
  image.digest = sha256(built);
  const auto folder = lab::image::images_folder(cache) / image.digest;
  EXPECT_TRUE(create_folders(folder));
  for (const auto& [name, text] : {std::pair<std::string, std::string>{"disk.qcow2", disk},
                                   {"dpkg-status", "none\n"},
                                   {"initrd", noise(5000, 7)},
                                   {"kernel", noise(9000, 8)}}) {
    image.sha256[name] = sha256(text);
    EXPECT_TRUE(write_file_atomically(folder / name, text, 0444));
  }
  EXPECT_TRUE(write_file_atomically(folder / "image.json", pretty(Json(image)), 0444));
  auto loaded = lab::image::load(folder);
  EXPECT_TRUE(loaded) << loaded.error().message;
  return *loaded;
}

}  // namespace patchlab::tests
