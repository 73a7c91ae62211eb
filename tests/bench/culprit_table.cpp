// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <string>

#include "tests/support/culprit_worlds.hpp"

// The table of docs/adr/0011: how often the culprit search is right, and what it costs.
//     build/<preset>/tests/bench/culprit_table [SEEDS [CANDIDATES]]
using namespace patchlab::runners;
using namespace patchlab::runners::tests;

namespace {

struct Kind {
  const char* name;
  std::function<World(Random&, std::size_t)> make;
};

const std::vector<Kind>& kinds() {
  static const auto groups = [](std::vector<std::size_t> sizes) {
    return [sizes](Random& random, std::size_t count) { return planted(random, count, sizes); };
  };
  static const std::vector<Kind> all{{"none", groups({})},
                                     {"one", groups({1})},
                                     {"two", groups({1, 1})},
                                     {"three", groups({1, 1, 1})},
                                     {"four", groups({1, 1, 1, 1})},
                                     {"pair", groups({2})},
                                     {"triple", groups({3})},
                                     {"one and a pair", groups({1, 2})},
                                     {"chains", chained},
                                     {"pair, one needs the other", pair_with_prerequisite},
                                     {"repaired by another", repaired}};
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const int seeds = argc > 1 ? std::stoi(argv[1]) : 200;
  std::vector<std::size_t> sizes{8, 32, 128};
  if (argc > 2) sizes = {std::stoul(argv[2])};
  fmt::print("{} runs a line; percent of runs, and trials as means\n\n", seeds);
  fmt::print(
      "| candidates | flakes | what is wrong | correct | partial | wrong | escaped | abstained | held | search | "
      "confirm | rest | all, P95 | ms a trial |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::size_t count : sizes) {
    for (const double flakes : {0.0, 0.01, 0.05, 0.10}) {
      for (const auto& kind : kinds()) {
        if (count == 128 && seeds < 1000 && (flakes == 0.10 || flakes == 0.01)) continue;
        std::map<Ending, int> endings;
        double search = 0, confirm = 0, rest = 0, held = 0;
        std::vector<std::size_t> totals;
        const auto begin = std::chrono::steady_clock::now();
        for (int seed = 0; seed < seeds; ++seed) {
          Random random(static_cast<std::uint64_t>(seed) * 1000003U + count);
          const auto world = kind.make(random, count);
          const auto run = simulate(world, random, flakes);
          ++endings[run.ending];
          search += static_cast<double>(run.search);
          confirm += static_cast<double>(run.confirm);
          rest += static_cast<double>(run.rest);
          held += static_cast<double>(run.held.size());
          totals.push_back(run.search + run.confirm + run.rest);
        }
        const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
        std::ranges::sort(totals);
        const auto percent = [&](Ending ending) { return 100.0 * endings[ending] / seeds; };
        const auto all = std::accumulate(totals.begin(), totals.end(), 0.0);
        fmt::print(
            "| {} | {:.0f} % | {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {:.2f} | {:.2f} "
            "| {} | {:.2f} |\n",
            count, 100 * flakes, kind.name, percent(Ending::correct), percent(Ending::partial), percent(Ending::wrong),
            percent(Ending::escaped), percent(Ending::abstained), held / seeds, search / seeds, confirm / seeds,
            rest / seeds, totals[static_cast<std::size_t>(0.95 * static_cast<double>(seeds - 1))], spent.count() / all);
        std::fflush(stdout);
      }
    }
  }
  return 0;
}
