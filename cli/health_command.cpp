// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/feeds_argument.hpp"
#include "cli/nights.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "process/health/health.hpp"

namespace patchlab::cli {
namespace {

using process::Health;
using process::HealthFact;

struct Arguments {
  std::filesystem::path stage = "production";
  FeedsArgument feeds;
  int warning_h = 26;
  int critical_h = 50;
  int free_gib = 20;
  bool json = false;
};

// What cannot be looked at is unknown, which a monitoring shows, and nothing that ends this command.
HealthFact unknown(const char* name, const Error& error) { return {name, Health::unknown, error.message, {}}; }

HealthFact night(const Arguments& arguments) {
  const auto stage = absolute_path(arguments.stage).while_doing("--stage");
  if (!stage) return unknown("night", stage.error());
  if (!is_folder(*stage)) return {"night", Health::unknown, fmt::format("there is no stage '{}'", stage->string()), {}};
  const auto attempts = promotion::attempts_of_stage(*stage);
  if (!attempts) return unknown("night", attempts.error());
  return process::night_health(nights_of(*attempts), system_clock_source().wall(),
                               {std::chrono::hours(arguments.warning_h), std::chrono::hours(arguments.critical_h)});
}

// Whoever has no feeds asks no `scan`; that there are none is said.
HealthFact feeds(const Arguments& arguments) {
  process::FeedsWanted wanted;
  wanted.today = std::chrono::floor<std::chrono::days>(system_clock_source().wall());
  if (arguments.feeds.folder == usual_feeds && !is_folder(arguments.feeds.folder)) {
    std::error_code code;
    return {"feeds",
            Health::ok,
            fmt::format("none in '{}'", std::filesystem::absolute(arguments.feeds.folder, code).string()),
            {}};
  }
  const auto read = arguments.feeds.read(wanted);
  if (!read) return unknown("feeds", read.error());
  std::vector<std::string> trouble;
  for (const auto& state : read->states) {
    if (!state.usable()) trouble.push_back(fmt::format("'{}' {}", process::traits_of(state.kind).name, state.unusable));
  }
  if (trouble.empty()) return {"feeds", Health::ok, "all feeds are there", {}};
  return {"feeds", Health::warning, fmt::format("{}", fmt::join(trouble, ", ")), {}};
}

HealthFact disk(const Arguments& arguments) {
  const auto cache = own_cache();
  if (!cache) return unknown("disk", cache.error());
  std::error_code code;
  const auto space = std::filesystem::space(*cache, code);
  if (code) return {"disk", Health::unknown, fmt::format("'{}': {}", cache->string(), code.message()), {}};
  constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
  const auto warning = static_cast<std::uint64_t>(arguments.free_gib) * gib;
  return process::disk_health(cache->string(), space.available, warning, warning / 4);
}

ExitCode health(const Arguments& arguments) {
  if (arguments.critical_h < arguments.warning_h) {
    return report(configuration_error(fmt::format("--critical-h {} is before --warning-h {}", arguments.critical_h,
                                                  arguments.warning_h),
                                      "critical comes after the warning"),
                  ExitCode::usage);
  }
  const std::vector<HealthFact> facts{night(arguments), feeds(arguments), disk(arguments)};
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
  command->add_option("--stage", arguments->stage, "stage whose ledger has the runs")->capture_default_str();
  add_feeds_options(*command, arguments->feeds);
  command
      ->add_option("--warning-h", arguments->warning_h,
                   "warning when the last run that told something is older, in hours")
      ->capture_default_str()
      ->check(CLI::Range(1, 8760));
  command->add_option("--critical-h", arguments->critical_h, "critical when it is older than this")
      ->capture_default_str()
      ->check(CLI::Range(1, 8760));
  command
      ->add_option("--free-gib", arguments->free_gib,
                   "warning when less is free in the cache; critical: a quarter of it")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return health(*arguments); }; });
}

}  // namespace patchlab::cli
