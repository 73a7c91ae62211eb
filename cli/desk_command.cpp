// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/desk_argument.hpp"
#include "cli/listen_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "cli/web_page.hpp"
#include "history/archive/run_archive.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/browser/counter.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;
namespace browser = promotion::browser;
namespace web = lab::web;

struct Arguments {
  DeskArguments desk;
  std::string listen = "127.0.0.1:8443";
  std::string origin;
};

// Only runs of the folder: a name must not lead anywhere else.
browser::Counter::Runs runs_of(const DeskArguments& arguments) {
  const auto at = [arguments](const std::string& id) {
    auto one = arguments;
    one.run = (arguments.runs / id / reports::run_file_name).string();
    return one;
  };
  return {[runs = arguments.runs] { return history::RunArchive(runs).list(); },
          [at](const std::string& id) { return reports::read_run_record(at(id).run); },
          [at](const std::string& id) -> Result<reports::Decisions> {
            PATCHLAB_ASSIGN(const auto asked, run_at_desk(at(id), runners::Look::at_names));
            return asked.desk.decisions(asked.record);
          }};
}

ExitCode serve(Arguments arguments) {
  const auto place = listen_place(arguments.listen);
  if (!place) return report(place.error(), ExitCode::usage);
  if (arguments.origin.empty() && !web::is_loopback(place->address)) {
    return report(configuration_error(
                      fmt::format("--listen '{}' is not this host alone, and no --origin was given", arguments.listen),
                      "put TLS in front, and say under which name: --origin https://desk.xavier.example"),
                  ExitCode::usage);
  }
  // Before the port is known, the name is looked at.
  if (!arguments.origin.empty()) {
    if (const auto origin = web::read_origin(arguments.origin); !origin) return report(origin.error(), ExitCode::usage);
  }
  const auto stage = absolute_path(arguments.desk.stage).while_doing("--stage");
  if (!stage) return report_input(stage.error(), ExitCode::bad_data);
  auto runs = absolute_path(arguments.desk.runs).while_doing("--runs");
  if (!runs) return report_input(runs.error(), ExitCode::bad_data);
  // Where no run is yet, the folder need not be.
  if (is_there(*runs) && !is_folder(*runs)) {
    return report(Error{ErrorClass::usage, fmt::format("--runs '{}' is no folder", arguments.desk.runs.string()),
                        "name the folder of the runs"});
  }
  arguments.desk.stage = *stage;
  arguments.desk.runs = *runs;
  auto opened = open_page(*place, arguments.origin);
  if (!opened) return report(opened.error(), ExitCode::cannot_create);
  if (!is_there(*stage))
    warn(fmt::format("there is no stage '{}' yet: nothing was published or decided in it", stage->string()));
  say("the desk of stage '{}' is at {}/\n", arguments.desk.stage, opened->origin.text);
  say("a decision counts by its signature alone; Ctrl-C ends this\n");
  const browser::Counter counter({.stage = *stage, .origin = opened->origin}, runs_of(arguments.desk), host_processes(),
                                 system_clock_source());
  run_page(*opened, "the desk", [&](const web::WebRequest& request) { return counter.answer(request); });
  return ExitCode::ok;
}

}  // namespace

void add_desk(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* desk = app.add_subcommand("desk", "the desk in a browser: see what waits, and decide with a security key");
  desk->require_subcommand(1);
  auto* serving = desk->add_subcommand("serve", "show what waits, and take signed decisions, until it is ended");
  serving->add_option("--listen", arguments->listen, "address and port; port 0: any that is free")
      ->capture_default_str();
  serving->add_option("--origin", arguments->origin,
                      "how browsers call it, when TLS is in front: https://desk.xavier.example");
  serving->add_option("--stage", arguments->desk.stage, "stage folder; its ledger takes the decisions")
      ->capture_default_str();
  serving->add_option("--runs", arguments->desk.runs, "folder of runs")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  serving->add_option("--ledger", arguments->desk.ledger, "ledger that knows the runs; default: in their folder");
  add_lab_cache(*serving, arguments->desk);
  serving->callback([arguments, &chosen] { chosen = [arguments] { return serve(*arguments); }; });
}

}  // namespace patchlab::cli
