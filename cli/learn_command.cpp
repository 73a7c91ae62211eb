// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <map>

#include "cli/commands.hpp"
#include "cli/executor_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "runners/engine/learn.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  std::filesystem::path scenario;
  runners::LearnOptions options;
  ExecutorArgument executor;
};

void tell(const runners::LearntMachine& machine, const std::filesystem::path& folder) {
  const auto& learnt = machine.learnt;
  const auto shown = machine.target.file.lexically_relative(folder);
  say("{}: {} {} of '{}'\n", machine.target.file.string(), learnt.checks.size(),
      learnt.checks.size() == 1 ? "check" : "checks", machine.target.machine);
  std::map<std::string, std::size_t> kinds;
  for (const auto& check : learnt.checks) ++kinds[check.spec.kind];
  for (const auto& [kind, count] : kinds) say("  {:>4} {}\n", count, kind);
  if (!learnt.left_out.empty()) say("  not learnt ({}, also at the end of the file):\n", learnt.left_out.size());
  for (const auto& what : learnt.left_out) say("    - {}\n", what);
  if (!machine.gone.empty()) {
    say("  stood in the file and was not learnt again ({}): {}\n", machine.gone.size(), fmt::join(machine.gone, ", "));
  }
  say("  next: review it, and say in the scenario, of this machine or its role: \"checks\": \"{}\"\n", shown.string());
}

Result<void> write(const runners::LearntMachine& machine) {
  const auto& file = machine.target.file;
  PATCHLAB_TRY(create_folders(file.parent_path()));
  return write_file_atomically(file, checks::learn::learnt_file(machine.from, machine.learnt));
}

ExitCode learn(Arguments& arguments) {
  const auto stop = interruption();
  const auto scenario = runners::load_scenario(arguments.scenario, runners::ScenarioFor::learning);
  if (!scenario) return report(scenario.error());
  auto executor = arguments.executor.read();
  if (!executor) return report(executor.error());
  arguments.options.executor = std::move(*executor);
  const auto plan = runners::plan_learning(*scenario, arguments.options);
  if (!plan) return report(plan.error());
  arguments.options.program = own_program();
  const auto tools = runners::this_host();
  std::optional<runners::Progress> progress;
  progress.emplace(runners::Progress::style_for(STDERR_FILENO));
  const auto machines = runners::learn_checks(*plan, arguments.options, tools, *progress, stop);
  progress.reset();
  if (!machines) return report(machines.error());
  auto code = ExitCode::ok;
  for (const auto& machine : *machines) {
    if (machine.learnt.checks.empty()) {
      for (const auto& what : machine.learnt.left_out) say("'{}': {}\n", machine.target.machine, what);
      code = report(configuration_error("nothing was learnt of '" + machine.target.machine + "', and no file written"),
                    ExitCode::not_tested);
      continue;
    }
    if (const auto written = write(machine); !written) return report(written.error(), ExitCode::cannot_create);
    tell(machine, scenario->folder);
  }
  return code;
}

}  // namespace

void add_learn(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* learning = app.add_subcommand("learn", "boot golden machines in the fence and write checks of what they do");
  learning->add_option("scenario", arguments->scenario, "scenario file; machines in it need no checks yet")->required();
  learning->add_option("--department", arguments->options.department, "the department; needed when there are several");
  learning->add_option("--machine", arguments->options.machines, "only this machine (may be given again)")
      ->allow_extra_args(false);
  learning->add_flag(
      "--force", arguments->options.replace,
      "replace files that are there; of what was changed in them, slower_ms and timeout_s of checks stay");
  add_executor(*learning, arguments->executor);
  learning->callback([arguments, &chosen] { chosen = [arguments] { return learn(*arguments); }; });
}

}  // namespace patchlab::cli
