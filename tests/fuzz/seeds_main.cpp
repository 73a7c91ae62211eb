// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// fuzz_seeds FOLDER: writes the seed corpus of each target to FOLDER/<target>/. It is made, not stored: the builders of
// the tests are its source.
#include <filesystem>
#include <fstream>

#include "tests/fuzz/targets.hpp"

int main(int count, char** words) {
  if (count != 2) return 64;
  for (const auto& target : patchlab::fuzz::targets()) {
    const auto folder = std::filesystem::path(words[1]) / target.name;
    std::filesystem::create_directories(folder);
    int number = 0;
    for (const auto& seed : target.seeds())
      std::ofstream(folder / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
  }
  return 0;
}
