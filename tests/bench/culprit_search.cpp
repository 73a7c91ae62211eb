// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <iostream>
#include <mutex>
#include <numeric>
#include <thread>

#include "tests/bench/culprit_cells.hpp"
#include "tests/bench/culprit_document.hpp"
#include "tests/support/culprit_peers.hpp"

// How often the culprit search is right and what it costs, beside seven others on the same worlds and labs. No machine
// takes part. tests/bench/culprit-search runs it and writes docs/culprit-search.md with it.
using namespace patchlab::runners::tests;

namespace {

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
  std::vector<double> search, confirm, rest, back, all, seconds, steps, held;
  double confirm_seconds = 0, rest_seconds = 0, back_seconds = 0;
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
    back.push_back(static_cast<double>(run.back));
    all.push_back(search.back() + confirm.back() + rest.back() + back.back());
    seconds.push_back(run.seconds);
    confirm_seconds += run.confirm_seconds / seeds;
    rest_seconds += run.rest_seconds / seeds;
    back_seconds += run.back_seconds / seeds;
    held.push_back(static_cast<double>(run.named.size() + run.quarantined.size()));
    steps.insert(steps.end(), run.steps_ms.begin(), run.steps_ms.end());
  }
  auto line = fmt::format("{};{}", key_of(cell, who), seeds);
  for (const auto count : ended) line += fmt::format(";{:.2f}", 100.0 * count / seeds);
  return line +
         fmt::format(";{:.2f};{:.2f};{:.2f};{:.2f};{:.2f};{:.2f};{:.0f};{:.0f};{:.0f};{:.3f};{:.3f}",
                     100.0 * persons / seeds, mean_of(held), mean_of(search), mean_of(confirm), mean_of(rest),
                     mean_of(all), p95_of(all), mean_of(seconds), p95_of(seconds), p95_of(steps),
                     steps.empty() ? 0 : std::ranges::max(steps)) +
         fmt::format(";{:.2f};{:.0f};{:.0f};{:.0f}\n", mean_of(back), confirm_seconds, rest_seconds, back_seconds);
}

// Peers run where the document shows them.
bool has_peers(const Cell& cell) {
  const auto& [flakes, errors] = cell.noise;
  const bool is_plotted = cell.count == 32 && cell.kind->name == "one" && (flakes == 0.01 || flakes == 0.10);
  return errors == 0 && (flakes == 0 || flakes == 0.05 || is_plotted);
}

// Several threads take one cell after another, the largest first.
void measure(const Options& options, const std::string& file) {
  const int seeds = std::stoi(options.text("seeds", "500"));
  if (seeds == 0) return;
  const auto known = known_in(file);
  auto all = cells(options);
  std::ranges::stable_sort(all, std::ranges::greater{}, &Cell::count);
  std::atomic<std::size_t> next = 0;
  std::mutex writing;
  const auto add = [&](const Cell& cell, const std::string& who, const auto& run_in) {
    if (known.contains(key_of(cell, who)) || !options.allows("who", who)) return;
    const auto line = measured(cell, who, seeds, run_in);
    const std::lock_guard lock(writing);
    std::ofstream(file, std::ios::app) << line;
  };
  const auto work = [&] {
    for (auto i = next++; i < all.size(); i = next++) {
      const auto& cell = all[i];
      add(cell, "patchlab", [](SimulatedLab& lab) { return simulate(lab, MeasureSteps::yes); });
      if (!has_peers(cell)) continue;
      for (const auto& peer : peers())
        add(cell, peer.name, [&](SimulatedLab& lab) { return simulate(peer, lab, cell.kind->culprits); });
    }
  };
  std::vector<std::jthread> threads;
  for (auto left = std::stoul(options.text("threads", "1")); left > 1; --left) threads.emplace_back(work);
  work();
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  const auto file = options.text("cells", "");
  if (file.empty()) {
    std::cerr << "usage: culprit_search cells=FILE [seeds=500] [sizes=8,16,...] [threads=1] [kinds=...] [flakes=...] "
                 "[errors=...] [who=...] [write=PATH]\n"
                 "adds a line for each cell that the file does not hold yet; writes PATH.md and PATH.svg\n";
    return 64;
  }
  measure(options, file);
  if (const auto to = options.text("write", ""); !to.empty()) write_document(file, to);
  return 0;
}
