// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/forecast/fleet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "lab/core/printable.hpp"

namespace patchlab::runners::forecast {
namespace {

constexpr std::uint32_t least_slots = 2;     // of a cell, and of a host: runners/engine/execute.cpp
constexpr std::size_t most_shown = 20;       // departments and hosts in a text
constexpr std::size_t parts_of_a_load = 40;  // columns of the chart

std::size_t searches_in(const ForeseenDepartment& foreseen) {
  return static_cast<std::size_t>(std::ranges::count_if(foreseen.trials, [](const auto& trial) {
    return trial.purpose == reports::Purpose::search || trial.purpose == reports::Purpose::confirm;
  }));
}

CellLoad load_of(const PlannedDepartment& department) {
  return {.name = department.name,
          .processors = department.request.processors,
          .slots = std::max(department.request.processors, least_slots),
          .memory_mib = department.request.memory_mib,
          .course = {department.course, &department.course->course},
          .images = department.images};
}

std::string mib(std::uint64_t bytes) { return fmt::format("{} MiB", (bytes + (1U << 20U) - 1) >> 20U); }

double ratio_of(const FleetPlan& plan) {
  return plan.bound_ms() == 0 ? 1.0 : static_cast<double>(plan.makespan_ms()) / static_cast<double>(plan.bound_ms());
}

double busy_share(const FleetPlan& plan, const HostLoad& host) {
  const auto whole = static_cast<double>(plan.forecast.makespan_ms) * plan.hosts.cores;
  return whole == 0 ? 0 : static_cast<double>(host.busy_ms) / whole;
}

// A column for each part of the time: how much of the cores is busy.
std::string chart(const std::vector<double>& load) {
  static constexpr std::string_view marks = " .:-=+*#";
  std::string text;
  for (const auto part : load) {
    const auto level = static_cast<std::size_t>(part * static_cast<double>(marks.size() - 1) + 0.999);
    text += part <= 0 ? ' ' : marks[std::clamp<std::size_t>(level, 1, marks.size() - 1)];
  }
  return text;
}

// What was said of the times of all departments, added up.
struct Row {
  std::size_t count = 0;
  std::int64_t ms = 0;
};
using Sums = std::map<std::tuple<StepKind, Said, std::uint32_t>, Row>;
Sums sums_of(const Work& work) {
  Sums sums;
  for (const auto& department : work.departments) {
    for (const auto& said : department.course->times) {
      const bool has_run = said.time.said == Said::recorded || said.time.said == Said::of_this_kind;
      auto& row = sums[{said.kind, said.time.said, has_run ? said.time.run : 0}];
      ++row.count;
      row.ms += said.time.ms;
    }
  }
  return sums;
}

std::string run_of(const Work& work, Said said, std::uint32_t run) {
  return (said == Said::recorded || said == Said::of_this_kind) && run < work.runs.size() ? work.runs[run] : "";
}

std::string who_says(const Work& work, Said said, std::uint32_t run) {
  const auto where = run_of(work, said, run);
  switch (said) {
    case Said::recorded: return "recorded in run " + where;
    case Said::of_this_kind: return "of this kind, in run " + where;
    case Said::by_scenario:
    case Said::assumed: break;
  }
  return to_string(said);
}

Json time_json(const Work& work, const Time& time) {
  Json json{{"ms", time.ms}, {"said", to_string(time.said)}};
  if (const auto run = run_of(work, time.said, time.run); !run.empty()) json["run"] = run;
  return json;
}

std::string bound_text(const FleetPlan& plan) {
  const auto& bound = plan.forecast.bound;
  const auto longest = bound.ms();
  std::vector<std::string> parts{fmt::format("the longest department by itself {}", duration_text(bound.chain_ms)),
                                 fmt::format("all work on all cores {}", duration_text(bound.work_ms)),
                                 fmt::format("all memory {}", duration_text(bound.memory_ms))};
  if (longest == bound.work_ms && longest != bound.chain_ms) std::swap(parts[0], parts[1]);
  if (longest == bound.memory_ms && longest != bound.chain_ms && longest != bound.work_ms)
    std::rotate(parts.begin(), parts.begin() + 2, parts.end());
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::string duration_text(std::int64_t ms) {
  if (ms < 60'000) return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000.0);
  const auto seconds = (ms + 500) / 1000;
  if (seconds < 3600) return fmt::format("{} min {:02} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {:02} min", seconds / 3600, seconds % 3600 / 60);
}

Work work_of(const std::vector<DepartmentJob>& jobs, const host::Executor& executor, const Durations& durations,
             const Assumptions& assumptions) {
  Work work;
  work.again = assumptions.again;
  work.frame = durations.frame();
  work.runs = durations.runs();
  auto bad = evenly_spread(jobs, assumptions.bad);
  work.bad.assign(bad.begin(), bad.end());
  std::set<std::string> candidates;
  Foresight foresight(std::move(bad), assumptions.kept);
  std::map<const ForeseenDepartment*, std::shared_ptr<const CellCourse>> alike;
  for (const auto& job : jobs) {
    const auto& name = job.cell.department;
    if (!job.tested_in.empty()) {
      work.not_planned.push_back(
          fmt::format("department '{}' is not in it: '{}' is tested instead", name, job.tested_in));
      continue;
    }
    if (job.cell.libvirt) {
      work.not_planned.push_back(
          fmt::format("department '{}' is not in it: its machines are clones on '{}', and go nowhere else", name,
                      job.cell.libvirt->uri));
      continue;
    }
    for (const auto& candidate : job.candidates) {
      if (!candidate.installs.empty()) candidates.insert(candidate.id);
    }
    const auto foreseen = foresight.of(job);
    std::shared_ptr<const CellCourse> course;
    if (!durations.knows(name)) course = alike[foreseen.get()];
    if (!course) {
      course = std::make_shared<CellCourse>(course_of(*foreseen, name, durations, assumptions.kept.states));
      if (!durations.knows(name)) alike[foreseen.get()] = course;
    }
    PlannedDepartment department{.name = name,
                                 .machines = job.cell.machines.size(),
                                 .trials = foreseen->trials.size() + 1,
                                 .searches = searches_in(*foreseen),
                                 .request = host::request_of(executor, job.cell),
                                 .course = std::move(course)};
    for (const auto& machine : job.cell.machines) {
      const auto bytes = assumptions.images.find(machine.golden_digest);
      if (bytes != assumptions.images.end()) department.images.emplace_back(bytes->first, bytes->second);
    }
    work.departments.push_back(std::move(department));
  }
  work.candidates = candidates.size();
  return work;
}

Work work_of(const reports::RunRecord& record, const host::Executor& executor) {
  const Durations durations({record});
  Work work;
  work.frame = durations.frame();
  work.runs = durations.runs();
  work.candidates = record.candidates.size();
  work.took_ms = record.duration_ms;
  if (record.foreseen) work.foreseen_ms = record.foreseen->makespan_ms;
  for (const auto& department : record.departments) {
    if (department.trials.empty()) {
      work.not_planned.push_back(fmt::format("department '{}' is not in it: it had no trial", department.name));
      continue;
    }
    const auto foreseen = trials_of(record, department);
    cell::CellJob job;
    for (const auto& machine : department.machines) {
      cell::MachineJob one;
      one.plan.memory_mib = machine.memory_mib;
      job.machines.push_back(std::move(one));
    }
    const auto* baseline = reports::trial_with_purpose(department, reports::Purpose::baseline);
    const bool kept = baseline != nullptr && !baseline->state_of_run.empty();
    work.departments.push_back(
        {.name = department.name,
         .machines = department.machines.size(),
         .trials = foreseen.trials.size() + 1,
         .searches = searches_in(foreseen),
         .request = host::request_of(executor, job),
         .course = std::make_shared<CellCourse>(course_of(foreseen, department.name, durations, kept))});
  }
  return work;
}

Result<FleetPlan> plan_on(Work work, const FleetAsked& asked) {
  FleetPlan plan;
  // Longest first, as a run begins them. Departments that are alike share a course.
  std::unordered_map<const CellCourse*, std::int64_t> alone;
  std::vector<std::size_t> order;
  for (const auto& department : work.departments) {
    order.push_back(order.size());
    if (!alone.contains(department.course.get())) alone[department.course.get()] = department.course->course.chain_ms();
  }
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](std::size_t i) { return alone.at(work.departments[i].course.get()); });
  std::vector<CellLoad> cells;
  for (const auto i : order) cells.push_back(load_of(work.departments[i]));
  plan.hosts = {.count = asked.hosts, .cores = asked.cores, .memory_mib = asked.memory_mib};
  if (asked.hosts == 1 && !asked.by_executor) {
    plan.hosts.slots = Hosts::Slots::together;
    plan.hosts.cores = std::max(asked.cores, least_slots);
  }
  const bool moves_images = plan.hosts.slots == Hosts::Slots::by_cell && asked.mib_per_s;
  if (moves_images) plan.hosts.bytes_per_ms = *asked.mib_per_s * (1U << 20U) / 1000.0;
  if (plan.hosts.slots == Hosts::Slots::by_cell && !asked.mib_per_s)
    plan.remarks.emplace_back("every host has the golden images already: --rate counts how long they take to come");
  if (const auto why = why_not(cells, plan.hosts); !why.empty())
    return configuration_error("the departments do not fit: " + why, "give hosts more with --cores and --memory");
  plan.forecast = simulate(cells, plan.hosts, parts_of_a_load);
  auto placed = plan.forecast.cells;
  for (std::size_t i = 0; i < order.size(); ++i) plan.forecast.cells[order[i]] = placed[i];
  plan.work = std::move(work);
  return plan;
}

Json fleet_json(const FleetPlan& plan) {
  const auto& work = plan.work;
  Json departments = Json::array();
  for (std::size_t i = 0; i < work.departments.size(); ++i) {
    const auto& department = work.departments[i];
    const auto& placed = plan.forecast.cells[i];
    Json times = Json::array();
    for (const auto& said : department.course->times) {
      auto time = time_json(work, said.time);
      time["step"] = to_string(said.kind);
      if (!said.machine.empty()) time["machine"] = said.machine;
      if (!said.candidate.empty()) time["candidate"] = said.candidate;
      times.push_back(std::move(time));
    }
    departments.push_back({{"department", department.name},
                           {"machines", department.machines},
                           {"trials", department.trials},
                           {"search_trials", department.searches},
                           {"processors", department.request.processors},
                           {"memory_mib", department.request.memory_mib},
                           {"host", placed.host + 1},
                           {"begins_ms", placed.begin_ms},
                           {"images_there_ms", placed.ready_ms},
                           {"ends_ms", placed.end_ms},
                           {"alone_ms", department.course->course.chain_ms()},
                           {"times", std::move(times)}});
  }
  Json hosts = Json::array();
  for (const auto& host : plan.forecast.hosts) {
    hosts.push_back({{"cells", host.cells},
                     {"busy_ms", host.busy_ms},
                     {"peak_memory_mib", host.peak_memory_mib},
                     {"image_bytes", host.image_bytes},
                     {"ends_ms", host.end_ms},
                     {"load", host.load}});
  }
  const auto& bound = plan.forecast.bound;
  Json json{{"hosts", std::move(hosts)},
            {"cores", plan.hosts.cores},
            {"memory_mib", plan.hosts.memory_mib},
            {"slots", plan.hosts.slots == Hosts::Slots::together ? "together" : "by cell"},
            {"makespan_ms", plan.makespan_ms()},
            {"lower_bound",
             {{"ms", plan.bound_ms()},
              {"work_ms", bound.work_ms},
              {"memory_ms", bound.memory_ms},
              {"chain_ms", bound.chain_ms}}},
            {"ratio", ratio_of(plan)},
            {"frame", time_json(work, work.frame)},
            {"candidates", work.candidates},
            {"assumed_bad", work.bad},
            {"again", work.again},
            {"shared_trials", plan.forecast.shared_trials},
            {"departments", std::move(departments)},
            {"runs", work.runs},
            {"not_planned", work.not_planned},
            {"remarks", plan.remarks}};
  if (work.took_ms > 0) json["took_ms"] = work.took_ms;
  if (work.foreseen_ms) json["foreseen_ms"] = *work.foreseen_ms;
  if (plan.hosts.bytes_per_ms) json["rate_mib_s"] = *plan.hosts.bytes_per_ms * 1000.0 / (1U << 20U);
  return json;
}

std::string fleet_text(const FleetPlan& plan) {
  const auto& work = plan.work;
  std::size_t machines = 0, trials = 0, searches = 0;
  for (const auto& department : work.departments) {
    machines += department.machines;
    trials += department.trials;
    searches += department.searches;
  }
  auto text = printable_format("{} machines in {} departments, {} candidates{}{}: {} trials, {} of them to search",
                               machines, work.departments.size(), work.candidates,
                               work.bad.empty() ? "" : fmt::format(", of which {} are assumed bad", work.bad.size()),
                               work.again ? ", on a night like the last one" : "", trials, searches);
  if (plan.forecast.shared_trials > 0)
    text += fmt::format(" ({} answered by another department)", plan.forecast.shared_trials);
  text += fmt::format("\non {} of {} cores and {} MiB\n\n",
                      plan.hosts.count == 1 ? "one host" : fmt::format("{} hosts", plan.hosts.count), plan.hosts.cores,
                      plan.hosts.memory_mib);
  text += fmt::format("makespan     {}\nlower bound  {}: {}\nratio        {:.2f}\n", duration_text(plan.makespan_ms()),
                      duration_text(plan.bound_ms()), bound_text(plan), ratio_of(plan));
  if (work.took_ms > 0) text += fmt::format("the run took {}, where it was\n", duration_text(work.took_ms));
  if (work.foreseen_ms)
    text += fmt::format("foreseen     {}, before it began, with every candidate good and nothing kept\n",
                        duration_text(*work.foreseen_ms));
  text += printable_format("in both      {} before the first step and after the last one, {}\n\n",
                           duration_text(work.frame.ms), who_says(work, work.frame.said, work.frame.run));

  text += fmt::format("{:>5} {:>5} {:>5}  {:>11}  {:>10}  {:>13}  load, idle to busy:  .:-=+*#\n", "HOST", "CELLS",
                      "BUSY", "MOST MEMORY", "IMAGES", "ENDS");
  for (std::size_t i = 0; i < plan.forecast.hosts.size() && i < most_shown; ++i) {
    const auto& host = plan.forecast.hosts[i];
    text +=
        fmt::format("{:>5} {:>5} {:>4.0f}%  {:>7} MiB  {:>10}  {:>13}  |{}|\n", i + 1, host.cells,
                    100 * busy_share(plan, host), host.peak_memory_mib,
                    host.image_bytes > 0 ? mib(host.image_bytes) : "", duration_text(host.end_ms), chart(host.load));
  }
  if (plan.forecast.hosts.size() > most_shown)
    text += fmt::format("  and {} more: --json\n", plan.forecast.hosts.size() - most_shown);

  text += fmt::format("\n{:<20} {:>8} {:>6} {:>10} {:>9} {:>5} {:>13} {:>13} {:>13}\n", "DEPARTMENT", "MACHINES",
                      "TRIALS", "PROCESSORS", "MEMORY", "HOST", "WAITS", "TAKES", "ALONE");
  for (std::size_t i = 0; i < work.departments.size() && i < most_shown; ++i) {
    const auto& department = work.departments[i];
    const auto& placed = plan.forecast.cells[i];
    text += printable_format("{:<20} {:>8} {:>6} {:>10} {:>5} MiB {:>5} {:>13} {:>13} {:>13}\n", department.name,
                             department.machines, department.trials, department.request.processors,
                             department.request.memory_mib, placed.host + 1, duration_text(placed.ready_ms),
                             duration_text(placed.end_ms - placed.ready_ms),
                             duration_text(department.course->course.chain_ms()));
  }
  if (work.departments.size() > most_shown)
    text += fmt::format("  and {} more: --json\n", work.departments.size() - most_shown);

  text += fmt::format("\n{:<18} {:>7} {:>12}  {}\n", "STEP", "TIMES", "MEAN", "WHO SAYS SO");
  for (const auto& [of, row] : sums_of(work)) {
    const auto& [kind, said, run] = of;
    text += printable_format("{:<18} {:>7} {:>12}  {}\n", to_string(kind), row.count,
                             duration_text(row.ms / static_cast<std::int64_t>(row.count)), who_says(work, said, run));
  }
  if (!plan.remarks.empty() || !work.not_planned.empty()) text += "\n";
  for (const auto* sentences : {&plan.remarks, &work.not_planned}) {
    for (const auto& sentence : *sentences) text += printable(sentence) + "\n";
  }
  return text;
}

}  // namespace patchlab::runners::forecast
