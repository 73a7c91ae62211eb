// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/application.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

#include "checks/registry/registry.hpp"
#include "checks/worker.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/option_tree.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "runners/cell/server.hpp"
#include "runners/host/host_agent.hpp"

namespace patchlab::cli {
namespace {

// The others work on files that are named to them; doctor says itself what is wrong with the cache.
bool uses_cache(const CLI::App& app) {
  constexpr std::array names{"image", "patch",    "learn",   "validate", "run",        "acquire",
                             "scan",  "selftest", "promote", "ledger",   "host-agent", "plan"};
  return std::ranges::any_of(names, [&](const char* name) { return app.got_subcommand(name); });
}

}  // namespace

void add_commands(CLI::App& app, Chosen& chosen) {
  app.set_version_flag("--version", std::string("patchlab ") + PATCHLAB_VERSION);
  app.require_subcommand(1);
  add_doctor(app, chosen);
  add_init(app, chosen);
  add_image(app, chosen);
  add_content(app, chosen);
  add_patch(app, chosen);
  add_feed(app, chosen);
  add_inventory(app, chosen);
  add_likeness(app, chosen);
  add_scan(app, chosen);
  add_acquire(app, chosen);
  add_learn(app, chosen);
  add_guest(app, chosen);
  add_run(app, chosen);
  add_plan(app, chosen);
  add_selftest(app, chosen);
  add_report(app, chosen);
  add_stage(app, chosen);
  add_verify(app, chosen);
  add_evidence(app, chosen);
  add_calendar(app, chosen);
  add_deploy(app, chosen);
  add_witness(app, chosen);
  add_decide(app, chosen);
  add_queue(app, chosen);
  add_attempts(app, chosen);
  add_health(app, chosen);
  add_history(app, chosen);
  add_notify(app, chosen);
  add_schedule(app, chosen);
  add_trust(app, chosen);
  add_desk(app, chosen);
  add_serve(app, chosen);
  add_policy(app, chosen);
  add_ledger(app, chosen);
  add_stage_setup(app, chosen);
  add_lab(app, chosen);
  add_schema(app, chosen);
  add_completion(app, chosen);
  add_help_texts(app);
}

int run_application(int argc, char** argv) {
  keep_standard_streams();
  // What a run leaves behind holds guests' memory, logs and credentials. What is for others is given its mode by who
  // makes it: the stage, and what tools make (ProcessSpec::private_files).
  ::umask(077);
  // Started by a run thousands of times a night, for answers that are quicker than the command line is put together.
  if (argc == 2 && std::string_view(argv[1]) == "check-worker") return checks::check_worker_main(checks::find_check);
  CLI::App app{"patchlab: the test lab that decides which patches may reach production servers", "patchlab"};
  Chosen chosen;
  add_commands(app, chosen);

  // Started by a run, not by people: group "" hides them from the help.
  std::string root;
  runners::cell::CellOptions options;
  auto* cell = app.add_subcommand("cell", "")->group("");
  cell->add_option("root", root)->required();
  cell->add_flag("--kvm", options.offer_kvm);
  cell->add_flag("--on-libvirt", options.on_libvirt);
  cell->add_option("--elsewhere", options.elsewhere);
  cell->add_option("--read", options.readable)->allow_extra_args(false);
  cell->add_option("--write", options.writable)->allow_extra_args(false);
  auto* agent = app.add_subcommand("host-agent", "")->group("");

  const std::vector<std::string> arguments(argv + 1, argv + std::max(argc, 1));
  const bool is_for_people =
      arguments.empty() || std::ranges::none_of(std::array{cell, agent}, [&](const CLI::App* hidden) {
        return hidden->get_name() == arguments.front();
      });
  const auto tree = command_tree(app);
  if (is_for_people) {
    if (const auto unknown = unknown_word(tree, arguments)) return number(report(*unknown, ExitCode::usage));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& trouble) {
    if (trouble.get_exit_code() == 0) {  // --help, --version
      std::ostringstream shown, errors;
      app.exit(trouble, shown, errors);
      write_out(shown.str());
      return number(end_of_output(ExitCode::ok));
    }
    const auto hint = fmt::format("'{} --help' shows what it takes", command_of(tree, arguments).name());
    return number(report(configuration_error(trouble.what(), hint), ExitCode::usage));
  }
  if (uses_cache(app)) {
    if (const auto cache = own_cache(); !cache) return number(report(cache.error()));
  }
  if (cell->parsed()) return runners::cell::cell_main(root, options);
  if (agent->parsed()) return runners::host::host_agent_main(own_program());
  return number(end_of_output(chosen()));
}

}  // namespace patchlab::cli
