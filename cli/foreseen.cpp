// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/foreseen.hpp"

#include <unistd.h>

#include <algorithm>
#include <thread>

#include "history/archive/run_archive.hpp"
#include "lab/core/printable.hpp"
#include "reports/record/host_keys.hpp"

namespace patchlab::cli {
namespace {

namespace forecast = runners::forecast;

constexpr std::size_t most_runs = 10;        // that say what steps took
constexpr std::size_t most_looked_at = 100;  // to find them
// Of these, before the first machine starts: a record of a large fleet is of 10 MiB, and takes half a second.
constexpr std::uintmax_t most_bytes = 64U << 20U;

// A run that ended before its first trial says nothing of how long anything takes.
bool has_steps(const reports::RunRecord& record) {
  return std::ranges::any_of(record.departments, [](const auto& department) { return !department.trials.empty(); });
}

std::string accelerator_of(const reports::RunRecord& record) {
  const auto known = record.host.find(reports::accelerator_key);
  return known == record.host.end() ? std::string() : known->second;
}

struct Counted {
  std::size_t times = 0;
  std::size_t recorded = 0;  // of the machine, or of its kind
};
Counted counted(const forecast::FleetPlan& plan) {
  Counted counted;
  for (const auto& department : plan.work.departments) {
    for (const auto& said : department.course->times) {
      ++counted.times;
      const auto who = said.time.said;
      if (who == forecast::Said::recorded || who == forecast::Said::of_this_kind) ++counted.recorded;
    }
  }
  return counted;
}

}  // namespace

std::vector<reports::RunRecord> recorded_runs(const std::filesystem::path& runs, const std::string& scenario) {
  const history::RunArchive archive(runs);
  std::vector<reports::RunRecord> own, others;
  std::size_t looked_at = 0;
  std::uintmax_t bytes = 0;
  for (const auto& id : archive.list()) {
    if (own.size() == most_runs || looked_at == most_looked_at) break;
    std::error_code code;
    const auto file = archive.find(id);
    const auto size = file ? std::filesystem::file_size(*file, code) : 0;
    if (!code) bytes += size;
    if (bytes > most_bytes && looked_at > 0) break;
    ++looked_at;
    auto record = archive.read(id);
    if (!record || !record->complete || !has_steps(*record)) continue;
    auto& kept = record->scenario_name == scenario ? own : others;
    if (kept.size() < most_runs) kept.push_back(std::move(*record));
  }
  // Others say something only where this scenario was not run often enough yet.
  for (auto& record : others) {
    if (own.size() == most_runs) break;
    own.push_back(std::move(record));
  }
  if (own.empty()) return own;
  const auto first = accelerator_of(own.front());
  std::erase_if(own, [&](const auto& record) { return accelerator_of(record) != first; });
  return own;
}

runners::forecast::FleetAsked like_this_host() {
  const auto bytes =
      static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return {.hosts = 1,
          .cores = std::max(1U, std::thread::hardware_concurrency()),
          .memory_mib = static_cast<std::uint32_t>(bytes >> 20U)};
}

std::optional<runners::forecast::FleetPlan> foreseen_here(const runners::Plan& plan,
                                                          const std::vector<reports::RunRecord>& records) {
  const bool searches =
      std::ranges::all_of(plan.departments, [](const auto& job) { return job.controls == 0 && !job.each_alone; });
  if (plan.executor || !searches) return std::nullopt;
  auto work = forecast::work_of(plan.departments, runners::host::Executor{}, forecast::Durations(records), {});
  if (work.departments.empty()) return std::nullopt;
  auto planned = forecast::plan_on(std::move(work), like_this_host());
  if (!planned) return std::nullopt;
  return std::move(*planned);
}

void expect(runners::Plan& plan, const runners::forecast::FleetPlan& foreseen) {
  for (const auto& department : foreseen.work.departments) {
    const auto job = std::ranges::find(
        plan.departments, department.name, [](const auto& one) -> const auto& { return one.cell.department; });
    if (job != plan.departments.end()) job->expected = Milliseconds(department.course->course.chain_ms());
  }
}

std::string foreseen_text(const runners::forecast::FleetPlan& plan) {
  const auto [times, recorded] = counted(plan);
  const auto& work = plan.work;
  const auto good = work.bad.empty()
                        ? std::string("when every candidate is good")
                        : fmt::format("when {} of {} candidates are bad", work.bad.size(), work.candidates);
  const auto hosts = plan.hosts.count == 1 ? std::string("this host") : fmt::format("{} hosts", plan.hosts.count);
  // What is assumed bounds nothing but the plan itself.
  const auto from = recorded == 0
                        ? fmt::format("none of {} times is recorded: all are assumed, or said by the scenario", times)
                        : fmt::format("{} of {} times are recorded; with these no schedule is shorter than {}",
                                      recorded, times, forecast::duration_text(plan.bound_ms()));
  auto text =
      fmt::format("{} and {}: {} on {} ({})\n", good, work.again ? "the night is like the last one" : "nothing is kept",
                  forecast::duration_text(plan.makespan_ms()), hosts, from);
  for (const auto* sentences : {&plan.remarks, &plan.work.not_planned}) {
    for (const auto& sentence : *sentences) text += "  " + printable(sentence) + "\n";
  }
  return text;
}

reports::ForeseenRecord foreseen_record(const runners::forecast::FleetPlan& plan) {
  const auto [times, recorded] = counted(plan);
  return {.makespan_ms = plan.makespan_ms(),
          .lower_bound_ms = plan.bound_ms(),
          .times = static_cast<std::int64_t>(times),
          .recorded_times = static_cast<std::int64_t>(recorded)};
}

Json foreseen_json(const runners::forecast::FleetPlan& plan) {
  const auto [times, recorded] = counted(plan);
  return {{"makespan_ms", plan.makespan_ms()},
          {"lower_bound_ms", plan.bound_ms()},
          {"times", times},
          {"recorded_times", recorded}};
}

}  // namespace patchlab::cli
