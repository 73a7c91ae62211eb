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

constexpr std::size_t most_runs = 10;  // that are read for what steps took

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
  std::vector<reports::RunRecord> records;
  for (const auto& id : archive.list()) {
    if (records.size() == most_runs) break;
    auto record = archive.read(id);
    if (record && record->complete) records.push_back(std::move(*record));
  }
  std::stable_partition(records.begin(), records.end(),
                        [&](const auto& record) { return record.scenario_name == scenario; });
  if (records.empty()) return records;
  const auto first = accelerator_of(records.front());
  std::erase_if(records, [&](const auto& record) { return accelerator_of(record) != first; });
  return records;
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

std::string foreseen_text(const runners::forecast::FleetPlan& plan) {
  const auto [times, recorded] = counted(plan);
  auto text = fmt::format(
      "when every candidate is good and nothing is kept: {} on this host (no schedule is shorter than {}; {} of {} "
      "times "
      "are recorded)\n",
      forecast::duration_text(plan.makespan_ms()), forecast::duration_text(plan.bound_ms()), recorded, times);
  for (const auto* sentences : {&plan.remarks, &plan.work.not_planned}) {
    for (const auto& sentence : *sentences) text += "  " + printable(sentence) + "\n";
  }
  return text;
}

Json foreseen_json(const runners::forecast::FleetPlan& plan) {
  const auto [times, recorded] = counted(plan);
  return {{"makespan_ms", plan.makespan_ms()},
          {"lower_bound_ms", plan.bound_ms()},
          {"times", times},
          {"recorded_times", recorded}};
}

}  // namespace patchlab::cli
