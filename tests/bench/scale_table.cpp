// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "lab/core/files.hpp"
#include "runners/forecast/fleet.hpp"
#include "tests/support/scale_world.hpp"

// The table of docs/scale.md, of sites that nobody has: `scale_table FILE` writes it, `scale_table --check FILE` says
// whether it is there. See tests/bench/scale.
namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view begins = "<!-- table: begin -->\n", ends = "<!-- table: end -->\n";
constexpr std::uint32_t cores = 16, memory_mib = 65536;
constexpr double mib_per_s = 110;  // of a gigabit

std::string hours(std::int64_t ms) {
  const auto minutes = (ms + 30'000) / 60'000;
  return minutes < 60 ? fmt::format("{} min", minutes) : fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::string row(const tests::ScaleWorld& world, std::size_t bad, std::size_t hosts, std::uint32_t processors) {
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
  return fmt::format("| {} | {} x {} | {} | {} | {} | {} | {} | {:.1f} | {} | {} ({}) | {:.2f} |\n",
                     windows ? "Windows" : "Debian", world.departments, world.machines, bad,
                     world.all_differ ? "no" : "yes", hosts, processors, trials,
                     static_cast<double>(busy) / 3'600'000.0, hours(plan.makespan_ms()), hours(plan.bound_ms()), which,
                     static_cast<double>(plan.makespan_ms()) / static_cast<double>(plan.bound_ms()));
}

std::string table() {
  std::string text =
      "| Guests | Departments x machines | Bad | Alike | Hosts | Processors of a job | Trials | Core hours | Makespan "
      "| "
      "Lower bound | Ratio |\n|---|---|---:|---|---:|---:|---:|---:|---:|---|---:|\n";
  for (const auto family : {GuestFamily::debian, GuestFamily::windows}) {
    const std::uint32_t few = family == GuestFamily::windows ? 4 : 2, many = family == GuestFamily::windows ? 8 : 5;
    const tests::ScaleWorld site{.departments = 10, .machines = 5, .patches = 20, .family = family};
    for (const std::size_t hosts : {1U, 2U, 4U}) {
      text += row(site, 0, hosts, few);
      text += row(site, 2, hosts, few);
    }
    text += row(site, 0, 4, many);
    text += row(site, 2, 4, many);
    auto differs = site;
    differs.all_differ = true;
    text += row(differs, 2, 4, many);
    auto hundred_times = site;
    hundred_times.departments = 1000;
    for (const std::size_t hosts : {10U, 50U, 200U}) {
      text += row(hundred_times, 0, hosts, few);
      text += row(hundred_times, 2, hosts, few);
    }
    text += row(hundred_times, 2, 50, many);
  }
  return text;
}

int main_of(const std::vector<std::string>& arguments) {
  const bool checks = arguments.size() == 2 && arguments[0] == "--check";
  if (!checks && arguments.size() != 1) {
    std::fputs("usage: scale_table [--check] FILE\n", stderr);
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
