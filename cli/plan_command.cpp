// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/executor_argument.hpp"
#include "cli/foreseen.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "cli/tonight.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/choice.hpp"
#include "lab/image/versions.hpp"
#include "runners/forecast/fleet.hpp"

namespace patchlab::cli {
namespace {

namespace forecast = runners::forecast;

struct Arguments {
  std::filesystem::path scenario;
  std::string run;
  runners::RunOptions options;
  ExecutorArgument executor;
  forecast::FleetAsked asked{.hosts = 1, .cores = 0};
  std::size_t bad = 0;
  double rate = 0;
  bool again = false;
  TonightArguments tonight;
  bool json = false;
};

// To plan builds nothing.
Result<void> images_are_there(const runners::Scenario& narrowed, const std::filesystem::path& cache) {
  for (const auto& department : narrowed.departments) {
    for (const auto& machine : department.machines) {
      if (machine.golden.domain) continue;
      PATCHLAB_ASSIGN(const auto built, lab::image::newest_of(cache, machine.golden.recipe));
      PATCHLAB_TRY(lab::image::image_for(cache, built, department.name, machine.name));
    }
  }
  return {};
}

Result<runners::Plan> planned(const runners::Scenario& scenario, const runners::RunOptions& options) {
  const auto stop = interruption();
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  auto tools = runners::this_host();
  tools.goldens = [provide = std::move(tools.goldens), cache = tools.cache](
                      runners::Scenario& narrowed, runners::Progress& told,
                      std::stop_token stopped) -> Result<runners::Goldens> {
    PATCHLAB_TRY(images_are_there(narrowed, cache));
    return provide(narrowed, told, std::move(stopped));
  };
  return runners::make_plan(scenario, options, tools, progress, stop);
}

forecast::Work work_of_jobs(const Arguments& arguments, const runners::Scenario& scenario,
                            const std::vector<runners::DepartmentJob>& jobs, const runners::host::Executor& executor,
                            const std::vector<reports::RunRecord>& recorded) {
  forecast::Assumptions assumptions{.bad = arguments.bad, .again = arguments.again};
  if (arguments.again) {
    assumptions.kept = {.states = scenario.reuse_states > Milliseconds{0},
                        .controls = scenario.reuse_controls > Milliseconds{0},
                        .convictions = scenario.reuse_convictions > Milliseconds{0}};
  }
  for (const auto& department : jobs) {
    for (const auto& machine : department.cell.machines) {
      std::error_code code;
      const auto bytes = std::filesystem::file_size(machine.golden_disk, code);
      if (!code) assumptions.images[machine.golden_digest] = bytes;
    }
  }
  return forecast::work_of(jobs, executor, forecast::Durations(recorded), assumptions);
}

Result<forecast::Work> work_of_scenario(const Arguments& arguments, const runners::host::Executor& executor,
                                        bool& applies) {
  PATCHLAB_ASSIGN(const auto scenario, runners::load_scenario(arguments.scenario));
  PATCHLAB_ASSIGN(const auto plan, planned(scenario, arguments.options));
  applies = anything_applies(plan);
  return work_of_jobs(arguments, scenario, plan.departments, executor,
                      recorded_runs(arguments.options.runs, scenario.name));
}

Result<forecast::Work> work_of_run(const Arguments& arguments, const runners::host::Executor& executor) {
  const auto& options = arguments.options;
  for (const auto& [option, given] : {std::pair("--role", &options.roles), {"--candidate", &options.candidates}}) {
    if (!given->empty())
      return usage_error(fmt::format("{} '{}' narrows a scenario, and --run asks of a run as it was", option,
                                     printable(given->front())),
                         "leave one of them out");
  }
  auto record = history::RunArchive(options.runs).read(arguments.run);
  if (!record) return std::move(record).error();
  std::vector<std::string> departments;
  for (const auto& department : record->departments) departments.push_back(department.name);
  PATCHLAB_TRY(check_choice("--department", options.departments, "is not in the run", departments));
  std::erase_if(record->departments, [&](const auto& department) {
    return !options.departments.empty() && std::ranges::count(options.departments, department.name) == 0;
  });
  return forecast::work_of(*record, executor);
}

// With what of the hosts was not said as it is here.
forecast::FleetAsked asked_of(const Arguments& arguments, bool by_executor) {
  auto asked = arguments.asked;
  const auto usual = like_this_host();
  if (asked.cores == 0) asked.cores = usual.cores;
  if (asked.memory_mib == 0) asked.memory_mib = usual.memory_mib;
  asked.by_executor = by_executor;
  if (arguments.rate > 0) asked.mib_per_s = arguments.rate;
  return asked;
}

ExitCode plan_a_scenario(const Arguments& arguments, const std::optional<runners::host::Executor>& executor) {
  const auto asked = asked_of(arguments, executor.has_value());
  const auto& options = arguments.options;
  std::optional<std::vector<reports::RunRecord>> recorded;  // read once
  const TonightTools tools{planned,
                           [&](const runners::Scenario& scenario, const std::vector<runners::DepartmentJob>& jobs) {
                             if (!recorded) recorded = recorded_runs(options.runs, scenario.name);
                             const auto cell = executor.value_or(runners::host::Executor{});
                             return forecast::plan_on(work_of_jobs(arguments, scenario, jobs, cell, *recorded), asked);
                           }};
  auto tonight = arguments.tonight;
  tonight.runs = options.runs;
  return plan_tonight(arguments.scenario, options.departments, tonight, tools, arguments.json);
}

// Options that do not go together, each by what was given for it.
Result<void> check_given(const Arguments& arguments) {
  const auto& options = arguments.options;
  const auto [option, value] = arguments.tonight.given();
  if (!option.empty() && !arguments.run.empty())
    return usage_error(
        fmt::format("{} '{}' makes a scenario, and --run asks of a run as it was", option, printable(value)),
        "leave one of them out");
  for (const auto& [narrowing, given] : {std::pair("--role", &options.roles), {"--candidate", &options.candidates}}) {
    if (!option.empty() && !given->empty())
      return usage_error(fmt::format("{} '{}' narrows a run, and a scenario that is written is of whole departments",
                                     narrowing, printable(given->front())),
                         option == "--emergency" ? "leave it out" : "name one candidate with --emergency");
  }
  if (arguments.scenario.empty() == arguments.run.empty())
    return usage_error("name a scenario, or a run with --run", "patchlab plan SCENARIO --hosts 4");
  return {};
}

ExitCode plan(Arguments& arguments) {
  if (const auto given = check_given(arguments); !given) return report(given.error());
  const auto executor = arguments.executor.read();
  if (!executor) return report(executor.error());
  if (!arguments.tonight.given().first.empty()) return plan_a_scenario(arguments, *executor);
  bool applies = true;
  Result<forecast::Work> work = [&]() -> Result<forecast::Work> {
    const auto cell = executor->value_or(runners::host::Executor{});
    if (arguments.run.empty()) return work_of_scenario(arguments, cell, applies);
    return work_of_run(arguments, cell);
  }();
  if (!work) return arguments.run.empty() ? report(work.error()) : report_input(work.error(), ExitCode::bad_data);
  const auto fleet = forecast::plan_on(std::move(*work), asked_of(arguments, executor->has_value()));
  if (!fleet) return report(fleet.error());
  if (arguments.json)
    say_json("makespan", forecast::fleet_json(*fleet));
  else
    write_out(forecast::fleet_text(*fleet));
  if (applies) return ExitCode::ok;
  return report(configuration_error("no candidate applies to any machine: a run would test nothing",
                                    "patchlab run --dry-run SCENARIO says why, of each"),
                ExitCode::only_skips);
}

}  // namespace

void add_plan(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* planning = app.add_subcommand("plan",
                                      "what to test tonight: a scenario of what is due; and how long a run takes on so "
                                      "many hosts");
  planning->add_option("scenario", arguments->scenario, "scenario file; its golden images must be there");
  auto* run = planning->add_option("--run", arguments->run,
                                   "instead of a scenario, what this run had to do: folder, run.json, id, or latest");
  planning->add_option("--hosts", arguments->asked.hosts, "how many hosts")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  planning->add_option("--cores", arguments->asked.cores, "processors of each; default: as this host")
      ->check(CLI::Range(1, 4096));
  planning->add_option("--memory", arguments->asked.memory_mib, "memory of each in MiB; default: as this host")
      ->check(CLI::Range(1, 1 << 30));
  planning->add_option("--rate", arguments->rate, "MiB per second at which golden images come to each host")
      ->check(CLI::Range(0.001, 1e6));
  auto* bad =
      planning->add_option("--bad", arguments->bad, "assume that so many candidates are bad, and are searched for")
          ->check(CLI::Range(0, 100000));
  auto* again =
      planning->add_flag("--again", arguments->again, "a night like the last one, with what the scenario lets it keep");
  planning->add_option("--department", arguments->options.departments, "only this department (may be given again)");
  planning->add_option("--role", arguments->options.roles, "only machines of this role, and what they depend on");
  planning->add_option("--candidate", arguments->options.candidates, "only this candidate, and what it needs");
  planning->add_option("--runs", arguments->options.runs, "folder of runs, in which steps were timed")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  add_executor(*planning, arguments->executor);
  add_tonight_options(*planning, arguments->tonight);
  planning->add_flag("--json", arguments->json, "as JSON, with each time and who says so");
  run->excludes(bad)->excludes(again);
  planning->callback([arguments, &chosen] { chosen = [arguments] { return plan(*arguments); }; });
}

}  // namespace patchlab::cli
