// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "tests/bench/culprit_document.hpp"
#include "tests/support/clean_nights.hpp"
#include "tests/support/culprit_engine.hpp"
#include "tests/support/culprit_peers.hpp"

// How often the culprit search is right and what it costs, beside seven others on the same worlds and labs. No machine
// takes part. tests/bench/culprit-search runs it and writes docs/culprit-search.md with it.
using namespace patchlab::runners::tests;

namespace {

struct Cell {
  std::size_t count = 0;
  const WorldKind* kind = nullptr;
  Noise noise;
};

std::vector<std::string> listed(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) words.push_back(word);
  return words;
}

// Written NAME=VALUE.
class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      const auto sign = word.find('=');
      if (sign != std::string::npos) values_[word.substr(0, sign)] = word.substr(sign + 1);
    }
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : found->second;
  }
  // Whether a list of words holds this one, or there is no list.
  [[nodiscard]] bool allows(const std::string& name, const std::string& word) const {
    const auto words = listed(text(name, ""));
    return words.empty() || std::ranges::count(words, word) > 0;
  }

 private:
  std::map<std::string, std::string> values_;
};

std::vector<Cell> cells(const Options& options) {
  static const std::vector<Noise> noises{{0, 0},    {0.001, 0}, {0.01, 0},    {0.05, 0},   {0.10, 0},
                                         {0, 0.05}, {0, 0.10},  {0.05, 0.05}, {0.05, 0.10}};
  std::vector<Cell> all;
  for (const auto& count : listed(options.text("sizes", "8,16,32,64,128,256"))) {
    for (const auto& noise : noises) {
      for (const auto& kind : world_kinds()) {
        if (options.allows("kinds", kind.name) && options.allows("flakes", fmt::format("{}", noise.flakes)) &&
            options.allows("errors", fmt::format("{}", noise.errors)))
          all.push_back({std::stoul(count), &kind, noise});
      }
    }
  }
  return all;
}

std::string key_of(const Cell& cell, const std::string& who) {
  return fmt::format("{};{};{};{};{}", cell.count, cell.kind->name, cell.noise.flakes, cell.noise.errors, who);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(1, values.size()));
}

double p95_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(0.95 * static_cast<double>(values.size() - 1))];
}

std::string measured(const Cell& cell, const std::string& who, int seeds,
                     const std::function<SimulatedRun(SimulatedLab&)>& run_in) {
  std::array<int, endings> ended{};
  int persons = 0;
  std::vector<double> search, confirm, rest, all, seconds, steps, held;
  for (int seed = 0; seed < seeds; ++seed) {
    Random random(static_cast<std::uint64_t>(seed) * 1000003U + cell.count);
    const auto world = cell.kind->make(random, cell.count);
    SimulatedLab lab(world, cell.noise, random());
    const auto run = run_in(lab);
    ++ended[static_cast<std::size_t>(run.ending)];
    persons += run.needs_a_person ? 1 : 0;
    search.push_back(static_cast<double>(run.search));
    confirm.push_back(static_cast<double>(run.confirm));
    rest.push_back(static_cast<double>(run.rest));
    all.push_back(search.back() + confirm.back() + rest.back());
    seconds.push_back(run.seconds);
    held.push_back(static_cast<double>(run.named.size() + run.quarantined.size()));
    steps.insert(steps.end(), run.steps_ms.begin(), run.steps_ms.end());
  }
  auto line = fmt::format("{};{}", key_of(cell, who), seeds);
  for (const auto count : ended) line += fmt::format(";{:.2f}", 100.0 * count / seeds);
  return line + fmt::format(";{:.2f};{:.2f};{:.2f};{:.2f};{:.2f};{:.2f};{:.0f};{:.0f};{:.0f};{:.3f};{:.3f}\n",
                            100.0 * persons / seeds, mean_of(held), mean_of(search), mean_of(confirm), mean_of(rest),
                            mean_of(all), p95_of(all), mean_of(seconds), p95_of(seconds), p95_of(steps),
                            steps.empty() ? 0 : std::ranges::max(steps));
}

std::set<std::string> known_in(const std::string& file) {
  std::set<std::string> known;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    std::size_t end = 0;
    for (int field = 0; field < 5 && end != std::string::npos; ++field) end = line.find(';', end + (field > 0 ? 1 : 0));
    known.insert(line.substr(0, end));
  }
  return known;
}

// Nights without a bad patch, in the real engine and the real cell: how many lose anything.
void measure_clean_nights(const std::string& file, int nights, const std::set<std::string>& known) {
  for (const double flakes : {0.001, 0.01}) {
    const auto key = fmt::format("60;clean night;{};0;patchlab", flakes);
    if (nights == 0 || known.contains(key)) continue;
    const auto sum = patchlab::test::clean_nights(nights, 60, flakes);
    std::ofstream(file, std::ios::app) << fmt::format("{};{};{};{}\n", key, sum.nights, sum.with_a_flake, sum.spoiled);
  }
}

// Worlds in which the small copy of the engine, from which all figures come, and the real one must say the same.
int compare_with_the_engine(const Options& options) {
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
  if (wanted > 0 && !options.text("cells", "").empty() && same == tried)
    std::ofstream(options.text("cells", ""), std::ios::app) << fmt::format("0;compared;0;0;engine;{}\n", tried);
  return same == tried ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  const auto file = options.text("cells", "");
  if (file.empty()) {
    std::cerr << "usage: culprit_search cells=FILE [seeds=500] [sizes=8,16,...] [part=0] [parts=1] [kinds=...] "
                 "[flakes=...] [errors=...] [who=...] [nights=0] [compare=0] [write=PATH]\n"
                 "adds a line for each cell that the file does not hold yet; compares that many worlds with the real "
                 "engine; writes PATH.md and PATH.svg\n";
    return 64;
  }
  const int seeds = std::stoi(options.text("seeds", "500"));
  const auto parts = std::stoul(options.text("parts", "1"));
  const auto known = known_in(file);
  const auto all = cells(options);
  for (auto i = std::stoul(options.text("part", "0")); seeds > 0 && i < all.size(); i += parts) {
    const auto& cell = all[i];
    const auto add = [&](const std::string& who, const std::function<SimulatedRun(SimulatedLab&)>& run_in) {
      if (known.contains(key_of(cell, who)) || !options.allows("who", who)) return;
      const auto line = measured(cell, who, seeds, run_in);
      std::ofstream(file, std::ios::app) << line;  // one write a line: several parts may share a file
    };
    add("patchlab", [](SimulatedLab& lab) { return simulate(lab, MeasureSteps::yes); });
    if (cell.noise.errors > 0) continue;
    for (const auto& peer : peers())
      add(peer.name, [&](SimulatedLab& lab) { return simulate(peer, lab, cell.kind->culprits); });
  }
  measure_clean_nights(file, std::stoi(options.text("nights", "0")), known);
  if (const auto failed = compare_with_the_engine(options); failed != 0) return failed;
  if (const auto to = options.text("write", ""); !to.empty()) write_document(file, to);
  return 0;
}
