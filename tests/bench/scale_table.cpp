// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <sys/resource.h>

#include <cstdio>

#include "lab/core/files.hpp"
#include "runners/forecast/fleet.hpp"
#include "tests/support/scale_world.hpp"

// The table of docs/scale.md, of sites that nobody has: `scale_table FILE` writes it, `scale_table --check FILE` says
// whether it is there, and `scale_table --time` prints what it takes to plan a large one. See tests/bench/scale.
namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view begins = "<!-- table: begin -->\n", ends = "<!-- table: end -->\n";
constexpr std::uint32_t cores = 16, memory_mib = 65536;
constexpr double mib_per_s = 110;   // of a gigabit
constexpr double most_ratio = 1.2;  // the goal: makespan against the lower bound
constexpr double most_seconds = 2;  // the goal: to plan the largest site, in an optimised build

std::string hours(std::int64_t ms) {
  const auto minutes = (ms + 30'000) / 60'000;
  return minutes < 60 ? fmt::format("{} min", minutes) : fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

struct Table {
  std::string text;
  std::size_t rows = 0, missed = 0;
  double worst = 0;
};

void row(Table& table, const tests::ScaleWorld& world, std::size_t bad, std::size_t hosts, std::uint32_t processors) {
  const bool windows = world.family == GuestFamily::windows;
  const auto jobs = tests::departments_of(world);
  forecast::Assumptions assumptions{.bad = bad};
  for (const auto& job : jobs) {
    for (const auto& machine : job.cell.machines)
      assumptions.images[machine.golden_digest] = (windows ? std::uint64_t{12} << 30U : std::uint64_t{600} << 20U);
  }
  const host::Executor executor{.cpus = processors};
  auto work = forecast::work_of(jobs, executor, forecast::Durations({tests::record_of(world)}), assumptions);
  std::size_t trials = 0;
  for (const auto& department : work.departments) trials += department.trials;
  const auto plan =
      forecast::plan_on(
          std::move(work),
          {.hosts = hosts, .cores = cores, .memory_mib = memory_mib, .by_executor = true, .mib_per_s = mib_per_s})
          .value();
  std::int64_t busy = 0;
  for (const auto& host : plan.forecast.hosts) busy += host.busy_ms;
  const auto& bound = plan.forecast.bound;
  const auto* which = bound.ms() == bound.chain_ms ? "chain" : bound.ms() == bound.work_ms ? "work" : "memory";
  const auto ratio = static_cast<double>(plan.makespan_ms()) / static_cast<double>(plan.bound_ms());
  table.text += fmt::format(
      "| {} | {} x {} | {} | {} | {} | {} | {} | {:.1f} | {} | {} ({}) | {:.2f} |\n", windows ? "Windows" : "Debian",
      world.departments, world.machines, bad, world.all_differ ? "no" : "yes", hosts, processors, trials,
      static_cast<double>(busy) / 3'600'000.0, hours(plan.makespan_ms()), hours(plan.bound_ms()), which, ratio);
  ++table.rows;
  if (ratio > most_ratio) ++table.missed;
  table.worst = std::max(table.worst, ratio);
}

std::string table() {
  Table table;
  table.text =
      "| Guests | Departments x machines | Bad | Alike | Hosts | Processors of a job | Trials | Core hours | Makespan "
      "| "
      "Lower bound | Ratio |\n|---|---|---:|---|---:|---:|---:|---:|---:|---|---:|\n";
  for (const auto family : {GuestFamily::debian, GuestFamily::windows}) {
    const std::uint32_t few = family == GuestFamily::windows ? 4 : 2, many = family == GuestFamily::windows ? 8 : 5;
    const tests::ScaleWorld site{.departments = 10, .machines = 5, .patches = 20, .family = family};
    for (const std::size_t hosts : {1U, 2U, 4U}) {
      row(table, site, 0, hosts, few);
      row(table, site, 2, hosts, few);
    }
    row(table, site, 0, 4, many);
    row(table, site, 2, 4, many);
    auto differs = site;
    differs.all_differ = true;
    row(table, differs, 2, 4, many);
    auto hundred_times = site;
    hundred_times.departments = 1000;
    for (const std::size_t hosts : {10U, 50U, 200U}) {
      row(table, hundred_times, 0, hosts, few);
      row(table, hundred_times, 2, hosts, few);
    }
    row(table, hundred_times, 2, 50, many);
  }
  return table.text + fmt::format(
                          "\nThe goal is a makespan of at most {:.1f} x the lower bound. {} of these {} rows "
                          "miss it; the worst has {:.2f} x.\n",
                          most_ratio, table.missed, table.rows, table.worst);
}

// What it takes to plan 10 000 machines with 500 candidates a department for 50 hosts: the quickest of three.
int times() {
#ifdef __OPTIMIZE__
  const char* built = "an optimised build";
#else
  const char* built = "a build without optimisation, of which the goal is not asked";
#endif
  fmt::print(
      "Of {}:\n\n| Machines | Candidates | Alike | Bad | Seconds | Goal | Met |\n|---:|---:|---|---:|---:|---:|---|\n",
      built);
  const struct {
    bool all_differ;
    std::size_t bad;
  } sites[] = {{false, 0}, {false, 5}, {true, 0}};
  for (const auto& site : sites) {
    const auto jobs =
        tests::departments_of({.departments = 1000, .machines = 10, .patches = 500, .all_differ = site.all_differ});
    double seconds = 1e9;
    for (int i = 0; i < 3; ++i) {
      const auto begun = std::chrono::steady_clock::now();
      auto work = forecast::work_of(jobs, host::Executor{}, forecast::Durations(), {.bad = site.bad});
      const auto plan = forecast::plan_on(std::move(work), {.hosts = 50, .cores = cores, .memory_mib = memory_mib});
      if (!plan || plan->makespan_ms() == 0) {
        std::fputs("scale_table: error: nothing was planned\n", stderr);
        return 2;
      }
      seconds = std::min(seconds, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    }
    fmt::print("| 10000 | 500 | {} | {} | {:.2f} | {:.0f} | {} |\n", site.all_differ ? "no" : "yes", site.bad, seconds,
               most_seconds, seconds <= most_seconds ? "yes" : "**no**");
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("\nMost memory: {} MiB; the goal is 1024.\n", usage.ru_maxrss / 1024);
  return 0;
}

int main_of(const std::vector<std::string>& arguments) {
  if (arguments == std::vector<std::string>{"--time"}) return times();
  const bool checks = arguments.size() == 2 && arguments[0] == "--check";
  if (!checks && arguments.size() != 1) {
    std::fputs("usage: scale_table [--check] FILE, or scale_table --time\n", stderr);
    return 64;
  }
  const fs::path file = arguments.back();
  const auto page = read_file(file);
  const auto begin = page ? page->find(begins) : std::string::npos;
  const auto end = page ? page->find(ends) : std::string::npos;
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    fmt::print(stderr, "scale_table: error: '{}' has no place for the table\n", file.string());
    return 2;
  }
  const auto wanted = page->substr(0, begin + begins.size()) + "\n" + table() + "\n" + page->substr(end);
  if (wanted == *page) return 0;
  if (checks) {
    fmt::print(stderr, "scale_table: '{}' is not what is planned today; write it by tests/bench/scale\n{}",
               file.string(), table());
    return 1;
  }
  const auto written = write_file_atomically(file, wanted);
  if (!written) fmt::print(stderr, "scale_table: error: {}\n", written.error().message);
  return written ? 0 : 2;
}

}  // namespace
}  // namespace patchlab::runners

int main(int argc, char** argv) { return patchlab::runners::main_of({argv + 1, argv + argc}); }
