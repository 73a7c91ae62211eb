// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What the fuzzers do, in a second and with any compiler: the seeds of every target, cut, changed and mixed, must come
// back. The asan preset makes more of it.
#include <gtest/gtest.h>

#include <random>

#include "tests/fuzz/targets.hpp"

namespace patchlab::patches {
namespace {

constexpr int changed_seeds = 200;  // of each seed

class HostileInput : public ::testing::TestWithParam<const char*> {
 protected:
  const fuzz::Target& target_ = *fuzz::find_target(GetParam());
};

std::string changed(std::string bytes, std::mt19937& random) {
  for (auto left = 1 + random() % 4; left > 0 && !bytes.empty(); --left) {
    const auto at = random() % bytes.size();
    switch (random() % 4) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = static_cast<char>(0xff); break;
      case 2: bytes.erase(at, random() % 16); break;
      default: bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 64)); break;
    }
  }
  return bytes;
}

TEST_P(HostileInput, SurvivesCutSeeds) {
  for (const auto& seed : target_.seeds()) {
    const auto step = std::max<std::size_t>(1, seed.size() / 150);
    for (std::size_t size = 0; size <= seed.size(); size += step) target_.run(std::string_view(seed).substr(0, size));
  }
}

TEST_P(HostileInput, SurvivesChangedSeeds) {
  std::mt19937 random(20261124);
  for (const auto& seed : target_.seeds()) {
    for (int i = 0; i < changed_seeds; ++i) target_.run(changed(seed, random));
  }
}

TEST_P(HostileInput, SurvivesWhatIsForAnother) {
  for (const auto& other : fuzz::targets()) {
    for (const auto& seed : other.seeds()) target_.run(seed);
  }
  target_.run("");
}

// All of them: one that is only fuzzed is fed here as well.
std::vector<const char*> all_names() {
  std::vector<const char*> names;
  for (const auto& target : fuzz::targets()) names.push_back(target.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Every, HostileInput, ::testing::ValuesIn(all_names()),
                         [](const auto& given) { return std::string(given.param); });

}  // namespace
}  // namespace patchlab::patches
