// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/health_look.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  HealthQuestion asked;
  bool json = false;
};

ExitCode health(const Arguments& arguments) {
  if (arguments.asked.critical_h < arguments.asked.warning_h) {
    return report(configuration_error(fmt::format("--critical-h {} is before --warning-h {}",
                                                  arguments.asked.critical_h, arguments.asked.warning_h),
                                      "critical comes after the warning"),
                  ExitCode::usage);
  }
  const auto facts = health_of(arguments.asked);
  const auto worst = process::worst_of(facts);
  if (arguments.json)
    say_json("health", Json{{"health", to_string(worst)}, {"facts", facts}});
  else
    say("{}\n", process::plugin_line(facts));
  return static_cast<ExitCode>(worst);  // what a monitoring understands, see docs/exit-codes.md
}

}  // namespace

void add_health(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command =
      app.add_subcommand("health", "whether the lab itself does its work, as a plugin of a monitoring says it");
  command->add_option("--stage", arguments->asked.stage, "stage whose ledger has the runs")->capture_default_str();
  add_feeds_options(*command, arguments->asked.feeds);
  command
      ->add_option("--warning-h", arguments->asked.warning_h,
                   "warning when the last run that told something is older, in hours")
      ->capture_default_str()
      ->check(CLI::Range(1, 8760));
  command->add_option("--critical-h", arguments->asked.critical_h, "critical when it is older than this")
      ->capture_default_str()
      ->check(CLI::Range(1, 8760));
  command
      ->add_option("--free-gib", arguments->asked.free_gib,
                   "warning when less is free in the cache; critical: a quarter of it")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return health(*arguments); }; });
}

}  // namespace patchlab::cli
