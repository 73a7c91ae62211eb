// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/run_ledger.hpp"
#include "cli/run_reports.hpp"
#include "cli/terminal.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"
#include "patches/store/content_store.hpp"
#include "promotion/handover/taker.hpp"
#include "runners/inquiry/lab_today.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

// A lab that is slower than this is not there.
constexpr std::chrono::seconds patience_with_the_lab{60};

struct Taking {
  fs::path stage;
  fs::path runs;
  bool promotes = false;
  ScribeArguments scribe;
};

struct Handing {
  std::string run;
  fs::path runs = "runs";
  fs::path stage = "production";
  bool no_promote = false;
  ScribeArguments scribe;
  DeskCommandArgument desk;
};

// Whoever calls this chose the working folder.
Result<void> check_absolute(const fs::path& path, const char* option) {
  if (path.is_absolute()) return {};
  return configuration_error(fmt::format("{} '{}' is no absolute path", option, path.string()),
                             "the lab calls this command from any folder: name the place from / on");
}

ExitCode take(const Taking& arguments) {
  for (const auto& checked : {check_absolute(arguments.stage, "--stage"), check_absolute(arguments.runs, "--runs")}) {
    if (!checked) return report(checked.error(), ExitCode::usage);
  }
  // A lab that went away is seen where it is spoken to.
  std::signal(SIGPIPE, SIG_IGN);
  auto scribe = scribe_of(arguments.scribe, arguments.stage);
  if (!scribe) {
    write_out(promotion::to_line(scribe.error()) + "\n");
    return report_input(scribe.error(), ExitCode::bad_data);
  }
  const auto store = patches::default_store();
  const history::RunArchive archive(arguments.runs);
  promotion::Taker taker(
      {.places = {arguments.stage, arguments.runs},
       .scribe = std::move(*scribe),
       .lab = runners::lab_after_the_run(),
       .store = {.has = [&](const std::string& sha256) { return store.verified_path(sha256).has_value(); },
                 .add = [&](const fs::path& file, const std::string& sha256, std::uint64_t bytes) -> Result<void> {
                   PATCHLAB_TRY(store.add_file(file, {.sha256 = sha256, .bytes = bytes}));
                   return {};
                 },
                 .incoming = store.root() / "handed"},
       .keep = [&](const auto& record, const auto& decisions) { return keep_reports(archive, record, decisions); },
       .promotes = arguments.promotes},
      host_processes());
  promotion::HandedInput input(STDIN_FILENO, patience_with_the_lab);
  const auto taken = taker.converse(input, [](const std::string& line) -> Result<void> {
    if (write_all(STDOUT_FILENO, line + "\n")) return {};
    return errno_error("answering the lab", errno);
  });
  if (taken) return ExitCode::ok;
  const bool refused = taken.error().error_class == ErrorClass::configuration;
  return report(taken.error(), refused ? ExitCode::bad_data : ExitCode::cannot_create);
}

ExitCode hand(const Handing& arguments) {
  if (arguments.desk.command.empty()) {
    return report(configuration_error("there is no desk to hand it over to",
                                      "name its command with --desk or PATCHLAB_DESK (docs/two-users.md)"),
                  ExitCode::usage);
  }
  const auto found = history::RunArchive(arguments.runs).find(arguments.run);
  if (!found) return report_input(found.error(), ExitCode::bad_data);
  const auto record = reports::read_run_record(*found);
  if (!record) return report_input(record.error(), ExitCode::bad_data);
  const auto file = absolute_path(*found);
  if (!file) return report(file.error());
  auto desk = at_desk(arguments.desk, arguments.scribe);
  if (!desk) return report_input(desk.error(), ExitCode::bad_data);
  const RunFrame frame{arguments.stage, arguments.runs, std::move(desk->scribe), std::move(desk->desk)};
  // As `run` does: what was narrowed or asked no candidate is not promoted.
  const bool promote = !arguments.no_promote && record->asked.roles.empty() && record->asked.controls == 0;
  const auto code = hand_over_end(frame, *record, file->parent_path(), promote);
  return code ? *code : report(code.error(), ExitCode::error);
}

}  // namespace

void add_ledger(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("ledger", "runs for the ledger of a stage that another user writes");
  group->require_subcommand(1);

  const auto taking = std::make_shared<Taking>();
  auto* take_command = group->add_subcommand(
      "take", "takes from a lab, on standard input, that a run begins or ended; called by the lab, as another user");
  take_command->add_option("--stage", taking->stage, "stage folder, absolute")->required();
  take_command->add_option("--runs", taking->runs, "folder for the desk's own copies of runs, absolute")->required();
  take_command->add_flag("--promote", taking->promotes,
                         "publish what a run asks for at its end, when the policy lets it");
  add_scribe(*take_command, taking->scribe);
  take_command->callback([taking, &chosen] { chosen = [taking] { return take(*taking); }; });

  const auto handing = std::make_shared<Handing>();
  auto* hand_command = group->add_subcommand(
      "hand",
      "hands the end of a run over once more, when the desk could not be reached; the same again changes nothing");
  hand_command->add_option("run", handing->run, "run folder, id, or latest")->required();
  hand_command->add_option("--runs", handing->runs, "folder of runs")->capture_default_str()->envname("PATCHLAB_RUNS");
  hand_command->add_flag("--no-promote", handing->no_promote, "ask for no promotion");
  add_scribe(*hand_command, handing->scribe);
  add_desk_command(*hand_command, handing->desk);
  hand_command->callback([handing, &chosen] { chosen = [handing] { return hand(*handing); }; });
}

}  // namespace patchlab::cli
