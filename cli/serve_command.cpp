// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/calendar_argument.hpp"
#include "cli/commands.hpp"
#include "cli/desk_argument.hpp"
#include "cli/history_argument.hpp"
#include "cli/listen_argument.hpp"
#include "cli/lookout.hpp"
#include "cli/output.hpp"
#include "cli/serve_look.hpp"
#include "cli/terminal.hpp"
#include "cli/web_page.hpp"
#include "lab/core/paths.hpp"
#include "process/page/answers.hpp"
#include "process/page/asked.hpp"

namespace patchlab::cli {
namespace {

namespace page = process::page;
namespace web = lab::web;

struct Arguments {
  DeskArguments desk;
  std::string listen = "127.0.0.1:8444";
  std::string origin;
  std::string sign_in;
  std::string history;
  std::filesystem::path scan;
  std::filesystem::path acquired;
  std::filesystem::path calendar;
  FeedsArgument feeds;
  int scan_max_age_days = 8;
  int refresh_s = 60;
};

// Of many runs, on a busy host.
constexpr std::chrono::minutes longest_look{5};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

Result<ListenPlace> checked_place(const Arguments& arguments) {
  PATCHLAB_ASSIGN(auto place, listen_place(arguments.listen));
  // Whoever reaches the port reads, and could name himself in the header.
  if (!web::is_loopback(place.address)) {
    return configuration_error(
        fmt::format("--listen '{}' is not this host alone", arguments.listen),
        "the page has no TLS: put a reverse proxy on this host in front of it, which has, and signs people in");
  }
  if (!arguments.origin.empty()) PATCHLAB_TRY(web::read_origin(arguments.origin));
  if (!arguments.sign_in.empty() && !page::is_sign_in_header(lower(arguments.sign_in))) {
    return configuration_error(
        fmt::format("--sign-in '{}' is no header field that only a reverse proxy sets", arguments.sign_in),
        "X-Remote-User, and let the proxy remove what clients send by that name");
  }
  return place;
}

Result<ServeLook> look_of(const Arguments& arguments) {
  ServeLook look;
  PATCHLAB_ASSIGN(look.stage, absolute_path(arguments.desk.stage).while_doing("--stage"));
  PATCHLAB_ASSIGN(look.runs, absolute_path(arguments.desk.runs).while_doing("--runs"));
  if (is_there(look.runs) && !is_folder(look.runs))
    return usage_error(fmt::format("--runs '{}' is no folder", look.runs.string()), "name the folder of the runs");
  if (!arguments.scan.empty()) {
    PATCHLAB_ASSIGN(look.scan, absolute_path(arguments.scan).while_doing("--scan"));
  }
  if (!arguments.acquired.empty()) {
    PATCHLAB_ASSIGN(look.acquired, absolute_path(arguments.acquired).while_doing("--acquired"));
  }
  if (!arguments.calendar.empty()) {
    PATCHLAB_ASSIGN(look.calendar, absolute_path(arguments.calendar).while_doing("--calendar"));
  }
  if (!arguments.desk.lab_cache.empty()) {
    PATCHLAB_ASSIGN(look.lab_cache, absolute_path(arguments.desk.lab_cache).while_doing("--lab-cache"));
  }
  PATCHLAB_ASSIGN(look.place, history_place(look.runs, arguments.history));
  look.scan_max_age_days = arguments.scan_max_age_days;
  look.health.stage = look.stage;
  look.health.feeds = arguments.feeds;
  return look;
}

ExitCode serve(const Arguments& arguments) {
  const auto place = checked_place(arguments);
  if (!place) return report(place.error(), ExitCode::usage);
  auto look = look_of(arguments);
  if (!look) return report(look.error(), ExitCode::usage);
  auto opened = open_page(*place, arguments.origin);
  if (!opened) return report(opened.error(), ExitCode::cannot_create);
  const auto index = look->place;
  const auto every = std::chrono::seconds(arguments.refresh_s);
  const Lookout lookout([look = std::move(*look)] { return look_at_everything(look); },
                        {.every = every, .most = every + longest_look},
                        [](const std::string& bug) {
                          report(infrastructure_error(
                              fmt::format("internal error while looking: {}", bug),
                              "this is a bug in patchlab; until a look succeeds the page says that nothing is known"));
                        });
  for (const auto& gap : page::gaps_of(*lookout.facts())) warn(printable(gap));
  say("the page is at {}/\n", opened->origin.text);
  say("it only shows, and looks again every {} s; Ctrl-C ends this\n", arguments.refresh_s);
  const page::Answers answers({opened->origin, lower(arguments.sign_in), index}, [&] { return lookout.facts(); });
  run_page(*opened, "the page", [&](const web::WebRequest& request) { return answers.answer(request); });
  return ExitCode::ok;
}

}  // namespace

void add_serve(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command =
      app.add_subcommand("serve", "the page: what waits, each department in the six steps, runs, patches, reports");
  command->add_option("--listen", arguments->listen, "address of this host alone, and port; port 0: any that is free")
      ->capture_default_str();
  command->add_option("--origin", arguments->origin,
                      "how browsers call it, when a proxy with TLS is in front: https://patches.xavier.example");
  command->add_option("--sign-in", arguments->sign_in,
                      "header field by which the proxy says who asks; a request without it is refused");
  command->add_option("--stage", arguments->desk.stage, "stage folder")->capture_default_str();
  command->add_option("--runs", arguments->desk.runs, "folder of runs")
      ->capture_default_str()
      ->envname("PATCHLAB_RUNS");
  command
      ->add_option("--history", arguments->history, "index of history; default: history.sqlite3 in the folder of runs")
      ->envname("PATCHLAB_HISTORY");
  command->add_option("--scan", arguments->scan, "what 'patchlab scan --output' wrote last");
  command
      ->add_option("--scan-max-age", arguments->scan_max_age_days, "an older scan does not say that nothing is missing")
      ->capture_default_str()
      ->check(CLI::Range(1, 3650));
  command->add_option("--acquired", arguments->acquired, "what 'patchlab acquire --json' printed last");
  add_calendar_option(*command, arguments->calendar);
  add_feeds_options(*command, arguments->feeds);
  add_lab_cache(*command, arguments->desk);
  command->add_option("--refresh", arguments->refresh_s, "seconds until it looks again")
      ->capture_default_str()
      ->check(CLI::Range(1, 86400));
  command->callback([arguments, &chosen] { chosen = [arguments] { return serve(*arguments); }; });
}

}  // namespace patchlab::cli
