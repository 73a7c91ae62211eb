// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <set>

#include "cli/answers.hpp"
#include "cli/commands.hpp"
#include "cli/executor_argument.hpp"
#include "cli/output.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/held_folder.hpp"
#include "lab/core/paths.hpp"
#include "reports/record/run_exit_code.hpp"
#include "runners/engine/run.hpp"
#include "runners/selftest/beside.hpp"
#include "runners/selftest/levels.hpp"
#include "runners/selftest/matrix.hpp"
#include "runners/selftest/regressions.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  fs::path corpus;
  runners::Choice choice;
  runners::RunOptions options;
  fs::path html;
  fs::path beside;  // folder
  fs::path levels;
  ExecutorArgument executor;
  bool quick = false;
  bool regressions = false;
  bool dry_run = false;
  bool json = false;
};

// What others are asked and what was found before; empty: neither was named.
struct ComparedWith {
  runners::Beside beside;
  std::optional<runners::Levels> levels;
};

Result<ComparedWith> read_compared(const Arguments& arguments) {
  ComparedWith with;
  if (!arguments.beside.empty()) {
    PATCHLAB_ASSIGN(const auto folder, absolute_path(arguments.beside));
    PATCHLAB_ASSIGN(with.beside, runners::read_beside(folder));
  }
  if (!arguments.levels.empty()) {
    PATCHLAB_ASSIGN(with.levels, runners::read_levels(arguments.levels));
  }
  return with;
}

Result<runners::Scenario> scenario_of(const runners::Corpus& corpus, const std::vector<fs::path>& recipes,
                                      const runners::Beside& beside) {
  PATCHLAB_ASSIGN(auto scenario, runners::load_scenario(corpus.scenario));
  for (auto& department : scenario.departments) {
    for (auto& machine : department.machines) {
      const auto others = beside.find(machine.role);
      if (others != beside.end()) machine.beside = others->second;
    }
  }
  scenario.candidates.clear();
  for (const auto& recipe : recipes) {
    runners::CandidateSource source;
    source.kind = runners::CandidateSourceKind::recipe;
    source.path = recipe;
    source.pointer = "/" + recipe.filename().string();
    scenario.candidates.push_back(std::move(source));
  }
  return scenario;
}

Result<void> keep(const Arguments& arguments, const runners::FinishedRun& finished,
                  const runners::SelftestResult& result) {
  PATCHLAB_TRY(reports::write_run_record(finished.record, finished.folder / reports::run_file_name));
  if (!arguments.html.empty()) PATCHLAB_TRY(write_file_atomically(arguments.html, runners::selftest_html(result)));
  return {};
}

void say_result(const runners::SelftestResult& result, const std::optional<runners::LevelsComparison>& levels,
                bool json) {
  if (json) {
    auto said = runners::selftest_json(result);
    if (levels) said["levels"] = runners::levels_json(*levels);
    return say_json("selftest", said);
  }
  write_out(runners::selftest_text(result));
  if (!levels) return;
  for (const auto& sentence : runners::sentences_of(*levels)) write_out(sentence + "\n");
}

Result<fs::path> corpus_of(const Arguments& arguments) {
  if (!arguments.corpus.empty()) return absolute_path(arguments.corpus);
  PATCHLAB_ASSIGN(const auto share, share_folder(own_program()));
  return share / "scenarios/faults";
}

// Nothing is run for it: what there is to tell each regression by, and what of it is tried.
ExitCode say_regressions(const Arguments& arguments) {
  const auto corpus = corpus_of(arguments);
  if (!corpus) return report(corpus.error());
  const auto regressions = runners::read_regressions(*corpus / "windows.json");
  if (!regressions) return report(regressions.error());
  const auto scenario = runners::load_scenario(regressions->scenario);
  if (!scenario) return report(scenario.error());
  const auto results = runners::judge(*regressions, *scenario);
  if (!results) return report(results.error());
  if (arguments.json)
    say_json("regressions", runners::regressions_json(*results));
  else
    write_out(runners::regressions_text(*results));
  return ExitCode::ok;
}

ExitCode selftest(Arguments& arguments) {
  if (arguments.regressions) return say_regressions(arguments);
  const auto stop = interruption();
  const auto named = corpus_of(arguments);
  if (!named) return report(named.error());
  const auto corpus = runners::read_corpus(*named);
  if (!corpus) return report(corpus.error());
  auto executor = arguments.executor.read();
  if (!executor) return report(executor.error());
  arguments.options.executor = std::move(*executor);
  const auto with = read_compared(arguments);
  if (!with) return report(with.error());
  if (arguments.quick) arguments.choice.seconds = runners::seconds_of(*with->levels);
  const auto faults = runners::chosen(*corpus, arguments.choice);
  if (!faults) return report(faults.error());
  const auto folder = HeldFolder::make_in(cache_folder() / "faults", "work-");
  if (!folder) return report(folder.error(), ExitCode::cannot_create);
  const auto recipes = runners::write_recipes(*faults, folder->path());
  if (!recipes) return report(recipes.error(), ExitCode::cannot_create);
  const auto scenario = scenario_of(*corpus, *recipes, with->beside);
  if (!scenario) return report(scenario.error());

  auto& options = arguments.options;
  options.departments = {corpus->department};
  std::set<std::string> roles;
  for (const auto& fault : *faults) roles.insert(fault.on);
  options.roles.assign(roles.begin(), roles.end());
  options.each_alone = true;
  options.program = own_program();
  const auto tools = runners::this_host();
  std::optional<runners::Progress> progress;
  progress.emplace(runners::Progress::style_for(STDERR_FILENO));
  const auto plan = runners::make_plan(*scenario, options, tools, *progress, stop);
  if (!plan) {
    progress.reset();
    return report(plan.error());
  }
  if (arguments.dry_run) {
    progress.reset();
    say_plan(*plan, arguments.json);
    return ExitCode::ok;
  }
  const auto finished = runners::execute(*plan, options, tools, *progress, stop);
  progress.reset();
  if (!finished) return report(finished.error(), ExitCode::cannot_create);
  const auto result = runners::selftest_result(*faults, finished->record, arguments.choice.seed, with->beside);
  std::optional<runners::LevelsComparison> levels;
  if (with->levels) levels = runners::compared_with(*with->levels, result);
  const auto kept = keep(arguments, *finished, result);
  say_result(result, levels, arguments.json);
  if (!kept) return report(kept.error(), ExitCode::cannot_create);
  const bool leaked = reports::exit_code_for(finished->record) == ExitCode::fence_breach;
  if (leaked) return ExitCode::fence_breach;
  return levels ? runners::exit_code_for(result, *levels) : runners::exit_code_for(result);
}

}  // namespace

void add_selftest(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* testing =
      app.add_subcommand("selftest", "test the checks: packages that are known to be bad, and good ones, each alone");
  testing->add_option("--role", arguments->choice.roles,
                      "only the faults of this role, of 'host', or the 'clean' ones (may be given again)");
  testing->add_option("--fault", arguments->choice.ids, "only this one (may be given again)");
  auto* const sample =
      testing->add_option("--sample", arguments->choice.sample, "of each role so many, drawn by the seed")
          ->check(CLI::Range(1, 10000));
  testing->add_option("--seed", arguments->choice.seed, "of --sample: the same one draws the same")
      ->capture_default_str();
  testing
      ->add_option("--aa", arguments->options.controls,
                   "so many trials without a patch besides, judged as if they had one: what fails is a false alarm")
      ->check(CLI::Range(1, 10000));
  testing->add_option("--corpus", arguments->corpus, "folder of the faults (default: the shipped one)");
  testing->add_option(
      "--beside", arguments->beside,
      "folder of what others are asked at the same moments, to compare with (scenarios/faults/beside); it "
      "decides nothing");
  auto* const levels = testing->add_option(
      "--levels", arguments->levels, "file of what was found before: 1 when a role finds less of the same faults now");
  testing->add_flag("--quick", arguments->quick, "rather draw for --sample what took little time before (--levels)")
      ->needs(sample)
      ->needs(levels);
  testing->add_option("--runs", arguments->options.runs, "folder for the run's folder")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  add_executor(*testing, arguments->executor);
  testing->add_option("--html", arguments->html, "a page with the heat map, into this file");
  testing->add_flag("--dry-run", arguments->dry_run, "make the packages, print the plan and stop");
  testing->add_flag("--json", arguments->json, "the result as JSON; with --dry-run the plan");
  auto* const regressions =
      testing->add_flag("--regressions", arguments->regressions,
                        "say of each regression that updates of Windows brought what would tell it, and run nothing");
  for (auto* const other : testing->get_options()) {
    const auto& name = other->get_name();
    if (other != regressions && name != "--corpus" && name != "--json" && name != "--help")
      regressions->excludes(other);
  }
  testing->callback([arguments, &chosen] { chosen = [arguments] { return selftest(*arguments); }; });
}

}  // namespace patchlab::cli
