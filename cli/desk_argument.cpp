// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/desk_argument.hpp"

#include <CLI/CLI.hpp>

#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/desk/stage_policy.hpp"

namespace patchlab::cli {

void add_lab_cache(CLI::App& app, DeskArguments& arguments) {
  app.add_option("--lab-cache", arguments.lab_cache,
                 "cache of the lab, when another user runs it: its golden images are looked at there")
      ->envname("PATCHLAB_LAB_CACHE");
}

Result<RunAtDesk> run_at_desk(const DeskArguments& arguments, runners::Look look) {
  const history::RunArchive archive(arguments.runs);
  PATCHLAB_ASSIGN(const auto found, archive.find(arguments.run));
  // Yesterday's answer must not pass for that of tonight.
  if (const auto newer = archive.newer_without_record(); arguments.run == "latest" && !newer.empty())
    warn(fmt::format("run '{}' is newer and has no record: it is under way, or was killed; this is '{}'", newer,
                     found.parent_path().filename().string()));
  PATCHLAB_ASSIGN(auto record, reports::read_run_record(found));
  PATCHLAB_ASSIGN(auto file, absolute_path(found));
  PATCHLAB_ASSIGN(auto stage, absolute_path(arguments.stage).while_doing("--stage"));
  std::filesystem::path lab_cache;
  if (!arguments.lab_cache.empty()) {
    PATCHLAB_ASSIGN(lab_cache, absolute_path(arguments.lab_cache).while_doing("--lab-cache"));
    // What this user may not look at is told where images are asked for, with the reason.
    const auto kind = status_of(lab_cache).type();
    const bool is_hidden = kind == std::filesystem::file_type::none || kind == std::filesystem::file_type::unknown;
    if (!is_hidden && !is_folder(lab_cache))
      return Error{ErrorClass::usage, fmt::format("--lab-cache '{}' is no folder", arguments.lab_cache.string()),
                   "name the cache of the user that runs the lab, or leave it out"};
  }
  const auto now = system_clock_source().wall();
  PATCHLAB_ASSIGN(auto policy, promotion::policy_at_desk(stage, now));
  PATCHLAB_ASSIGN(auto scribe, scribe_of(arguments.scribe, stage));
  auto ledger = arguments.ledger.empty() ? file.parent_path().parent_path() / "ledger.jsonl" : arguments.ledger;
  auto run = file.parent_path();
  return RunAtDesk{std::move(file), std::move(record),
                   promotion::Desk({.stage = std::move(stage), .ledger = std::move(ledger), .run = std::move(run)},
                                   std::move(policy), runners::lab_today(look, lab_cache), now, std::move(scribe))};
}

}  // namespace patchlab::cli
