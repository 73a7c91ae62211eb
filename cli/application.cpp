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
bool uses_cache(std::string_view command) {
  constexpr std::array<std::string_view, 12> names{"image", "patch",    "learn",   "validate", "run",        "acquire",
                                                   "scan",  "selftest", "promote", "ledger",   "host-agent", "plan"};
  return std::ranges::count(names, command) > 0;
}

struct Commands {
  void (*add)(CLI::App&, Chosen&);
  std::array<std::string_view, 6> names{};  // of all that it adds; none where these ask for every command there is
};
// In the order of the help.
constexpr Commands all_commands[]{
    {add_doctor, {"doctor"}},
    {add_init, {"init"}},
    {add_image, {"image"}},
    {add_content, {"content"}},
    {add_patch, {"patch"}},
    {add_feed, {"feed"}},
    {add_inventory, {"inventory"}},
    {add_likeness, {"likeness"}},
    {add_scan, {"scan"}},
    {add_acquire, {"acquire"}},
    {add_learn, {"learn"}},
    {add_guest, {"guest"}},
    {add_run, {"validate", "run"}},
    {add_plan, {"plan"}},
    {add_selftest, {"selftest"}},
    {add_report, {"report", "explain"}},
    {add_stage, {"promote"}},
    {add_verify, {"verify"}},
    {add_evidence, {"evidence"}},
    {add_calendar, {"calendar"}},
    {add_deploy, {"deploy"}},
    {add_witness, {"witness"}},
    {add_decide, {"submit", "approve", "reject", "waive", "withdraw", "decide"}},
    {add_queue, {"queue"}},
    {add_attempts, {"attempts"}},
    {add_health, {"health"}},
    {add_history, {"history"}},
    {add_notify, {"notify"}},
    {add_schedule, {"schedule"}},
    {add_trust, {"trust"}},
    {add_desk, {"desk"}},
    {add_serve, {"serve"}},
    {add_policy, {"policy"}},
    {add_ledger, {"ledger"}},
    {add_stage_setup, {"stage"}},
    {add_lab, {"lab"}},
    {add_schema, {"schema"}},
    {add_completion},
};

}  // namespace

void add_commands_for(CLI::App& app, Chosen& chosen, std::string_view word) {
  app.set_version_flag("--version", std::string("patchlab ") + PATCHLAB_VERSION);
  app.require_subcommand(1);
  const auto adds = [&](const Commands& commands) { return std::ranges::count(commands.names, word) > 0; };
  const bool is_command = !word.empty() && std::ranges::any_of(all_commands, adds);
  for (const auto& commands : all_commands) {
    if (!is_command || adds(commands)) commands.add(app, chosen);
  }
  add_help_texts(app);
}

void add_commands(CLI::App& app, Chosen& chosen) { add_commands_for(app, chosen, {}); }

int run_application(int argc, char** argv) {
  keep_standard_streams();
  // What a run leaves behind holds guests' memory, logs and credentials. What is for others is given its mode by who
  // makes it: the stage, and what tools make (ProcessSpec::private_files).
  ::umask(077);
  // Started by a run thousands of times a night, for answers that are quicker than the command line is put together.
  if (argc == 2 && std::string_view(argv[1]) == "check-worker") return checks::check_worker_main(checks::find_check);
  const std::vector<std::string> arguments(argv + 1, argv + std::max(argc, 1));
  const std::string_view word = arguments.empty() ? std::string_view() : arguments.front();
  const bool is_for_people = word != "cell" && word != "host-agent";
  CLI::App app{"patchlab: the test lab that decides which patches may reach production servers", "patchlab"};
  Chosen chosen;
  // Only the command that is asked for: all of them are half of what a short one takes.
  if (is_for_people) add_commands_for(app, chosen, word);

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
  if (uses_cache(word)) {
    if (const auto cache = own_cache(); !cache) return number(report(cache.error()));
  }
  if (cell->parsed()) return runners::cell::cell_main(root, options);
  if (agent->parsed()) return runners::host::host_agent_main(own_program());
  return number(end_of_output(chosen()));
}

}  // namespace patchlab::cli
