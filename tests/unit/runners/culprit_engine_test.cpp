// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/culprit_engine.hpp"

#include <gmock/gmock.h>

// The figures of docs/culprit-search.md come from a small copy of the engine. `culprit_engine` compares more worlds.
namespace patchlab::runners::tests {
namespace {

TEST(CulpritSimulation, SaysWhatTheRealEngineSays) {
  for (const auto& kind : world_kinds()) {
    for (const auto& noise : {Noise{}, Noise{0.05, 0}, Noise{0.1, 0.1}}) {
      for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        Random random(seed);
        const auto world = kind.make(random, 8);
        EXPECT_EQ(simulation_says(world, noise, seed), engine_says(world, noise, seed))
            << kind.name << ", " << noise.flakes << " flakes, " << noise.errors << " errors, seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace patchlab::runners::tests
