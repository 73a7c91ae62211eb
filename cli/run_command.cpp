// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/executor_argument.hpp"
#include "cli/foreseen.hpp"
#include "cli/output.hpp"
#include "cli/run_ledger.hpp"
#include "cli/run_output.hpp"
#include "cli/scribe_argument.hpp"
#include "cli/terminal.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  std::filesystem::path scenario;
  runners::RunOptions options;
  std::vector<std::filesystem::path> outputs;
  ExecutorArgument executor;
  bool dry_run = false;
  bool no_promote = false;
  bool json = false;
  ScribeArguments scribe;
  DeskCommandArgument desk;
};

// A run of it would test nothing, and end with the same code.
ExitCode if_anything_applies(const runners::Plan& plan) {
  if (anything_applies(plan)) return ExitCode::ok;
  return report(configuration_error("no candidate applies to any machine: a run would test nothing",
                                    "patchlab run --dry-run SCENARIO says why, of each"),
                ExitCode::only_skips);
}

// Trouble of the lab says nothing about the scenario, so there is no answer then.
ExitCode not_in_order(const Arguments& arguments, const Error& error) {
  if (arguments.json && error.error_class == ErrorClass::configuration)
    say_json("validate", validate_json(arguments.scenario.string(), error));
  return report(error);
}

ExitCode validate(const Arguments& arguments) {
  const auto stop = interruption();
  const auto scenario = runners::load_scenario(arguments.scenario);
  if (!scenario) return not_in_order(arguments, scenario.error());
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  const auto plan = runners::make_plan(*scenario, arguments.options, runners::this_host(), progress, stop);
  if (!plan) return not_in_order(arguments, plan.error());
  if (arguments.json) {
    say_json("validate", validate_json(arguments.scenario.string(), *plan));
    return if_anything_applies(*plan);
  }
  write_out(validate_text(arguments.scenario.string(), *plan));
  return if_anything_applies(*plan);
}

ExitCode run(Arguments& arguments) {
  const auto stop = interruption();
  const auto scenario = runners::load_scenario(arguments.scenario);
  if (!scenario) return report(scenario.error());
  auto executor = arguments.executor.read();
  if (!executor) return report(executor.error());
  arguments.options.executor = std::move(*executor);
  if (!arguments.dry_run) {
    if (const auto prepared = prepare_outputs(arguments.outputs); !prepared)
      return report(prepared.error(), ExitCode::cannot_create);
  }
  RunFrame frame{scenario->stage, arguments.options.runs, {}};
  if (!arguments.dry_run && !arguments.desk.command.empty()) {
    auto desk = at_desk(arguments.desk, arguments.scribe);
    if (!desk) return report_input(desk.error(), ExitCode::bad_data);
    frame.scribe = std::move(desk->scribe);
    frame.desk = std::move(desk->desk);
  } else if (!arguments.dry_run) {
    auto scribe = scribe_of(arguments.scribe, frame.stage);
    if (!scribe) return report_input(scribe.error(), ExitCode::bad_data);
    frame.scribe = std::move(*scribe);
  }
  arguments.options.program = own_program();
  const auto tools = runners::this_host();
  std::optional<runners::Progress> progress;
  progress.emplace(runners::Progress::style_for(STDERR_FILENO));
  auto plan = runners::make_plan(*scenario, arguments.options, tools, *progress, stop);
  if (!plan) {
    progress.reset();
    return report(plan.error());
  }
  // Now, so that what is foreseen is made of earlier runs alone.
  const auto foreseen = foreseen_here(*plan, recorded_runs(arguments.options.runs, scenario->name));
  if (foreseen) expect(*plan, *foreseen);
  if (arguments.dry_run) {
    progress.reset();
    say_plan(*plan, arguments.json, foreseen);
    return if_anything_applies(*plan);
  }
  const auto ask = !arguments.no_promote && arguments.options.roles.empty() && arguments.options.controls == 0
                       ? promotion::Desk::Ask::promote
                       : promotion::Desk::Ask::nothing;
  // Before the first machine starts, so that an attempt that is killed, or hidden, can be seen.
  std::string begun;
  std::optional<Error> untold;
  const auto tell_ledger = [&](const reports::RunRecord& planned) -> Result<void> {
    auto told = begin_run(frame, planned);
    if (told) {
      begun = std::move(*told);
      return {};
    }
    untold = told.error();
    return std::move(told).error();
  };
  auto finished = runners::execute(*plan, arguments.options, tools, *progress, stop, tell_ledger);
  progress.reset();
  if (untold && untold->error_class == ErrorClass::configuration) return report(*untold, ExitCode::bad_data);
  if (!finished) return report(finished.error(), ExitCode::cannot_create);
  if (foreseen) finished->record.foreseen = foreseen_record(*foreseen);
  const auto code = end_run(frame, begun, *finished, ask, arguments.json ? Show::json : Show::table);
  if (const auto written = write_outputs(arguments.outputs, finished->folder); !written)
    return report(written.error(), ExitCode::cannot_create);
  return code;
}

}  // namespace

void add_run(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* checking = app.add_subcommand("validate", "parse and check everything before any machine starts");
  checking->add_option("scenario", arguments->scenario, "scenario file")->required();
  checking->add_flag("--json", arguments->json, "as JSON, its problems too");
  checking->callback([arguments, &chosen] { chosen = [arguments] { return validate(*arguments); }; });

  auto* running = app.add_subcommand("run", "clone, fence, patch, check, find the culprits, promote");
  running->add_option("scenario", arguments->scenario, "scenario file")->required();
  running->add_option("--department", arguments->options.departments, "only this department (may be given again)");
  running->add_option("--role", arguments->options.roles,
                      "only machines of this role, and what they depend on; nothing is promoted then");
  running->add_option("--candidate", arguments->options.candidates,
                      "only this candidate, and what it needs; the policy may refuse to promote it then: plan "
                      "--emergency makes a whole "
                      "run of one");
  running
      ->add_option("--with", arguments->options.with,
                   "this package, or folder of a candidate, besides those of the scenario (may be given again); the "
                   "policy may refuse to promote what such a run tested")
      ->allow_extra_args(false);
  running
      ->add_option("--output", arguments->outputs,
                   "folder for copies of record, decisions, JUnit and report, or a file for one of them: .json, .xml, "
                   ".html (may be given again)")
      ->allow_extra_args(false);
  running
      ->add_option("--carry", arguments->options.carry,
                   "do not test this department where every machine is like that of the other one, which is tested, as "
                   "engineering=finance (may be given again); the policy says whether that is enough to promote it")
      ->allow_extra_args(false);
  running->add_option("--runs", arguments->options.runs, "folder for the run's folder")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  running
      ->add_option("--controls", arguments->options.controls,
                   "no candidate, but so many trials without a patch, judged as if they had one: what fails is a false "
                   "alarm of this lab")
      ->check(CLI::Range(1, 10000));
  running->add_flag("--anew", arguments->options.anew,
                    "try everything in this run: take no answer, no conviction and no installation of earlier runs");
  running->add_option("--facts", arguments->options.facts,
                      "folder with DEPARTMENT/MACHINE.json, facts of production (patchlab likeness script): the record "
                      "says how like it each golden machine is");
  add_executor(*running, arguments->executor);
  running->add_flag("--dry-run", arguments->dry_run, "print the plan and stop");
  running->add_flag("--no-promote", arguments->no_promote, "test only, publish nothing");
  add_scribe(*running, arguments->scribe);
  add_desk_command(*running, arguments->desk);
  running->add_flag("--json", arguments->json, "the record on standard output; with --dry-run the plan");
  running->callback([arguments, &chosen] { chosen = [arguments] { return run(*arguments); }; });
}

}  // namespace patchlab::cli
