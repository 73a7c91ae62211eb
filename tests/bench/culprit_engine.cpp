// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "tests/bench/culprit_cells.hpp"
#include "tests/support/clean_nights.hpp"
#include "tests/support/culprit_engine.hpp"

// What docs/culprit-search.md says of the real engine: whether the small copy of it that culprit_search measures says
// the same, and what becomes of nights without a bad patch.
using namespace patchlab::runners::tests;

namespace {

// How many nights lose anything, in the real engine and the real cell.
void measure_clean_nights(const std::string& file, int nights) {
  const auto known = known_in(file);
  for (const double flakes : {0.001, 0.01}) {
    const auto key = fmt::format("60;clean night;{};0;patchlab", flakes);
    if (nights == 0 || known.contains(key)) continue;
    const auto sum = patchlab::test::clean_nights(nights, 60, flakes);
    std::ofstream(file, std::ios::app) << fmt::format("{};{};{};{}\n", key, sum.nights, sum.with_a_flake, sum.spoiled);
  }
}

// False: somewhere they say something else.
bool compare(const Options& options, const std::string& file) {
  const auto wanted = std::stoul(options.text("compare", "0"));
  std::size_t same = 0, tried = 0;
  for (std::uint64_t seed = 1; tried < wanted; ++seed) {
    for (const auto& cell : cells(options)) {
      if (tried == wanted) break;
      Random random(seed * 7919U + cell.count);
      const auto world = cell.kind->make(random, cell.count);
      const auto simulated = simulation_says(world, cell.noise, seed), real = engine_says(world, cell.noise, seed);
      ++tried;
      if (simulated == real) {
        ++same;
      } else {
        std::cerr << fmt::format("{}, seed {}:\n  simulation: {}\n  engine:     {}\n", key_of(cell, "patchlab"), seed,
                                 simulated, real);
      }
    }
  }
  if (wanted > 0) std::cout << fmt::format("{} of {} worlds: the same in the real engine\n", same, tried);
  if (wanted > 0 && same == tried)
    std::ofstream(file, std::ios::app) << fmt::format("0;compared;0;0;engine;{}\n", tried);
  return same == tried;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  const auto file = options.text("cells", "");
  if (file.empty()) {
    std::cerr << "usage: culprit_engine cells=FILE [nights=0] [compare=0] [sizes=8,16,...] [kinds=...] [flakes=...] "
                 "[errors=...]\n"
                 "adds to the file that culprit_search writes its document from: of so many clean nights how many lost "
                 "anything, and that so many worlds came out the same in the real engine\n";
    return 64;
  }
  measure_clean_nights(file, std::stoi(options.text("nights", "0")));
  return compare(options, file) ? 0 : 1;
}
