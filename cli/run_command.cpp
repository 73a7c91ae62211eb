// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/run_reports.hpp"
#include "cli/run_table.hpp"
#include "cli/scribe_argument.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"
#include "lab/core/printable.hpp"
#include "promotion/desk/desk.hpp"
#include "promotion/desk/stage_policy.hpp"
#include "runners/engine/run.hpp"
#include "runners/inquiry/lab_today.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  std::filesystem::path scenario;
  runners::RunOptions options;
  bool dry_run = false;
  bool no_promote = false;
  bool json = false;
  ScribeArguments scribe;
};

ExitCode validate(const Arguments& arguments) {
  const auto stop = interruption();
  const auto scenario = runners::load_scenario(arguments.scenario);
  if (!scenario) return report(scenario.error());
  runners::Progress progress(runners::Progress::style_for(STDERR_FILENO));
  const auto plan = runners::make_plan(*scenario, arguments.options, progress, stop);
  if (!plan) return report(plan.error());
  say("{}: fine: {} departments, {} candidates\n", arguments.scenario, plan->departments.size(),
      plan->candidates.size());
  for (const auto& sentence : plan->not_tested) say("not tested: {}\n", sentence);
  return ExitCode::ok;
}

// What follows from what a run found: it is kept, written down, decided on and shown, in this order, so that nothing is
// decided that nobody could look at later.
ExitCode settle(const Arguments& arguments, const std::filesystem::path& stage, const promotion::Scribe& scribe,
                const std::string& begun, const runners::FinishedRun& finished) {
  const auto& [record, folder] = finished;
  const history::RunArchive archive(folder.parent_path());
  if (auto kept = archive.keep(record); !kept) return report(kept.error(), ExitCode::error);
  const auto now = system_clock_source().wall();
  const promotion::Desk desk({.stage = stage, .ledger = folder.parent_path() / "ledger.jsonl"},
                             promotion::policy_at_desk_or_trouble(stage, now), runners::lab_after_the_run(), now,
                             scribe);
  const auto& options = arguments.options;
  const bool asked = !arguments.no_promote && options.roles.empty() && options.controls == 0;
  const auto settled = desk.settle(record, asked ? promotion::Desk::Ask::promote : promotion::Desk::Ask::nothing, begun,
                                   folder / reports::run_file_name);
  for (const auto& sentence : settled.finished) tell(printable_format("patchlab: {}\n", sentence));
  if (settled.trouble) report(*settled.trouble);
  if (auto kept = keep_reports(archive, record, settled.decisions); !kept) report(kept.error());
  if (arguments.json)
    say_json(Json(record));
  else
    write_out(run_table(record, settled.decisions, folder));
  return settled.exit_code;
}

ExitCode run(Arguments& arguments) {
  const auto stop = interruption();
  const auto scenario = runners::load_scenario(arguments.scenario);
  if (!scenario) return report(scenario.error());
  arguments.options.program = own_program();
  std::optional<runners::Progress> progress;
  progress.emplace(runners::Progress::style_for(STDERR_FILENO));
  const auto plan = runners::make_plan(*scenario, arguments.options, *progress, stop);
  if (!plan) {
    progress.reset();
    return report(plan.error());
  }
  if (arguments.dry_run) {
    progress.reset();
    write_out(describe(*plan));
    return ExitCode::ok;
  }
  const auto& stage = plan->scenario.stage;
  const auto scribe = scribe_of(arguments.scribe, stage);
  if (!scribe) {
    progress.reset();
    return report_input(scribe.error(), ExitCode::bad_data);
  }
  // Before the first machine starts, so that an attempt that is killed, or hidden, can be seen.
  std::string begun;
  std::optional<Error> untold;
  const auto tell_ledger = [&](const reports::RunRecord& planned) -> Result<void> {
    const auto now = system_clock_source().wall();
    const auto policy = promotion::policy_at_desk(stage, now);
    promotion::LabBook book(stage, absolute_path(arguments.options.runs).value_or({}) / "ledger.jsonl", *scribe);
    auto told = book.begin(planned, policy ? policy->digest : std::string(), now);
    if (!told) {
      untold = std::move(told).error().while_doing(
          fmt::format("telling the ledger of '{}' that a run begins; nothing was started", stage.string()));
      return *untold;
    }
    begun = std::move(*told);
    return {};
  };
  const auto finished = runners::execute(*plan, arguments.options, *progress, stop, tell_ledger);
  progress.reset();
  if (untold)
    return report(*untold,
                  untold->error_class == ErrorClass::configuration ? ExitCode::bad_data : ExitCode::cannot_create);
  if (!finished) return report(finished.error(), ExitCode::cannot_create);
  return settle(arguments, stage, *scribe, begun, *finished);
}

}  // namespace

void add_run(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* checking = app.add_subcommand("validate", "parse and check everything before any machine starts");
  checking->add_option("scenario", arguments->scenario, "scenario file")->required();
  checking->callback([arguments, &chosen] { chosen = [arguments] { return validate(*arguments); }; });

  auto* running = app.add_subcommand("run", "clone, fence, patch, check, find the culprits, promote");
  running->add_option("scenario", arguments->scenario, "scenario file")->required();
  running->add_option("--department", arguments->options.departments, "only this department (may be given again)");
  running->add_option("--role", arguments->options.roles,
                      "only machines of this role, and what they depend on; nothing is promoted then");
  running->add_option("--candidate", arguments->options.candidates, "only this candidate, and what it needs");
  running->add_option("--runs", arguments->options.runs, "folder for the run's folder")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  running
      ->add_option("--controls", arguments->options.controls,
                   "no candidate, but so many trials without a patch, judged as if they had one: what fails is a false "
                   "alarm of this lab")
      ->check(CLI::Range(1, 10000));
  running->add_flag("--dry-run", arguments->dry_run, "print the plan and stop");
  running->add_flag("--no-promote", arguments->no_promote, "test only, publish nothing");
  add_scribe(*running, arguments->scribe);
  running->add_flag("--json", arguments->json, "the record on standard output");
  running->callback([arguments, &chosen] { chosen = [arguments] { return run(*arguments); }; });
}

}  // namespace patchlab::cli
